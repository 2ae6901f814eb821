"""A Backstage catalog on the loopback, which does as it is told: each request may be answered by a rule instead."""

import base64
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

Rule = Callable[["Catalog", web.Request], Awaitable[web.StreamResponse | None]]


def entity(number: int, **changes: str) -> dict:
    """An entity as the API gives it."""
    name = f"svc-{number:03d}"
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {
            "namespace": "default",
            "name": name,
            "uid": f"00000000-0000-4000-8000-{number:012d}",
            "etag": f"etag-{number}",
            "annotations": {"backstage.io/managed-by-location": f"url:https://h.example/o/{name}/blob/main/c.yaml"},
            **changes,
        },
        "spec": {"type": "service", "lifecycle": "production", "owner": "team"},
        "relations": [{"type": "ownedBy", "targetRef": "group:default/team"}],
        "status": {"items": []},
    }


class Catalog:
    """Its entities, what it was asked, and how it answers: `rules` by number of the request, from 1."""

    def __init__(self, count: int = 0, *, page: int = 1000) -> None:
        self.entities = [entity(number) for number in range(count)]
        self.page = page
        self.token = ""
        self.rules: dict[int, Rule] = {}
        self.asked: list[str] = []
        self.every: Rule | None = None

    def change(self, number: int, title: str) -> None:
        metadata = self.entities[number]["metadata"]
        metadata.update(title=title, etag=metadata["etag"] + "x")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path.removeprefix('/api/catalog/entities/')}")
        rule = self.rules.get(len(self.asked), self.every)
        if rule and (response := await rule(self, request)) is not None:
            return response
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _error(401, "AuthenticationError")
        if request.path.endswith("/by-refs"):
            return await self._by_refs(request)
        return self._by_query(request)

    def _by_query(self, request: web.Request) -> web.Response:
        known = {"cursor", "limit", "fields", "orderField", "filter"}
        if set(request.query) - known:
            return _error(400, "InputError")
        cursor = request.query.get("cursor")
        state = json.loads(base64.b64decode(cursor)) if cursor else {"offset": 0, "total": len(self.entities)}
        limit = min(int(request.query.get("limit", "200")), self.page)
        rows = sorted(self.entities, key=lambda each: each["metadata"]["uid"])
        end = state["offset"] + limit
        info = {}
        if end < len(rows):
            info["nextCursor"] = base64.b64encode(json.dumps(state | {"offset": end}).encode()).decode()
        fields = ",".join(request.query.getall("fields", [])).split(",")
        items = [_projected(row, fields) for row in rows[state["offset"] : end]]
        return web.json_response({"items": items, "totalItems": state["total"], "pageInfo": info})

    async def _by_refs(self, request: web.Request) -> web.Response:
        body = await request.read()
        if len(body) > 100_000:
            return _error(400, "PayloadTooLargeError")
        by_ref = {f"component:default/{each['metadata']['name']}": each for each in self.entities}
        refs = json.loads(body)["entityRefs"]
        return web.json_response({"items": [by_ref.get(ref) for ref in refs]})


def _projected(row: dict, fields: list[str]) -> dict:
    if fields == [""]:
        return copy.deepcopy(row)
    result: dict = {}
    for field in fields:
        source, target = row, result
        *way, last = field.split(".")
        for part in way:
            source, target = source.get(part, {}), target.setdefault(part, {})
        if last in source:
            target[last] = source[last]
    return result


def _error(status: int, name: str) -> web.Response:
    error = {"error": {"name": name, "message": name}, "response": {"statusCode": status}}
    return web.json_response(error, status=status)


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The address of a server that answers every request so."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
