"""Who is on call: now, and over time. Rotations are laid over each other in their order, overrides on top."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nthlayer_sync.sandbox.collection import Item, part, parts
from nthlayer_sync.sandbox.shifts import Rotation, Shift, Window
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.opsgenie.shape import REQUEST

_TURNS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_UNITS = {"days": timedelta(days=1), "weeks": timedelta(weeks=1), "months": timedelta(days=30)}
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class OnCalls:
    """The on-call and timeline addresses of a schedule."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        tool.route("GET", "/v2/schedules/{id}/on-calls", self.now)
        tool.route("GET", "/v2/schedules/{id}/timeline", self.timeline)

    def now(self, call: Call) -> Reply:
        """Who is on call at `date`, now unless it is named."""
        schedule = self._schedule(call, "scheduleIdentifierType")
        moment = self._moment(call, schedule)
        shifts = self._final(schedule, moment, moment + timedelta(minutes=1))
        users = list(dict.fromkeys(shift.user for each in shifts.values() for shift in each))
        data: Item = {"_parent": _named(schedule)}
        if call.asked("flat") == "true":
            data["onCallRecipients"] = [self._user(user)["name"] for user in users]
        else:
            data["onCallParticipants"] = [self._user(user) for user in users]
        return Reply(200, {"data": data, **REQUEST})

    def timeline(self, call: Call) -> Reply:
        """The final timeline; base and overrides with `expand`."""
        schedule = self._schedule(call, "identifierType")
        start = self._moment(call, schedule)
        end = start + _UNITS.get(call.asked("intervalUnit", "weeks"), _UNITS["weeks"]) * call.number("interval", 1)
        zone = ZoneInfo(schedule["timezone"])
        data: Item = {"_parent": _named(schedule), "finalTimeline": self._shown(schedule, start, end, over=True)}
        data |= {"startDate": start.replace(tzinfo=zone).isoformat(), "endDate": end.replace(tzinfo=zone).isoformat()}
        if "base" in call.asked("expand"):
            data["baseTimeline"] = self._shown(schedule, start, end, over=False)
        return Reply(200, {"data": data, "expandable": ["base", "forwarding", "override"], **REQUEST})

    def _shown(self, schedule: Item, start: datetime, end: datetime, *, over: bool) -> Item:
        zone = ZoneInfo(schedule["timezone"])
        shifts = self._final(schedule, start, end) if over else self._base(schedule, start, end)
        rotations: list[Item] = []
        for order, rotation in enumerate(self.tool.collections["rotations"].listed(schedule["id"]), start=1):
            periods = [
                {
                    "startDate": shift.start.replace(tzinfo=zone).isoformat(),
                    "endDate": shift.end.replace(tzinfo=zone).isoformat(),
                    "type": "default",
                    "recipient": self._user(shift.user),
                }
                for shift in shifts[rotation["id"]]
            ]
            rotations.append({"id": rotation["id"], "name": rotation["name"], "order": order, "periods": periods})
        return {"rotations": rotations}

    def _base(self, schedule: Item, start: datetime, end: datetime) -> dict[str, list[Shift]]:
        zone = ZoneInfo(schedule["timezone"])
        held = self.tool.collections["rotations"].listed(schedule["id"])
        return {each["id"]: _rotation(each, zone).shifts(start, end) for each in held}

    def _final(self, schedule: Item, start: datetime, end: datetime) -> dict[str, list[Shift]]:
        """An override takes the place of whoever is on call in each of its rotations, and nobody else's."""
        zone, shifts = ZoneInfo(schedule["timezone"]), self._base(schedule, start, end)
        for override in self.tool.collections["overrides"].listed(schedule["id"]):
            since, until = max(_wall(override["startDate"], zone), start), min(_wall(override["endDate"], zone), end)
            only = {each.get("id") or each.get("name") for each in parts(override, "rotations")}
            for rotation in self.tool.collections["rotations"].listed(schedule["id"]):
                if since < until and (not only or only & {rotation["id"], rotation["name"]}):
                    who = override["user"].get("id", "")
                    shifts[rotation["id"]] = _replaced(shifts[rotation["id"]], Shift(since, until, who))
        return shifts

    def _user(self, id: str) -> Item:
        user = self.tool.collections["users"].get(id)
        return {"id": id, "type": "user", "name": user["username"] if user else ""}

    def _moment(self, call: Call, schedule: Item) -> datetime:
        zone = ZoneInfo(schedule["timezone"])
        try:
            given = call.asked("date")
            return _wall(given, zone) if given else self.tool.now().astimezone(zone).replace(tzinfo=None)
        except ValueError:
            raise self.tool.refuse(422, "date is not valid") from None

    def _schedule(self, call: Call, by: str) -> Item:
        held = self.tool.collections["schedules"]
        found = held.find("name", call.params["id"]) if call.asked(by) == "name" else held.get(call.params["id"])
        if found is None:
            raise self.tool.refuse(404, "Schedule does not exist")
        return found


def _replaced(shifts: list[Shift], by: Shift) -> list[Shift]:
    result: list[Shift] = []
    for shift in shifts:
        middle = Shift(max(shift.start, by.start), min(shift.end, by.end), by.user)
        if middle.start >= middle.end:
            result.append(shift)
            continue
        around = (shift._replace(end=middle.start), middle, shift._replace(start=middle.end))
        result += [each for each in around if each.start < each.end]
    return result


def _rotation(item: Item, zone: ZoneInfo) -> Rotation:
    first = _wall(item["startDate"], zone)
    return Rotation(
        users=tuple(each.get("id", "") if each["type"] == "user" else "" for each in item["participants"]),
        first=first,
        turn=_TURNS[item["type"]] * item["length"],
        start=first,
        end=_wall(item["endDate"], zone) if item.get("endDate") else None,
        windows=_windows(part(item, "timeRestriction")),
    )


def _windows(given: Item) -> tuple[Window, ...]:
    daily = given.get("type") == "time-of-day"
    rules: list[Item] = [part(given, "restriction")] if daily else parts(given, "restrictions")
    windows: list[Window] = []
    for rule in rules:
        start = timedelta(hours=rule["startHour"], minutes=rule["startMin"])
        end = timedelta(hours=rule["endHour"], minutes=rule["endMin"])
        if daily:
            windows.append(Window(start, end - start if end > start else end - start + timedelta(days=1)))
            continue
        days = (_WEEK.index(rule["endDay"]) - _WEEK.index(rule["startDay"])) % 7
        windows.append(Window(start, timedelta(days=days) + end - start, _WEEK.index(rule["startDay"])))
    return tuple(windows)


def _wall(text: str, zone: ZoneInfo) -> datetime:
    time = datetime.fromisoformat(text)
    return time.astimezone(zone).replace(tzinfo=None) if time.tzinfo else time


def _named(schedule: Item) -> Item:
    return {name: schedule[name] for name in ("id", "name", "enabled")}
