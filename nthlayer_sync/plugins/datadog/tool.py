"""Datadog's account: what is in it, and how it is asked (docs.datadoghq.com/api/latest)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

from nthlayer_sync.sdk.http import Call, Manners, NotThere, Tool
from nthlayer_sync.sdk.rest import Collection, InTags, Json, Numbered, Offset
from nthlayer_sync.sdk.rest.paging import dig, rows_of

MANNERS = Manners(rate=5.0, burst=1, at_once=4)
"""Each address has a limit of its own that only its answers name (docs.datadoghq.com/api/latest/rate-limits): careful
at first, and slower still after the first 429."""


def inside(body: Json | None, name: str) -> Json:
    """A part of an object, empty where there is none."""
    found: Json = (body or {}).get(name) or {}
    return found


class InData(Collection):
    """A collection whose answers hold one object in `data`, alone or in a list."""

    def body(self, answer: Any) -> Json:
        """The object, or the first of the list."""
        data = dig(answer, "data")
        first: Any = next(iter(cast("list[Any]", data)), None) if isinstance(data, list) else data
        return super().body(first)


class Entities(Collection):
    """The software catalog: an entity is put in place under its reference, which is its id here.

    An object is the entity's metadata with its other parts beside it.
    """

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every service with its schema."""
        async for each in self._asked(tool, ("filter[kind]", "service")):
            yield each

    async def get(self, tool: Tool, id: str) -> Json | None:
        """The entity of a reference."""
        async for each in self._asked(tool, ("filter[ref]", id)):
            if each["id"] == id:
                return each
        return None

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Put it in place; a second time it is the same."""
        metadata = {name: held for name, held in body.items() if name not in (*_BESIDE, "id")}
        beside = {name: body[name] for name in _BESIDE if name in body}
        entity = {"apiVersion": "v3", "kind": "service", "metadata": metadata, **beside}
        await tool.ask(Call(method="POST", path=self.path, json=entity, safe=True))
        return {"id": _ref(metadata)}

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """As it is made, with what others wrote into it."""
        return await self.create(tool, live | body, "")

    async def _asked(self, tool: Tool, query: tuple[str, str]) -> AsyncIterator[Json]:
        call = Call(path=self.path, query=(query, ("include", "schema")))
        async for row in rows_of(tool, call, Offset(100, "page[offset]", "page[limit]"), _joined):
            yield _entity(row["attributes"], inside(row, "schema"))


_BESIDE = ("spec", "integrations", "datadog", "extensions")
_SHOWN = ("name", "namespace", "displayName", "description", "owner", "tags")
"""What a list tells of an entity that was written in an older form."""


def _entity(attributes: Json, schema: Json) -> Json:
    """The metadata of an entity with its other parts beside it."""
    found: Json = {name: attributes[name] for name in _SHOWN if name in attributes}
    if schema.get("apiVersion") == "v3":
        found = {name: held for name, held in schema["metadata"].items() if name not in ("id", "managed")}
        found |= {name: schema[name] for name in _BESIDE if name in schema}
    return found | {"id": _ref(attributes)}


def _ref(named: Json) -> str:
    return f"service:{named.get('namespace') or 'default'}/{named['name']}".lower()


def _joined(answer: Any) -> list[Json]:
    """The rows of a page with their schemas, which come beside them."""
    schemas = {each["id"]: each["attributes"].get("schema") for each in answer.get("included") or ()}
    return [row | {"schema": schemas.get(dig(row, "relationships.schema.data.id"))} for row in answer["data"]]


@dataclass(frozen=True)
class SyntheticTests(Collection):
    """Tests from outside: listed for all types, made by type, and deleted by a list of ids."""

    writes: str = "/api/v1/synthetics/tests/api"

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """A test of an API, running at once."""
        body = body | {"status": "live"}
        return self.body((await tool.ask(Call(method="POST", path=self.writes, json=body))).json())

    async def delete(self, tool: Tool, live: Json) -> None:
        """Remove one; sending it twice does no harm."""
        ids = {"public_ids": [self.id_of(live)]}
        try:
            await tool.ask(Call(method="POST", path=f"{self.path}/delete", json=ids, safe=True))
        except NotThere:
            return

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """All of it."""
        path = self.item(self.id_of(live)).replace(self.path, self.writes, 1)
        return self.body((await tool.ask(Call(method="PUT", path=path, json=body))).json())


MONITORS = Collection(
    "monitors", "/api/v1/monitor", mark=InTags(), paging=Numbered(1000, "page", "page_size", start=0), url=""
)
SLOS = InData(
    "slos",
    "/api/v1/slo",
    many="data",
    mark=InTags(),
    paging=Offset(1000),
    keeps=("groups", "monitor_tags"),
    url="",
)
ENTITIES = Entities("entities", "/api/v2/catalog/entity", mark=InTags(), echoes=False, url="")
TESTS = SyntheticTests(
    "synthetic_tests",
    "/api/v1/synthetics/tests",
    many="tests",
    id="public_id",
    mark=InTags(),
    paging=Numbered(100, "page_number", "page_size", start=0),
    url="",
)
PIPELINES = Collection("log_pipelines", "/api/v1/logs/config/pipelines", mark=InTags(), keeps=("description",), url="")
INDEXES = Collection("log_indexes", "/api/v1/logs/config/indexes", many="indexes", id="name", mark=InTags(), url="")
