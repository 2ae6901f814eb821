"""Schedules with their layers, overrides, and who is on call.

As the vendor does it: layers come back last first; a layer's `start` is never before the time of the change; a layer
that an update leaves out is ended, not removed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nthlayer_sync.sandbox.collection import Item, Shape
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.shifts import Rotation, Shift, Window, coverage, laid_over
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.pagerduty.shape import Shared, reference

_LONGEST = timedelta(days=92)


class Schedules(Shared):
    """On-call schedules; two may have the same name."""

    name = "schedules"
    path = "/schedules"
    one = "schedule"
    many = "schedules"
    required = ("time_zone",)

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A known zone; layers with users, a turn and a start."""
        try:
            ZoneInfo(wanted.get("time_zone") or (old or {}).get("time_zone", ""))
        except (ValueError, OSError):
            raise self.tool.refuse(400, "Time zone is invalid") from None
        if old is None and not wanted.get("schedule_layers"):
            raise self.tool.refuse(400, "Schedule layers can't be blank")
        for layer in wanted.get("schedule_layers", ()):
            for field in ("start", "rotation_virtual_start", "rotation_turn_length_seconds", "users"):
                if not layer.get(field):
                    raise self.tool.refuse(400, f"Schedule layers {field.replace('_', ' ')} can't be blank")
            if layer["rotation_turn_length_seconds"] < 3600:
                raise self.tool.refuse(400, "Rotation turn length must be at least one hour")
            try:
                times = instant(layer["start"]), instant(layer["rotation_virtual_start"])
            except ValueError:
                times = None
            if not times:
                raise self.tool.refuse(400, "Schedule layers start is invalid")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With layers in the vendor's form."""
        item = self.made(wanted, old)
        zone = ZoneInfo(item["time_zone"])
        item["summary"] = item.setdefault("name", "Schedule")
        item["teams"] = self.all_of("teams", item.get("teams"), "Team")
        if "schedule_layers" in wanted:
            layers = [self._layer(layer, zone) for layer in reversed(wanted["schedule_layers"])]
            kept = {layer["id"] for layer in layers}
            now = self.tool.now().astimezone(zone).isoformat(timespec="seconds")
            earlier: list[Item] = (old or {}).get("schedule_layers", [])
            left_out = [layer for layer in earlier if layer["id"] not in kept]
            item["schedule_layers"] = [*layers, *({**layer, "end": layer["end"] or now} for layer in left_out)]
        held: list[Item] = item["schedule_layers"]
        users: dict[str, Item] = {user["user"]["id"]: user["user"] for layer in held for user in layer["users"]}
        return item | {"users": list(users.values())}

    def targets(self, item: Item) -> list[Where]:
        """Users and teams."""
        live = [layer for layer in item["schedule_layers"] if not layer["end"]]
        users = {user["user"]["id"] for layer in live for user in layer["users"]}
        return [*(("users", id) for id in sorted(users)), *(("teams", team["id"]) for team in item["teams"])]

    def shown(self, call: Call, item: Item) -> Item:
        """Rendered between `since` and `until`: two weeks from now unless asked otherwise."""
        zone = ZoneInfo(item["time_zone"])
        since, until = self._period(call, zone)
        rendered = [rotation(layer, zone).shifts(since, until) for layer in item["schedule_layers"]]
        overrides = self.overrides(item, zone, since, until)
        final: list[Shift] = []
        for shifts in reversed(rendered):
            final = laid_over(final, shifts)
        final = laid_over(final, overrides)

        def shown(shifts: list[Shift]) -> Item:
            entries = [self.entry(shift, zone) for shift in shifts]
            return {
                "rendered_schedule_entries": entries,
                "rendered_coverage_percentage": coverage(shifts, since, until),
            }

        layers = zip(item["schedule_layers"], rendered, strict=True)
        return self.summary(call, item) | {
            "schedule_layers": [layer | shown(shifts) for layer, shifts in layers],
            "overrides_subschedule": {"name": "Overrides", **shown(overrides)},
            "final_schedule": {"name": "Final Schedule", **shown(final)},
        }

    def summary(self, call: Call, item: Item) -> Item:
        """Without layers, unless they are asked for."""
        asked = "schedule_layers" in call.query.get("include[]", ())
        shown = {name: value for name, value in item.items() if asked or name != "schedule_layers"}
        return shown | {"escalation_policies": self.owners(item, "escalation_policies")}

    def in_use(self, item: Item) -> str:
        """A schedule that a policy names stays."""
        used = self.tool.references.owners((self.name, item["id"]), "escalation_policies")
        return "Schedule can't be deleted if it's being used by escalation policies" if used else ""

    def overrides(self, item: Item, zone: ZoneInfo, since: datetime, until: datetime) -> list[Shift]:
        """The overrides of a schedule in a period, wall-clock."""
        found: list[Shift] = []
        for override in self.tool.collections["overrides"].listed(item["id"]):
            start, end = wall(override["start"], zone), wall(override["end"], zone)
            if start < until and end > since:
                found.append(Shift(max(start, since), min(end, until), override["user"]["id"]))
        return sorted(found)

    def entry(self, shift: Shift, zone: ZoneInfo) -> Item:
        """A shift as it is shown."""
        user = self.tool.collections["users"].get(shift.user)
        return {
            "start": shift.start.replace(tzinfo=zone).isoformat(),
            "end": shift.end.replace(tzinfo=zone).isoformat(),
            "user": reference(user) if user else {"id": shift.user, "type": "user_reference", "summary": None},
        }

    def _period(self, call: Call, zone: ZoneInfo) -> tuple[datetime, datetime]:
        now = self.tool.now().astimezone(zone).replace(tzinfo=None, microsecond=0)
        try:
            since = wall(call.asked("since"), zone) if call.asked("since") else now
            until = wall(call.asked("until"), zone) if call.asked("until") else since + timedelta(weeks=2)
        except ValueError:
            raise self.tool.refuse(400, "since and until must be times") from None
        if until - since > _LONGEST:
            raise self.tool.refuse(400, "The period is longer than three months")
        return since, until

    def _layer(self, given: Item, zone: ZoneInfo) -> Item:
        start = max(instant(given["start"]), self.tool.now()).astimezone(zone)
        virtual = instant(given["rotation_virtual_start"]).astimezone(zone)
        end = given.get("end")
        users = [{"user": reference(self.target("users", each.get("user"), "User"))} for each in given["users"]]
        return {
            "id": given.get("id") or self.collection.new_id(),
            "name": given.get("name") or "Layer",
            "start": start.isoformat(timespec="seconds"),
            "end": instant(end).astimezone(zone).isoformat(timespec="seconds") if end else None,
            "rotation_virtual_start": virtual.isoformat(timespec="seconds"),
            "rotation_turn_length_seconds": given["rotation_turn_length_seconds"],
            "users": users,
            "restrictions": given.get("restrictions") or [],
        }


