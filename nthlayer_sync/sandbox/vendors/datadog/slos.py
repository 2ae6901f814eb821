"""Service level objectives."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.ids import HEXADECIMAL, IdMaker, token
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call, Reply
from nthlayer_sync.sandbox.vendors.datadog.shape import CREATOR, Kind, tags


def _slos(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    limit, offset = min(call.number("limit", 1000), 1000), call.number("offset", 0)
    counts = {"total_count": len(items), "total_filtered_count": len(items)}
    return Reply(200, {"data": items[offset : offset + limit], "errors": [], "metadata": {"page": counts}})


class Slos(Kind):
    """Service level objectives; two may have the same name."""

    name = "slos"
    path = "/api/v1/slo"
    required = ("name", "type", "thresholds")
    page = staticmethod(_slos)

    def ids(self) -> IdMaker:
        """32 hexadecimal digits."""
        return token(HEXADECIMAL, 32, "", f"{self.tool.seed}slo")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A query or monitors, and targets below 100."""
        kind = wanted.get("type") or (old or {}).get("type")
        needed = {"metric": "query", "monitor": "monitor_ids", "time_slice": "sli_specification"}.get(str(kind))
        if needed is None:
            raise self.tool.refuse(400, "Invalid payload: 'type' is invalid")
        if not (wanted.get(needed) or (old or {}).get(needed)):
            raise self.tool.refuse(400, f"Invalid payload: '{needed}' is a required property")
        for threshold in wanted.get("thresholds", ()):
            if not 0 < threshold.get("target", 0) < 100:
                raise self.tool.refuse(400, "Invalid payload: target must be between 0 and 100")
        monitors = self.tool.collections["monitors"]
        if unknown := [id for id in wanted.get("monitor_ids") or () if monitors.get(str(id)) is None]:
            raise self.tool.refuse(400, f"Invalid payload: monitors not found: {unknown}")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With how targets are displayed, and the first threshold once more on top."""
        item: Item = {"description": None, "monitor_tags": [], **(old or {}), **wanted}
        thresholds = [_displayed(threshold) for threshold in item["thresholds"]]
        first = thresholds[0]
        item |= {"thresholds": thresholds, "tags": tags(item.get("tags")), "modified_at": self.seconds()}
        item |= {"timeframe": first["timeframe"], "target_threshold": first["target"]}
        if "warning" in first:
            item["warning_threshold"] = first["warning"]
        item["id"] = old["id"] if old else self.collection.new_id()
        return item | {"creator": CREATOR, "created_at": old["created_at"] if old else self.seconds()}

    def targets(self, item: Item) -> list[Where]:
        """The monitors."""
        return [("monitors", str(id)) for id in item.get("monitor_ids") or ()]

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """By ids, by tags, by a part of the name."""
        ids, query = call.asked("ids"), call.asked("query").casefold()
        wanted = set(tags(filter(None, call.asked("tags_query").split(","))))
        found = [item for item in items if not ids or item["id"] in ids.split(",")]
        return [item for item in found if query in item["name"].casefold() and wanted <= set(item["tags"])]

    def create(self, call: Call) -> Reply:
        """In a list."""
        return Reply(200, {"data": [super().create(call).body], "errors": [], "metadata": {}})

    def update(self, call: Call) -> Reply:
        """In a list."""
        return Reply(200, {"data": [super().update(call).body], "errors": [], "metadata": {}})

    def read(self, call: Call) -> Reply:
        """In `data`."""
        return Reply(200, {"data": super().read(call).body, "errors": []})

    def delete(self, call: Call) -> Reply:
        """Says which."""
        super().delete(call)
        return Reply(200, {"data": [call.params["id"]], "errors": {}})


def _displayed(threshold: Item) -> Item:
    shown = dict(threshold)
    for name in ("target", "warning"):
        if shown.get(name) is not None:
            shown[name] = float(shown[name])
            shown[f"{name}_display"] = f"{shown[name]:g}"
    return shown
