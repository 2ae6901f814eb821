"""Who is on call in a team when: a schedule for who is called first, and one for who is second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.clock import HOUR, instant, wall
from nthlayer_sync.oncall.holidays import horizon
from nthlayer_sync.oncall.rota import Live, RotaSpec, Written, outlook, shown, specs_of, told, writing
from nthlayer_sync.oncall.schedule import Layer, Override, Restriction, Schedule
from nthlayer_sync.plugins.pagerduty.tool import PAGES, USERS, reference
from nthlayer_sync.sdk.http import Call, Tool
from nthlayer_sync.sdk.rest import Account, Collection, InText, Json, RestKind, label
from nthlayer_sync.sdk.rest.kind import canonical

_DAY = 1440


@dataclass(frozen=True)
class Schedules(Collection):
    """Schedules, and beside each its `overrides` from now to the horizon. They are only ever added."""

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def get(self, tool: Tool, id: str) -> Json | None:
        """With the overrides."""
        body = await super().get(tool, id)
        if body is None:
            return None
        now = self.now()
        query = (("since", now.isoformat()), ("until", horizon(now).isoformat()))
        answer = (await tool.ask(Call(path=f"{self.item(id)}/overrides", query=query))).json()
        return body | {"overrides": answer["overrides"]}

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """The schedule, then its overrides."""
        made = await super().create(tool, _plain(body), key)
        await self._override(tool, self.id_of(made), body)
        return made

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """The overrides first: who is on call stays so while the layers change."""
        await self._override(tool, self.id_of(live), body)
        return await super().update(tool, live, _plain(body))

    async def _override(self, tool: Tool, id: str, body: Json) -> None:
        if not body["overrides"]:
            return
        call = Call(method="POST", path=f"{self.item(id)}/overrides", json={"overrides": body["overrides"]})
        for row in (await tool.ask(call)).json():
            if row["status"] != 201:  # each has a status of its own
                raise PermanentError(f"an override of the schedule {id} was refused: {row.get('errors')}")


SCHEDULES = Schedules(
    "schedules",
    "/schedules",
    many="schedules",
    one="schedule",
    mark=InText(),
    paging=PAGES,
    query=(("include[]", "schedule_layers"),),
    whole=False,
    echoes=False,
)


def generate(team: Team) -> Iterator[RotaSpec]:
    """Both schedules of a team with two people or more, of which somebody is called."""
    return specs_of(team, label(team))


def encode(spec: RotaSpec, account: Account, live: Json | None) -> Json:
    """As PagerDuty wants it: the rotation turned so that whoever is on call now stays; `overrides` are those to add."""
    written = _written(spec, account, live)
    zone = written.schedule.timezone
    standing = {layer["name"]: layer for layer in (live or {}).get("schedule_layers", ()) if not layer["end"]}
    return {
        "type": "schedule",
        "name": spec.name,
        "description": spec.description,
        "time_zone": zone,
        "schedule_layers": [
            _layer(layer, zone, account, standing.get(layer.name)) for layer in written.schedule.layers
        ],
        "overrides": [
            {
                "start": override.start.isoformat(timespec="seconds"),
                "end": override.end.isoformat(timespec="seconds"),
                "user": reference("user", account.id("users", override.person)),
            }
            for override in written.overrides
        ],
    }


def foresee(spec: RotaSpec, account: Account, live: Json | None, count: int) -> str:
    """The names of the next weeks, as they are to be after a write."""
    there = _live(live, account).overrides if live else ()
    return outlook(spec, _written(spec, account, live), there, account.now, count)


def decode(body: Json, account: Account) -> Json:
    """As the spec says it, but for whose turn it is."""
    return _teamless(told(_live(body, account), account.now))


def _written(spec: RotaSpec, account: Account, live: Json | None) -> Written:
    known = account.knows("schedules", spec.primary)
    first = account.body("schedules", account.id("schedules", spec.primary)) if known else None
    return writing(spec, _live(live, account) if live else None, _live(first, account) if first else None, account.now)


def _live(body: Json, account: Account) -> Live:
    zone = body["time_zone"]
    names: set[str] = set()
    layers = list[Layer]()
    for layer in body["schedule_layers"]:
        ends = datetime.fromisoformat(layer["end"]) if layer["end"] else None
        if not layer["users"] or (ends and ends <= account.now):
            continue
        name = layer["name"] if not ends else f"{layer['name']} until {ends.isoformat()}"
        name = name if name not in names else f"{name} {layer['id']}"
        names.add(name)
        layers.append(_read(layer, name, zone, account))
    overrides = tuple(
        Override(
            datetime.fromisoformat(each["start"]),
            datetime.fromisoformat(each["end"]),
            account.key("users", each["user"]["id"]),
        )
        for each in body.get("overrides", ())
    )
    return Live(body["name"], body.get("description") or "", "", Schedule(zone, tuple(layers)), overrides)


def _read(layer: Json, name: str, timezone: str, account: Account) -> Layer:
    hours, odd = divmod(layer["rotation_turn_length_seconds"], int(HOUR.total_seconds()))
    if odd or not hours:
        raise ValueError(f"the turns of {name} do not take whole hours")
    return Layer(
        name,
        tuple(account.key("users", each["user"]["id"]) for each in layer["users"]),
        wall(datetime.fromisoformat(layer["rotation_virtual_start"]), timezone),
        hours,
        tuple(sorted(_restriction(each) for each in layer["restrictions"])),
    )


def _restriction(rule: Json) -> Restriction:
    hour, minute = rule["start_time_of_day"].split(":")[:2]
    day = rule["start_day_of_week"] - 1 if rule["type"] == "weekly_restriction" else -1
    return Restriction(day, int(hour) * 60 + int(minute), rule["duration_seconds"] // 60)


def _layer(layer: Layer, timezone: str, account: Account, standing: Json | None) -> Json:
    """A layer; one that stands already is changed in its place, because it would else end and begin with a gap."""
    rules = [_rule(each) for each in layer.restrictions]
    start = account.now.isoformat(timespec="seconds")
    body: dict[str, Any] = {
        "name": layer.name,
        "start": standing["start"] if standing else start,
        "rotation_virtual_start": instant(layer.start, timezone).isoformat(),
        "rotation_turn_length_seconds": int(layer.turn.total_seconds()),
        "users": [{"user": reference("user", account.id("users", email))} for email in layer.members],
        "restrictions": rules,
    }
    return body | ({"id": standing["id"]} if standing else {})


def _rule(restriction: Restriction) -> Json:
    clock = f"{restriction.start // 60:02}:{restriction.start % 60:02}:00"
    rule: Json = {"start_time_of_day": clock, "duration_seconds": restriction.minutes * 60}
    if restriction.day < 0:
        return rule | {"type": "daily_restriction"}
    return rule | {"type": "weekly_restriction", "start_day_of_week": restriction.day + 1}


def _teamless(told: Json) -> Json:
    """The teams of a schedule follow from the policies that call it, so they are not ours to say."""
    return {name: value for name, value in told.items() if name != "team"}


def _plain(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "overrides"}


class ScheduleKind(RestKind[Team, RotaSpec]):
    """Compared without whose turn it is."""

    def content(self, spec: RotaSpec) -> str:
        """What `told` gives of a schedule that is as it should be."""
        return canonical(_teamless(shown(spec)))


SCHEDULE = ScheduleKind(
    name="pagerduty/schedule",
    version=1,
    summary="who is on call when",
    subject=Team,
    spec=RotaSpec,
    generate=generate,
    name_of=lambda spec: "secondary" if spec.primary else "primary",
    requires=("pagerduty/team",),
    collection=SCHEDULES,
    key=lambda team, spec: spec.name,
    encode=encode,
    decode=decode,
    renews=("covered",),
    foresee=foresee,
    needs=(USERS,),
)
