"""Escalations and services."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item, part
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call
from nthlayer_sync.sandbox.vendors.opsgenie.shape import RECIPIENTS, Kind, bare, paged


class Escalations(Kind):
    """Who is told when nobody answers."""

    name = "escalations"
    path = "/v2/escalations"
    page = staticmethod(bare)
    word = "Escalation"
    unique = ("name",)
    required = ("name", "rules")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Recipients by id; delays in minutes."""
        item: Item = {"description": "", **self.made(wanted, old)}
        item["rules"] = [self._rule(rule) for rule in item["rules"]]
        if item.get("ownerTeam"):
            item["ownerTeam"] = self.team(item["ownerTeam"])
        nothing: Item = {"waitInterval": 0, "count": 0, "resetRecipientStates": False, "closeAlertAfterAll": False}
        return item | {"repeat": nothing | (item.get("repeat") or {})}

    def targets(self, item: Item) -> list[Where]:
        """Whom it tells, and the owner."""
        told = [rule["recipient"] for rule in item["rules"]]
        named = [(RECIPIENTS[each["type"]], each["id"]) for each in told if each["type"] in RECIPIENTS]
        return [*named, *([("teams", item["ownerTeam"]["id"])] if item.get("ownerTeam") else [])]

    def _rule(self, given: Item) -> Item:
        delay = part(given, "delay")
        if not isinstance(delay.get("timeAmount"), int):
            raise self.tool.refuse(422, "rule delay can not be empty")
        return {
            "condition": given.get("condition", "if-not-acked"),
            "notifyType": given.get("notifyType", "default"),
            "delay": {"timeAmount": delay["timeAmount"], "timeUnit": delay.get("timeUnit", "minutes")},
            "recipient": self.recipient(part(given, "recipient")),
        }


class Services(Kind):
    """Services that incidents are about; each belongs to a team."""

    name = "services"
    path = "/v1/services"
    word = "Service"
    unique = ("name",)
    required = ("name", "teamId")
    page = staticmethod(paged)

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With defaults; the team must be there."""
        item: Item = {"description": "", "tags": [], "visibility": "TEAM_MEMBERS", **self.made(wanted, old)}
        self.team({"id": item["teamId"]})
        return item | {"isExternal": False}

    def targets(self, item: Item) -> list[Where]:
        """The team."""
        return [("teams", item["teamId"])]

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """`query` is `name:...`, or a part of the name."""
        query = call.asked("query").removeprefix("name:").strip().casefold()
        return [item for item in items if query in item["name"].casefold()]
