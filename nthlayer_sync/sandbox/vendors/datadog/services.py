"""The software catalog, and tests from outside."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item, part
from nthlayer_sync.sandbox.ids import LOWER, IdMaker, token
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool
from nthlayer_sync.sandbox.vendors.datadog.shape import Kind, tags


def _definitions(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    size, at = min(call.number("page[size]", 10), 100) or 10, call.number("page[number]", 0)
    return Reply(200, {"data": items[at * size : (at + 1) * size]})


class ServiceDefinitions(Kind):
    """The software catalog: a definition is put in place under `dd-service`."""

    name = "service_definitions"
    path = "/api/v2/services/definitions"
    key = "id"
    title = "id"
    deleted = 204
    methods = ("POST", "GET", "", "DELETE", "GET")
    page = staticmethod(_definitions)

    def create(self, call: Call) -> Reply:
        """Make or replace."""
        schema = self.opened(call)
        name = str(schema.get("dd-service", "")).lower()
        if not name or schema.get("schema-version") not in ("v1", "v2", "v2.1", "v2.2"):
            raise self.tool.refuse(400, "schema-version and dd-service are required")
        meta = {"last-modified-time": self.tool.time(), "ingestion-source": "api", "origin": "api"}
        meta["ingested-schema-version"] = schema["schema-version"]
        stored: Item = schema | {"dd-service": name}
        if "tags" in schema:
            stored["tags"] = tags(schema["tags"])
        attributes = {"meta": meta, "schema": stored}
        item: Item = {"id": name, "type": "service-definition", "attributes": attributes}
        if self.collection.get(name):
            self.collection.replace(name, item)
        else:
            self.collection.add(item)
        return Reply(200, {"data": [item]})

    def read(self, call: Call) -> Reply:
        """In `data`."""
        return Reply(200, {"data": super().read(call).body})


def _entities(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    limit, offset = min(call.number("page[limit]", 100), 100) or 100, call.number("page[offset]", 0)
    shown = [show(item) for item in items[offset : offset + limit]]
    return Reply(200, {"data": shown, "meta": {"count": len(items)}})


class Entities(Kind):
    """The newer software catalog: an entity is put in place under kind, namespace and name."""

    name = "entities"
    path = "/api/v2/catalog/entity"
    title = "ref"
    unique = ("ref",)
    deleted = 204
    methods = ("POST", "", "", "DELETE", "GET")
    page = staticmethod(_entities)

    def create(self, call: Call) -> Reply:
        """Make or replace; the schema comes back beside the entity."""
        schema = self.opened(call)
        metadata = part(schema, "metadata")
        if schema.get("apiVersion") != "v3" or not schema.get("kind") or not metadata.get("name"):
            raise self.tool.refuse(400, "apiVersion v3, kind and metadata.name are required")
        namespace = metadata.get("namespace") or "default"
        ref = f"{schema['kind']}:{namespace}/{metadata['name']}".lower()
        old = self.collection.find("ref", ref)
        given = {name: metadata[name] for name in ("displayName", "description", "owner") if name in metadata}
        attributes: Item = {"kind": schema["kind"], "apiVersion": "v3", "name": metadata["name"], **given}
        attributes |= {"namespace": namespace, "tags": tags(metadata.get("tags"))}
        created = old["meta"]["createdAt"] if old else self.tool.time()
        meta: Item = {"createdAt": created, "modifiedAt": self.tool.time(), "ingestionSource": "api", "origin": ""}
        item: Item = {"id": old["id"] if old else self.collection.new_id(), "type": "entity", "ref": ref}
        item |= {"attributes": attributes, "meta": meta, "schema": schema}
        item = self.collection.replace(item["id"], item) if old else self.collection.add(item)
        return Reply(202, {"data": [self.shown(call, item)], "included": [_schema(item)]})

    def held(self, call: Call) -> Item:
        """By id or by reference."""
        given = call.params["id"]
        kind, _, name = given.rpartition(":")
        ref = given if "/" in given else f"{kind or 'service'}:default/{name}"
        item = self.collection.get(given) or self.collection.find("ref", ref)
        if item is None:
            raise self.absent(given)
        return item

    def shown(self, call: Call, item: Item) -> Item:
        """With a pointer to the schema."""
        shown = {name: value for name, value in item.items() if name not in ("ref", "schema")}
        return shown | {"relationships": {"schema": {"data": {"id": item["id"], "type": "schema"}}}}

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """By reference, name, kind."""
        ref, name, kind = (call.asked(f"filter[{word}]") for word in ("ref", "name", "kind"))
        found = [item for item in items if ref in ("", item["ref"]) and name in ("", item["attributes"]["name"])]
        return [item for item in found if kind in ("", item["attributes"]["kind"])]

    def list(self, call: Call) -> Reply:
        """With schemas when asked."""
        reply = super().list(call)
        if "schema" in call.asked("include"):
            held = [self.collection.get(item["id"]) for item in reply.body["data"]]
            reply.body["included"] = [_schema(item) for item in held if item]
        return reply


def _schema(item: Item) -> Item:
    return {"id": item["id"], "type": "schema", "attributes": {"schema": item["schema"]}}


class SyntheticTests(Kind):
    """Tests from outside; ids are three times three letters and digits. They are deleted together, by POST."""

    name = "synthetic_tests"
    path = "/api/v1/synthetics/tests/api"
    key = "public_id"
    required = ("name", "type", "config", "locations", "message", "options")
    methods = ("POST", "GET", "PUT", "", "")

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("GET", "/api/v1/synthetics/tests", self.list)
        tool.route("GET", "/api/v1/synthetics/tests/{id}", self.read)
        tool.route("POST", "/api/v1/synthetics/tests/delete", self.delete)

    def ids(self) -> IdMaker:
        """abc-def-ghi."""
        make = token(LOWER, 9, "", f"{self.tool.seed}synthetics")
        return lambda count: "-".join(make(count)[at : at + 3] for at in (0, 3, 6))

    def missing(self, fields: list[str]) -> RefusalError:
        """Options and message may be empty, and must be there."""
        return self.tool.refuse(400, *(f"{field} is required" for field in fields))

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Running at once, with a monitor of its own."""
        item: Item = {"status": "live", "subtype": "http", **(old or {}), **wanted}
        item["options"] = {"tick_every": 60, **item["options"]}
        item["monitor_id"] = old["monitor_id"] if old else 90_000_000 + len(self.collection)
        return item | {"tags": tags(item.get("tags"))}

    def list(self, call: Call) -> Reply:
        """A page of tests."""
        size, at = min(call.number("page_size", 100), 1000) or 100, call.number("page_number", 0)
        return Reply(200, {"tests": self.collection.listed()[at * size : (at + 1) * size]})

    def delete(self, call: Call) -> Reply:
        """Several at once; all must be there."""
        ids: list[str] = call.fields().get("public_ids") or []
        if not ids or any(self.collection.get(id) is None for id in ids):
            raise self.tool.refuse(404, "Some of the tests do not exist")
        for id in ids:
            self.collection.remove(id)
        deleted = self.tool.now().strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        return Reply(200, {"deleted_tests": [{"public_id": id, "deleted_at": deleted} for id in ids]})
