"""What Jira's collections have in common."""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.tool import Call, Reply, Tool

BASE = "/rest/api/3"


def page(call: Call, items: list[Any], many: str, show: Show) -> Reply:
    """`startAt` and `maxResults`: 50 unless asked."""
    start, most = call.number("startAt", 0), min(call.number("maxResults", 50), 1000)
    shown = [show(item) for item in items[start : start + most]]
    address = f"http://{call.headers.get('Host', '')}{call.path}"
    body: Item = {"self": address, "startAt": start, "maxResults": most, "total": len(items), "values": shown}
    if start + most < len(items):
        body["nextPage"] = f"{address}?startAt={start + most}&maxResults={most}"
    return Reply(200, body | {"isLast": start + most >= len(items)})


def held(tool: Tool, given: str) -> Item:
    """A project by id or key; raises 404."""
    projects = tool.collections["projects"]
    found = projects.get(given) or projects.find("key", given)
    if found is None:
        raise tool.refuse(404, f"No project could be found with key '{given}'.")
    return found


def same(item: Any) -> Any:
    """An object as it is."""
    return item
