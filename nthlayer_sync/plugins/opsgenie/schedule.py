"""Who is on call in a team when: a schedule for who is called first, and one for who is second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.clock import instant, wall
from nthlayer_sync.oncall.rota import Live, RotaSpec, Written, outlook, shown, specs_of, told, writing
from nthlayer_sync.oncall.schedule import Layer, Override, Restriction, Schedule
from nthlayer_sync.plugins.opsgenie.tool import TEAMS, USERS, Objects, user
from nthlayer_sync.sdk.http import Call, NotThere, Tool, at
from nthlayer_sync.sdk.rest import Account, InText, Json, RestKind, label
from nthlayer_sync.sdk.rest.kind import canonical

_HOURS = {"weekly": 168, "daily": 24, "hourly": 1}
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = 1440


@dataclass(frozen=True)
class Schedules(Objects):
    """Schedules with their rotations, and beside each its `overrides`, which are only ever added."""

    async def get(self, tool: Tool, id: str) -> Json | None:
        """With the overrides."""
        body = await super().get(tool, id)
        if body is None:
            return None
        answer = (await tool.ask(Call(path=f"{self.item(id)}/overrides"))).json()
        return body | {"overrides": answer["data"]}

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """The schedule with its rotations, then its overrides."""
        made = await super().create(tool, _without(body, "overrides"), key)
        await self._override(tool, self.id_of(made), body)
        return made

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """The overrides first: who is on call stays so while the rotations change.

        Rotations keep their ids, because overrides may be for one of them only; what is new comes before what goes.
        """
        id = self.id_of(live)
        await self._override(tool, id, body)
        made = await super().update(tool, live, _without(body, "overrides", "rotations"))
        path, kept = f"{self.item(id)}/rotations", set[str]()
        for each in body["rotations"]:
            held = next((old["id"] for old in live["rotations"] if _becomes(old, each)), None)
            call = Call(method="PATCH", path=path + at(held), json=each) if held else None
            await tool.ask(call or Call(method="POST", path=path, json=each))
            kept.add(held or "")
        for old in live["rotations"]:
            if old["id"] not in kept:
                await self._end(tool, path + at(old["id"]))
        return made

    async def _end(self, tool: Tool, path: str) -> None:
        try:
            await tool.ask(Call(method="DELETE", path=path))
        except NotThere:
            return

    async def _override(self, tool: Tool, id: str, body: Json) -> None:
        for override in body["overrides"]:
            await tool.ask(Call(method="POST", path=f"{self.item(id)}/overrides", json=override))


SCHEDULES = Schedules("schedules", "/v2/schedules", mark=InText(), query=(("expand", "rotation"),), whole=False)


def generate(team: Team) -> Iterator[RotaSpec]:
    """Both schedules of a team with two people or more, of which somebody is called."""
    return specs_of(team, label(team))


def encode(spec: RotaSpec, account: Account, live: Json | None) -> Json:
    """As Opsgenie wants it: the rotation turned so that whoever is on call now stays; `overrides` are those to add."""
    written = _written(spec, account, live)
    zone = written.schedule.timezone
    return {
        "name": spec.name,
        "description": spec.description,
        "timezone": zone,
        "enabled": True,
        "ownerTeam": {"id": account.id("teams", spec.team)},
        "rotations": [_rotation(layer, zone, account) for layer in written.schedule.layers],
        "overrides": [
            {
                "user": user(account.id("users", each.person)),
                "startDate": each.start.isoformat(timespec="seconds"),
                "endDate": each.end.isoformat(timespec="seconds"),
            }
            for each in written.overrides
        ],
    }


def foresee(spec: RotaSpec, account: Account, live: Json | None, count: int) -> str:
    """The names of the next weeks, as they are to be after a write."""
    there = _live(live, account).overrides if live else ()
    return outlook(spec, _written(spec, account, live), there, account.now, count)


def decode(body: Json, account: Account) -> Json:
    """As the spec says it, but for whose turn it is; one that is switched off calls nobody."""
    return told(_live(body, account), account.now) | ({} if body["enabled"] else {"enabled": False})


def _written(spec: RotaSpec, account: Account, live: Json | None) -> Written:
    known = account.knows("schedules", spec.primary)
    first = account.body("schedules", account.id("schedules", spec.primary)) if known else None
    return writing(spec, _live(live, account) if live else None, _live(first, account) if first else None, account.now)


def _live(body: Json, account: Account) -> Live:
    zone = body["timezone"]
    names: set[str] = set()
    layers = list[Layer]()
    for rotation in body["rotations"]:
        ends = datetime.fromisoformat(rotation["endDate"]) if rotation.get("endDate") else None
        if not rotation["participants"] or (ends and ends <= account.now):
            continue
        name = rotation["name"] if not ends else f"{rotation['name']} until {ends.isoformat()}"
        name = name if name and name not in names else f"{name} {rotation['id']}"
        names.add(name)
        layers.append(_layer(rotation, name, zone, account))
    overrides = tuple(
        Override(
            datetime.fromisoformat(each["startDate"]),
            datetime.fromisoformat(each["endDate"]),
            account.key("users", each["user"].get("id", "")),
        )
        for each in body.get("overrides", ())
    )
    team = account.key("teams", body["ownerTeam"]["id"]) if body.get("ownerTeam") else ""
    return Live(body["name"], body.get("description") or "", team, Schedule(zone, tuple(layers)), overrides)


def _layer(rotation: Json, name: str, timezone: str, account: Account) -> Layer:
    return Layer(
        name,
        tuple(account.key("users", each["id"]) for each in rotation["participants"]),
        wall(datetime.fromisoformat(rotation["startDate"]), timezone),
        _HOURS[rotation["type"]] * rotation["length"],
        tuple(sorted(_restrictions(rotation.get("timeRestriction") or {}))),
    )


def _restrictions(given: Json) -> Iterator[Restriction]:
    if given.get("type") == "time-of-day":
        rule = given["restriction"]
        start, end = _minutes(rule, "start"), _minutes(rule, "end")
        yield Restriction(-1, start, (end - start) % _DAY or _DAY)
    for rule in given.get("restrictions", ()):
        first, last = _WEEK.index(rule["startDay"]), _WEEK.index(rule["endDay"])
        start = _minutes(rule, "start")
        length = (last - first) * _DAY + _minutes(rule, "end") - start
        yield Restriction(first, start, length % (7 * _DAY) or 7 * _DAY)


def _minutes(rule: Json, edge: str) -> int:
    return rule[f"{edge}Hour"] * 60 + rule[f"{edge}Min"]


def _rotation(layer: Layer, timezone: str, account: Account) -> Json:
    type = next(type for type, hours in _HOURS.items() if layer.hours % hours == 0)
    body: Json = {
        "name": layer.name,
        "startDate": instant(layer.start, timezone).isoformat(),
        "type": type,
        "length": layer.hours // _HOURS[type],
        "participants": [user(account.id("users", email)) for email in layer.members],
    }
    if not layer.restrictions:
        return body
    if [each.day for each in layer.restrictions] == [-1]:
        return body | {"timeRestriction": {"type": "time-of-day", "restriction": _times(layer.restrictions[0])}}
    rules = [_times(each) | _days(each) for each in layer.restrictions]
    return body | {"timeRestriction": {"type": "weekday-and-time-of-day", "restrictions": rules}}


def _becomes(old: Json, new: Json) -> bool:
    """Whether a rotation can be changed into another: what an update leaves out stays, so no field may have to go."""
    return old["name"] == new["name"] and not any(old.get(f) and f not in new for f in ("endDate", "timeRestriction"))


def _times(rule: Restriction) -> Json:
    (start, start_min), (end, end_min) = divmod(rule.start, 60), divmod((rule.start + rule.minutes) % _DAY, 60)
    return {"startHour": start, "startMin": start_min, "endHour": end, "endMin": end_min}


def _days(rule: Restriction) -> Json:
    last = (rule.day + (rule.start + rule.minutes) // _DAY) % 7
    return {"startDay": _WEEK[rule.day], "endDay": _WEEK[last]}


def _without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


class ScheduleKind(RestKind[Team, RotaSpec]):
    """Compared without whose turn it is."""

    def content(self, spec: RotaSpec) -> str:
        """What `told` gives of a schedule that is as it should be."""
        return canonical(shown(spec))


SCHEDULE = ScheduleKind(
    name="opsgenie/schedule",
    version=1,
    summary="who is on call when",
    subject=Team,
    spec=RotaSpec,
    generate=generate,
    name_of=lambda spec: "secondary" if spec.primary else "primary",
    requires=("opsgenie/team",),
    collection=SCHEDULES,
    key=lambda team, spec: spec.name,
    encode=encode,
    decode=decode,
    renews=("covered",),
    foresee=foresee,
    needs=(TEAMS, USERS),
)
