"""Schedules with their rotations and overrides."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call
from nthlayer_sync.sandbox.vendors.opsgenie.shape import Kind, bare


class Schedules(Kind):
    """On-call schedules; a list shows rotations only with `expand=rotation`."""

    name = "schedules"
    path = "/v2/schedules"
    word = "Schedule"
    unique = ("name",)
    required = ("name",)
    said = ("id", "name", "enabled")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A known zone."""
        try:
            ZoneInfo(wanted.get("timezone") or "UTC")
        except (ValueError, OSError):
            raise self.tool.refuse(422, "timezone is not valid") from None

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Rotations are objects of their own."""
        rotations: list[Item] = [rotation(self, each) for each in wanted.get("rotations") or ()]
        item: Item = {"description": "", "timezone": "Etc/UTC", "enabled": True, **self.made(wanted, old)}
        item.pop("rotations", None)
        if item.get("ownerTeam"):
            item["ownerTeam"] = self.team(item["ownerTeam"])
        if "rotations" in wanted:
            held = self.tool.collections["rotations"]
            for earlier in held.listed(item["id"]):
                held.remove(earlier["id"])
            for each in rotations:
                held.add(each, item["id"])
        return item

    def targets(self, item: Item) -> list[Where]:
        """The owner."""
        return [("teams", item["ownerTeam"]["id"])] if item.get("ownerTeam") else []

    def shown(self, call: Call, item: Item) -> Item:
        """With rotations."""
        return item | {"rotations": self.tool.collections["rotations"].listed(item["id"])}

    def summary(self, call: Call, item: Item) -> Item:
        """With rotations when asked."""
        return self.shown(call, item) if "rotation" in call.asked("expand") else item | {"rotations": []}

    def in_use(self, item: Item) -> str:
        """A schedule that an escalation tells stays."""
        used = self.tool.references.owners((self.name, item["id"]), "escalations")
        return "Schedule is used in escalations" if used else ""


def rotation(kind: Kind, given: Item) -> Item:
    """A rotation as it is stored."""
    item: Item = {"name": "", "length": 1, **given}
    for field in ("startDate", "type", "participants"):
        if not item.get(field):
            raise kind.tool.refuse(422, f"rotation {field} can not be empty")
    item["participants"] = [kind.recipient(each) for each in item["participants"]]
    item.setdefault("id", kind.tool.collections["rotations"].new_id())
    return item


class Rotations(Kind):
    """The turns of a schedule."""

    name = "rotations"
    path = "/v2/schedules/{parent}/rotations"
    page = staticmethod(bare)
    parent = "schedules"
    word = "Rotation"

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Participants by id."""
        return rotation(self, {**(old or {}), **wanted})


class Overrides(Kind):
    """Somebody takes a part of a schedule; named by an alias."""

    name = "overrides"
    path = "/v2/schedules/{parent}/overrides"
    page = staticmethod(bare)
    parent = "schedules"
    word = "Override"
    key = "alias"
    title = "alias"
    methods = ("POST", "GET", "PUT", "DELETE", "GET")
    required = ("user", "startDate", "endDate")
    said = ("alias",)

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With its schedule."""
        schedule = self.tool.collections["schedules"].get(self.scope(call)) or {}
        item: Item = {"alias": self.collection.new_id(), **(old or {}), **wanted}
        item["user"] = self.recipient(item["user"])
        return item | {"_parent": {name: schedule.get(name) for name in ("id", "name", "enabled")}}