class Overrides:
    """Somebody takes a part of a schedule. `GET /oncalls` is here too: it asks schedules and overrides."""

    def __init__(self, tool: Tool, schedules: Schedules) -> None:
        self.tool = tool
        self.schedules = schedules
        self.collection = tool.collection(Shape(name="overrides", new_id=tool.ids("overrides"), title="start"))
        tool.route("GET", "/schedules/{id}/overrides", self.list)
        tool.route("POST", "/schedules/{id}/overrides", self.create)
        tool.route("DELETE", "/schedules/{id}/overrides/{override}", self.delete)

    def list(self, call: Call) -> Reply:
        """Those that touch the period, which must be named."""
        schedule = self.schedules.held(call)
        zone = ZoneInfo(schedule["time_zone"])
        try:
            since, until = wall(call.asked("since"), zone), wall(call.asked("until"), zone)
        except ValueError:
            raise self.tool.refuse(400, "since and until are required") from None
        found = [
            override
            for override in self.collection.listed(schedule["id"])
            if wall(override["start"], zone) < until and wall(override["end"], zone) > since
        ]
        return Reply(200, {"overrides": found})

    def create(self, call: Call) -> Reply:
        """One or many; each has a status of its own."""
        schedule = self.schedules.held(call)
        wanted: list[Item] = call.fields().get("overrides") or []
        if not wanted:
            raise self.tool.refuse(400, "Overrides can't be blank")
        return Reply(201, [self._created(each, schedule) for each in wanted])

    def delete(self, call: Call) -> Reply:
        """Remove one."""
        schedule = self.schedules.held(call)
        if self.collection.get(call.params["override"], schedule["id"]) is None:
            raise self.tool.refuse(404)
        self.collection.remove(call.params["override"])
        return Reply(204)

    def _created(self, wanted: Item, schedule: Item) -> Item:
        zone = ZoneInfo(schedule["time_zone"])
        try:
            start, end = instant(wanted["start"]), instant(wanted["end"])
        except (KeyError, ValueError, TypeError):
            return {"status": 400, "errors": ["Override start and end must be times"], "override": wanted}
        user = self.tool.collections["users"].get(str(wanted.get("user", {}).get("id")))
        if end <= start or user is None:
            reason = "Override must end after its start" if user else "User not found"
            return {"status": 400, "errors": [reason], "override": wanted}
        override = {
            "start": start.astimezone(zone).isoformat(timespec="seconds"),
            "end": end.astimezone(zone).isoformat(timespec="seconds"),
            "user": reference(user),
        }
        return {"status": 201, "override": self.collection.add(override, schedule["id"])}


def rotation(layer: Item, zone: ZoneInfo) -> Rotation:
    """What a layer does."""
    windows: list[Window] = []
    for rule in layer["restrictions"]:
        hours, minutes, seconds = (int(part) for part in rule["start_time_of_day"].split(":"))
        weekday = rule["start_day_of_week"] - 1 if rule["type"] == "weekly_restriction" else None
        start = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        windows.append(Window(start, timedelta(seconds=rule["duration_seconds"]), weekday))
    return Rotation(
        users=tuple(user["user"]["id"] for user in layer["users"]),
        first=wall(layer["rotation_virtual_start"], zone),
        turn=timedelta(seconds=layer["rotation_turn_length_seconds"]),
        start=wall(layer["start"], zone),
        end=wall(layer["end"], zone) if layer["end"] else None,
        windows=tuple(windows),
    )


def instant(text: str) -> datetime:
    """A time with its zone; raises ValueError."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time


def wall(text: str, zone: ZoneInfo) -> datetime:
    """A time as the clock on the wall shows it there; a time without zone is that already."""
    time = datetime.fromisoformat(text)
    return time.astimezone(zone).replace(tzinfo=None) if time.tzinfo else time
