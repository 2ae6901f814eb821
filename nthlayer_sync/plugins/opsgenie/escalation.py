"""Who is called after whom when nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.duty import Unstaffed
from nthlayer_sync.oncall.escalation import escalation_of
from nthlayer_sync.plugins.opsgenie.schedule import SCHEDULES
from nthlayer_sync.plugins.opsgenie.tool import ESCALATIONS, TEAMS, USERS
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label

_MINUTES = {"minutes": 1, "hours": 60, "days": 1440}


class RuleSpec(Spec, frozen=True):
    """Whom a level calls, by name, and how many minutes after the alert."""

    schedules: tuple[str, ...]
    people: tuple[str, ...]
    after: int


class EscalationSpec(Spec, frozen=True):
    """The levels of a team, how often they are called again, and the minutes before that."""

    name: str
    description: str
    team: str
    rules: tuple[RuleSpec, ...]
    loops: int
    wait: int


def generate(team: Team) -> Iterator[EscalationSpec]:
    """One for every team of which somebody is called."""
    escalation = escalation_of(team)
    if isinstance(escalation, Unstaffed):
        return
    name, after = label(team), 0
    schedules = {"primary": (f"{name} primary",), "secondary": (f"{name} secondary",), "people": ()}
    rules = list[RuleSpec]()
    for level in escalation.levels:
        rules.append(RuleSpec(schedules=schedules[level.calls], people=level.people, after=after))
        after += level.minutes
    yield EscalationSpec(
        name=name,
        description=" ".join(f"Who is called for {team.contact.label}.".split()),
        team=name,
        rules=tuple(rules),
        loops=escalation.loops,
        wait=escalation.levels[-1].minutes if escalation.loops else 0,
    )


def encode(spec: EscalationSpec, account: Account, live: Json | None) -> Json:
    """As Opsgenie wants it: a rule calls one recipient, so a level of several is several rules."""
    rules = [
        {
            "condition": "if-not-acked",
            "notifyType": "default",
            "delay": {"timeAmount": rule.after, "timeUnit": "minutes"},
            "recipient": {"type": type, "id": account.id(collection, name)},
        }
        for rule in spec.rules
        for type, collection, names in (("schedule", "schedules", rule.schedules), ("user", "users", rule.people))
        for name in names
    ]
    return {
        "name": spec.name,
        "description": spec.description,
        "ownerTeam": {"id": account.id("teams", spec.team)},
        "rules": rules,
        "repeat": {
            "waitInterval": spec.wait,
            "count": spec.loops,
            "resetRecipientStates": bool(spec.loops),
            "closeAlertAfterAll": False,
        },
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; a rule that is not one of ours is told as its words."""
    levels = groupby(body["rules"], key=_after)
    repeat: Json = body.get("repeat") or {}
    plain = bool(repeat.get("count")) == bool(repeat.get("resetRecipientStates")) and not repeat.get(
        "closeAlertAfterAll"
    )
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "team": account.key("teams", body["ownerTeam"]["id"]) if body.get("ownerTeam") else "",
        "rules": [_level(after, list(rules), account) for after, rules in levels],
        "loops": (repeat.get("count") or 0) if plain else str(repeat),
        "wait": repeat.get("waitInterval") or 0,
    }


def _level(after: int, rules: list[Json], account: Account) -> Json:
    called: dict[str, list[Any]] = {"schedule": [], "user": []}
    others = list[str]()
    for rule in rules:
        recipient = rule["recipient"]
        words = rule["condition"], rule["notifyType"], recipient["type"]
        if words[:2] == ("if-not-acked", "default") and recipient["type"] in called:
            called[recipient["type"]].append(account.key(f"{recipient['type']}s", recipient["id"]))
        else:
            others.append(" ".join(words))
    level: Json = {"schedules": called["schedule"], "people": called["user"], "after": after}
    return level | ({"others": others} if others else {})


def _after(rule: Json) -> int:
    return rule["delay"]["timeAmount"] * _MINUTES[rule["delay"].get("timeUnit") or "minutes"]


ESCALATION = RestKind(
    name="opsgenie/escalation",
    version=1,
    summary="who is called after whom",
    subject=Team,
    spec=EscalationSpec,
    generate=generate,
    requires=("opsgenie/team", "opsgenie/schedule"),
    collection=ESCALATIONS,
    key=lambda team, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(SCHEDULES, TEAMS, USERS),
)
