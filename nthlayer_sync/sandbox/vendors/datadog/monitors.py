"""Monitors."""

from __future__ import annotations

import re

from nthlayer_sync.sandbox.collection import Item, part
from nthlayer_sync.sandbox.ids import IdMaker, number
from nthlayer_sync.sandbox.paging import numbered
from nthlayer_sync.sandbox.tool import Call, Reply
from nthlayer_sync.sandbox.vendors.datadog.shape import CREATOR, Kind, tags


class Monitors(Kind):
    """What alerts; two may have the same name. Ids are numbers."""

    name = "monitors"
    path = "/api/v1/monitor"
    required = ("type", "query")
    page = staticmethod(numbered(100, 1000, ("page", "page_size"), first=0))

    def ids(self) -> IdMaker:
        """Numbers."""
        return number(10_000_001)

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """The threshold of the query is the critical one."""
        critical = part(part(wanted, "options"), "thresholds").get("critical")
        found = re.search(r"[<>]=?\s*(-?[0-9.]+)\s*$", str(wanted.get("query", "")))
        if critical is not None and found and float(found[1]) != float(critical):
            raise self.tool.refuse(400, "Alert threshold does not match that used in the query")
        if old and wanted.get("type", old["type"]) != old["type"]:
            raise self.tool.refuse(400, "Monitor type cannot be changed")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With all options, and thresholds as decimal numbers."""
        item: Item = {"name": wanted.get("query", ""), "message": "", "priority": None, **(old or {}), **wanted}
        options: Item = {"notify_audit": False, "include_tags": True, "new_host_delay": 300, "silenced": {}}
        options |= item.get("options") or {}
        if thresholds := options.get("thresholds"):
            options["thresholds"] = {name: float(value) for name, value in thresholds.items() if value is not None}
        now = self.tool.now().strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        own: Item = {"id": int(self.collection.new_id()), "created": now, "multi": " by {" in str(item["query"])}
        own |= {"creator": CREATOR, "deleted": None, "overall_state": "No Data", "restricted_roles": None}
        item |= {name: old[name] if old else value for name, value in own.items()}
        return item | {"options": options, "tags": tags(item.get("tags")), "modified": now}

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """`monitor_tags` must all be there; `name` is a part."""
        wanted, name = set(tags(filter(None, call.asked("monitor_tags").split(",")))), call.asked("name").casefold()
        return [item for item in items if wanted <= set(item["tags"]) and name in item["name"].casefold()]

    def in_use(self, item: Item) -> str:
        """A monitor of an SLO stays."""
        used = self.tool.references.owners((self.name, str(item["id"])), "slos")
        return f"monitor [{item['id']},{item['name']}] is referenced in slos: {', '.join(used)}" if used else ""

    def delete(self, call: Call) -> Reply:
        """Says which."""
        super().delete(call)
        return Reply(200, {"deleted_monitor_id": int(call.params["id"])})
