"""Who is called after whom when nobody answers."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.duty import Unstaffed
from nthlayer_sync.oncall.escalation import escalation_of
from nthlayer_sync.plugins.pagerduty.schedule import SCHEDULES
from nthlayer_sync.plugins.pagerduty.team import TEAMS
from nthlayer_sync.plugins.pagerduty.tool import ESCALATION_POLICIES, USERS, reference
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label


class RuleSpec(Spec, frozen=True):
    """One level: schedules and people by name, and the minutes that they have."""

    schedules: tuple[str, ...]
    people: tuple[str, ...]
    minutes: int


class EscalationPolicySpec(Spec, frozen=True):
    """The levels of a team, and how often they are called again."""

    name: str
    description: str
    team: str
    rules: tuple[RuleSpec, ...]
    loops: int


def generate(team: Team) -> Iterator[EscalationPolicySpec]:
    """One for every team of which somebody is called."""
    escalation = escalation_of(team)
    if isinstance(escalation, Unstaffed):
        return
    name = label(team)
    schedules = {"primary": (f"{name} primary",), "secondary": (f"{name} secondary",), "people": ()}
    rules = tuple(
        RuleSpec(schedules=schedules[level.calls], people=level.people, minutes=level.minutes)
        for level in escalation.levels
    )
    yield EscalationPolicySpec(
        name=name,
        description=" ".join(f"Who is called for {team.contact.label}.".split()),
        team=name,
        rules=rules,
        loops=escalation.loops,
    )


def encode(spec: EscalationPolicySpec, account: Account, live: Json | None) -> Json:
    """As PagerDuty wants it."""
    rules = [
        {
            "escalation_delay_in_minutes": rule.minutes,
            "targets": [
                *(reference("schedule", account.id("schedules", name)) for name in rule.schedules),
                *(reference("user", account.id("users", email)) for email in rule.people),
            ],
        }
        for rule in spec.rules
    ]
    return {
        "type": "escalation_policy",
        "name": spec.name,
        "description": spec.description,
        "teams": [reference("team", account.id("teams", spec.team))],
        "escalation_rules": rules,
        "num_loops": spec.loops,
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    rules = [
        {
            "schedules": [account.key("schedules", t["id"]) for t in rule["targets"] if _is(t, "schedule")],
            "people": [account.key("users", t["id"]) for t in rule["targets"] if _is(t, "user")],
            "minutes": rule["escalation_delay_in_minutes"],
        }
        for rule in body["escalation_rules"]
    ]
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "team": ", ".join(account.key("teams", team["id"]) for team in body.get("teams") or ()),
        "rules": rules,
        "loops": body["num_loops"],
    }


def _is(target: Json, type: str) -> bool:
    return target["type"] in (type, f"{type}_reference")


ESCALATION_POLICY = RestKind(
    name="pagerduty/escalation_policy",
    version=1,
    summary="who is called after whom",
    subject=Team,
    spec=EscalationPolicySpec,
    generate=generate,
    requires=("pagerduty/team", "pagerduty/schedule"),
    collection=ESCALATION_POLICIES,
    key=lambda team, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(SCHEDULES, TEAMS, USERS),
)
