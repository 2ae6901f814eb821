"""Log pipelines and indexes."""

from __future__ import annotations

import re

from nthlayer_sync.sandbox.collection import Item, Shape
from nthlayer_sync.sandbox.ids import UPPER, IdMaker, token
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool
from nthlayer_sync.sandbox.vendors.datadog.shape import Kind


class LogPipelines(Kind):
    """How logs are read; two may have the same name."""

    name = "log_pipelines"
    path = "/api/v1/logs/config/pipelines"
    required = ("name",)

    def ids(self) -> IdMaker:
        """22 letters and digits."""
        return token(UPPER, 22, "", f"{self.tool.seed}pipelines")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With the filter and processors that it has when nothing is said."""
        item: Item = {"is_enabled": False, "filter": {"query": ""}, "processors": [], **(old or {}), **wanted}
        item["processors"] = [{"is_enabled": False, "name": "", **processor} for processor in item["processors"]]
        return item | {"type": "pipeline", "is_read_only": False}


class LogIndexes(Kind):
    """Where logs are kept and how long, by name. A name is never used again."""

    name = "log_indexes"
    path = "/api/v1/logs/config/indexes"
    many = "indexes"
    key = "name"
    required = ("filter",)

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        self._gone = tool.collection(Shape(name="log_indexes_gone", new_id=str, key="name"))

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A name, new and well formed; a retention that can be had."""
        name = str(wanted.get("name", ""))
        if old is None and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
            raise self._refused("Invalid index name")
        if old is None and (self._gone.get(name) or self.collection.get(name)):
            raise self._refused("Index name is already used")

    def missing(self, fields: list[str]) -> RefusalError:
        """In the shape of the log APIs."""
        return self._refused(f"{', '.join(fields)} must be there")

    def _refused(self, message: str) -> RefusalError:
        return RefusalError(Reply(400, {"error": {"code": "InvalidArgument", "message": message, "details": []}}))

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With retention."""
        item: Item = {"num_retention_days": 15, "exclusion_filters": [], **(old or {}), **wanted}
        item["name"] = old["name"] if old else wanted["name"]
        return {"is_rate_limited": False, **item}

    def delete(self, call: Call) -> Reply:
        """Answers with what it was."""
        item = self.held(call)
        super().delete(call)
        self._gone.add({"name": item["name"]})
        return Reply(200, item)
