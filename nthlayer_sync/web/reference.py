"""The API described: as an OpenAPI document for programs, and as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from nthlayer_sync.settings.serve import AccessSettings
from nthlayer_sync.web import etags
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.html import page
from nthlayer_sync.web.openapi import Schema, document
from nthlayer_sync.web.problem import KINDS, TYPES
from nthlayer_sync.web.route import Context, Encoded, Route

PAGE, STYLE = "/api/v1/", "/api/v1/reference.css"

Words = list[tuple[str, str]]
"""What may stand in a place, in words; each with the name of the schema that it leads to, or ""."""


class Reference:
    """Describes `routes`, and the one that it adds itself."""

    def __init__(self, routes: Sequence[Route], access: AccessSettings) -> None:
        self.routes = (
            *routes,
            Route(
                method="GET",
                path="/api/v1/openapi.json",
                summary="This description, for programs",
                answer=None,
                handler=self.openapi,
                tag="reference",
                role=None,
                media_type="application/openapi+json",
            ),
        )
        self._document = document(self.routes, access)

    def install(self, app: web.Application, door: Door) -> None:
        """Add the page and its style, which are for people and no part of what is described."""

        async def shown(request: web.Request) -> web.Response:
            door.visitor(request)
            return etags.conditional(request, web.Response(body=self._page, content_type="text/html", charset="utf-8"))

        async def style(request: web.Request) -> web.Response:
            door.visitor(request)
            return etags.conditional(request, web.Response(body=self._style, content_type="text/css", charset="utf-8"))

        app.router.add_get(PAGE, shown)
        app.router.add_get(PAGE.rstrip("/"), shown)
        app.router.add_get(STYLE, style)

    async def openapi(self, context: Context) -> Encoded:
        """As OpenAPI 3.1.1."""
        return self._encoded

    @cached_property
    def _encoded(self) -> Encoded:
        body = msgspec.json.encode(self._document)
        return Encoded(body, "application/openapi+json", etags.of(body))

    @cached_property
    def _page(self) -> bytes:
        found = self._document
        schemas = found["components"]["schemas"]
        return page(
            "reference.html.j2",
            info=found["info"],
            style=STYLE,
            tags={tag["name"]: list(_operations(found["paths"], tag["name"])) for tag in found["tags"]},
            schemas={name: list(_fields(schemas[name])) for name in sorted(schemas)},
            titles={name: _title(name) for name in schemas},
            described={name: schemas[name].get("description", "") for name in schemas},
            logins=found["components"]["securitySchemes"],
            problems={f"{TYPES}{kind}": status for status, kind in KINDS.items()},
        )

    @cached_property
    def _style(self) -> bytes:
        return (resources.files("nthlayer_sync.web") / "static" / "reference.css").read_bytes()


def _operations(paths: Mapping[str, Mapping[str, Schema]], tag: str) -> Iterator[Schema]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield {
                    **operation,
                    "method": method.upper(),
                    "path": path,
                    "parameters": [{**each, "words": _words(each["schema"])} for each in operation["parameters"]],
                    "body": list(_contents(operation.get("requestBody", {}))),
                    "answers": [
                        content
                        for status, answer in operation["responses"].items()
                        if status.startswith("2")
                        for content in _contents(answer)
                    ],
                }


def _contents(holder: Schema) -> Iterator[tuple[str, Words]]:
    """The media types of a body, each with what it holds."""
    for media_type, content in holder.get("content", {}).items():
        yield media_type, _words(content["schema"])


def _fields(schema: Schema) -> Iterator[dict[str, Any]]:
    for name, each in schema.get("properties", {}).items():
        needed = name in schema.get("required", ())
        yield {"name": name, "words": _words(each), "needed": needed, "description": each.get("description", "")}
    if not schema.get("properties"):
        yield {"name": "", "words": _words(schema), "needed": False, "description": ""}


def _words(schema: Schema) -> Words:
    """What may stand there."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(_title(name), name)]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            between: Words = []
            for each in schema[several]:
                between += [(" or ", ""), *_words(each)] if between else _words(each)
            return between
    if "enum" in schema:
        return [(" | ".join(map(str, schema["enum"])), "")]
    if "const" in schema:
        return [(str(schema["const"]), "")]
    if schema.get("type") == "array":
        return [("list of ", ""), *_words(schema.get("items", {}))]
    if isinstance(schema.get("additionalProperties"), dict):
        return [("map to ", ""), *_words(schema["additionalProperties"])]
    return [(f"{schema.get('type', 'anything')}{_bounds(schema)}", "")]


def _title(name: str) -> str:
    """The name of a schema for people: `Page_Entity_` is a page of entities."""
    return name.rstrip("_").replace("_", " of ") if name.endswith("_") else name


def _bounds(schema: Schema) -> str:
    said = [schema["format"]] if "format" in schema else []
    if "minimum" in schema or "maximum" in schema:
        said.append(f"{schema.get('minimum', '')}…{schema.get('maximum', '')}")
    if schema.get("default") not in (None, ""):
        said.append(f"default {schema['default']}")
    return f" ({', '.join(said)})" if said else ""
