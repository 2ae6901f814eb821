"""Cortex, REST API: catalog entities, and custom data on them.

Rules are those of https://docs.cortex.io/api: entities are known by tag, custom data is put under a key, in bulk too,
and what a descriptor gives (source YAML) is not overwritten without `force`. Entities come from descriptors, here from
the sample organisation.
"""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Collection, Item, Shape, part
from nthlayer_sync.sandbox.ids import HEXADECIMAL, IdMaker, number, token
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.people import SERVICES
from nthlayer_sync.sandbox.tool import Call, Reply, Tool

_BASE = "/api/v1/catalog"


class Cortex(Tool):
    """The stand-in of https://api.getcortexapp.com."""

    name = "cortex"
    host = "https://api.getcortexapp.com"
    token = "sandbox-cortex"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        self.entities = self.collection(
            Shape(name="entities", new_id=self.ids("entities"), title="tag", unique=("tag",))
        )
        self.route("GET", _BASE, self._list)
        self.route("GET", f"{_BASE}/{{id}}", self._read)
        self.route("DELETE", f"{_BASE}/{{id}}", self._delete)
        CustomData(self)

    def seed_people(self) -> None:
        """Every service."""
        for tag in SERVICES:
            item: Item = {"tag": tag, "name": tag, "type": "service", "isArchived": False, "description": ""}
            item |= {"hierarchy": {"parents": [], "children": []}, "groups": [], "links": [], "slackChannels": []}
            self.entities.add(item | {"lastUpdated": self.time(), "metadata": []})

    def refused(self, status: int, *messages: str) -> Reply:
        """A type and a message."""
        kind = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 404: "NOT_FOUND", 429: "TOO_MANY_REQUESTS"}.get(
            status, "ERROR"
        )
        body: Item = {"type": kind, "message": "; ".join(messages), "details": "; ".join(messages)}
        return Reply(status, body | {"httpStatus": status, "gatewayHttpStatus": status, "requestId": "sandbox"})

    def ids(self, name: str) -> IdMaker:
        """`en` and sixteen hexadecimal digits."""
        return token(HEXADECIMAL, 16, "en", f"{self.seed}{name}")

    def held(self, given: str) -> Item:
        """An entity by tag or id; raises 404."""
        found = self.entities.find("tag", given) or self.entities.get(given)
        if found is None:
            raise self.refuse(404, f"Entity {given} was not found")
        return found

    def _list(self, call: Call) -> Reply:
        types, query = call.query.get("types", []), call.asked("query").casefold()
        kinds = [kind for part in types for kind in part.split(",")]
        found = [
            item
            for item in self.entities.listed()
            if (not kinds or item["type"] in kinds) and query in item["name"].casefold()
        ]
        shows_data = call.asked("includeMetadata") == "true"

        def shown(item: Item) -> Item:
            data = self.collections["custom_data"].listed(item["id"]) if shows_data else []
            metadata = [{"key": each["key"], "value": each["value"]} for each in data]
            return {**item, "owners": {"teams": [], "individuals": []}, "metadata": metadata}

        return page(call, found, "entities", shown)

    def _read(self, call: Call) -> Reply:
        item = self.held(call.params["id"])
        return Reply(200, item | {"ownership": {"emails": [], "groups": [], "slackChannels": []}})

    def _delete(self, call: Call) -> Reply:
        self.entities.remove(self.held(call.params["id"])["id"])
        return Reply(200)


def page(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """Numbered from 0, 250 unless asked, 1000 at most."""
    size, at = min(call.number("pageSize", 250) or 250, 1000), call.number("page", 0)
    pages = -(-len(items) // size)
    shown = [show(item) for item in items[at * size : (at + 1) * size]]
    return Reply(200, {many: shown, "page": at, "total": len(items), "totalPages": pages} if many else shown)


class CustomData:
    """Values under keys, of entities."""

    def __init__(self, tool: Cortex) -> None:
        self.tool = tool
        self.collection: Collection = tool.collection(
            Shape(name="custom_data", new_id=number(), title="key", unique=("key",))
        )
        path = f"{_BASE}/{{id}}/custom-data"
        tool.route("GET", path, self.list)
        tool.route("POST", path, self.put)
        tool.route("DELETE", path, self.delete)
        tool.route("GET", f"{path}/{{key}}", self.read)
        tool.route("PUT", f"{_BASE}/custom-data", self.put_all)

    def list(self, call: Call) -> Reply:
        """Those of an entity."""
        return page(call, self.collection.listed(self.tool.held(call.params["id"])["id"]), "", _shown)

    def read(self, call: Call) -> Reply:
        """One of an entity."""
        return Reply(200, _shown(self._held(call, call.params["key"])))

    def put(self, call: Call) -> Reply:
        """Make or replace one."""
        self._check(call.fields())
        return Reply(200, _shown(self._put(self.tool.held(call.params["id"]), call.fields(), call)))

    def put_all(self, call: Call) -> Reply:
        """Make or replace many, of many entities: `{"values": {tag: [{key, value}]}}`."""
        values: dict[str, list[Item]] = part(call.fields(), "values")
        if not values:
            raise self.tool.refuse(400, "values must be there")
        for each in [each for items in values.values() for each in items]:
            self._check(each)
        done: list[Item] = []
        errors: dict[str, Any] = {}
        for tag, items in values.items():
            entity = self.tool.entities.find("tag", tag)
            if entity is None:
                errors[tag] = "NOT_FOUND"
                continue
            done += [_shown(self._put(entity, each, call)) for each in items]
        return Reply(200, {"values": done, "errors": errors})

    def delete(self, call: Call) -> Reply:
        """One of an entity."""
        self.collection.remove(self._held(call, call.asked("key"))["id"])
        return Reply(200)

    def _held(self, call: Call, key: str) -> Item:
        found = self.collection.find("key", key, self.tool.held(call.params["id"])["id"])
        if found is None:
            raise self.tool.refuse(404, f"Custom data {key} was not found")
        return found

    def _check(self, given: Item) -> None:
        if not given.get("key") or "value" not in given:
            raise self.tool.refuse(400, "key and value must be there")

    def _put(self, entity: Item, given: Item, call: Call) -> Item:
        old = self.collection.find("key", given["key"], entity["id"])
        if old and old["source"] == "YAML" and call.asked("force") != "true":
            raise self.tool.refuse(400, f"{given['key']} is set in the descriptor")
        item: Item = {"key": given["key"], "value": given["value"], "source": "API", "dateUpdated": self.tool.time()}
        if given.get("description"):
            item["description"] = given["description"]
        return (
            self.collection.replace(old["id"], item | {"id": old["id"]})
            if old
            else self.collection.add(item, entity["id"])
        )


def _shown(item: Item) -> Item:
    return item | {"id": int(item["id"])}
