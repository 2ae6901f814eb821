"""The OpenAPI document that describes a table of routes (https://spec.openapis.org/oas/v3.1.1.html)."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from nthlayer_sync import __version__
from nthlayer_sync.settings.serve import AccessSettings
from nthlayer_sync.web.problem import MEDIA_TYPE, Problem
from nthlayer_sync.web.route import LONGEST, Route

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
Schemas = Mapping[tuple[type[BaseModel], Mode], Schema]

_INFO = {
    "title": "nthlayer-sync",
    "version": __version__,
    "summary": "What the daemon knows of your services, and what it may be asked to do.",
    "description": (
        "Every refusal is `application/problem+json` (RFC 9457). Lists come in pages: ask with `cursor` set to the "
        "`next` of the page before. Answers to GET have an `ETag`; with `If-None-Match` what has not changed is "
        "answered by 304, without a body."
    ),
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_IF_NONE_MATCH: Schema = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags of answers that the client has.",
    "schema": {"type": "string"},
}
_ETAG: Schema = {"description": "Changes when the answer does.", "schema": {"type": "string"}}


def document(routes: Sequence[Route], access: AccessSettings) -> Schema:
    """The document of a daemon with these routes, which lets in whom `access` names.

    ValueError where two routes have one name.
    """
    names = [route.name for route in routes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"operations of one name: {', '.join(twice)}")
    schemas, components = _schemas(routes)
    security = _security(access)
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, tuple(security))
    return {
        "openapi": "3.1.1",
        "info": _INFO,
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                "Problem": {
                    "description": "It was refused, or failed; the body says why.",
                    "content": {MEDIA_TYPE: {"schema": schemas[Problem, "serialization"]}},
                }
            },
            "securitySchemes": security,
        },
    }


def _operation(route: Route, schemas: Schemas, security: tuple[str, ...]) -> Schema:
    found: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": _description(route),
        "tags": [route.tag],
        "parameters": list(_parameters(route, schemas)),
        "responses": _responses(route, schemas),
        "security": [{name: []} for name in security] if route.role else [],
    }
    if route.role:
        found["x-role"] = route.role
    if route.body:
        content = {"application/json": {"schema": schemas[route.body, "validation"]}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _description(route: Route) -> str:
    needs = f"Needs the role {route.role}." if route.role else "Open to all."
    return "\n\n".join(filter(None, (inspect.getdoc(route.handler), needs)))


def _parameters(route: Route, schemas: Schemas) -> Iterator[Schema]:
    text = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    for name in route.placeholders:
        yield {"name": name, "in": "path", "required": True, "schema": text}
    if route.query:
        schema = schemas[route.query, "validation"]
        for name, each in schema["properties"].items():
            parameter: Schema = {"name": name, "in": "query", "required": name in schema.get("required", ())}
            if each.get("description"):
                parameter["description"] = each["description"]
            yield {**parameter, "schema": {key: value for key, value in each.items() if key != "description"}}
    for name, description in route.headers.items():
        yield {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}
    if route.has_etag:
        yield _IF_NONE_MATCH


def _responses(route: Route, schemas: Schemas) -> Schema:
    good: Schema = {"description": "Done." if route.method != "GET" else "What was asked for."}
    if route.answer:
        good["content"] = {route.media_type: {"schema": schemas[route.answer, "serialization"]}}
    elif route.media_type != "application/json":
        good["content"] = {route.media_type: {"schema": {"type": "string"}}}
    found: Schema = {str(route.status): good}
    if route.has_etag:
        good["headers"] = {"ETag": _ETAG}
        found["304"] = {"description": "The client has it already.", "headers": {"ETag": _ETAG}}
    for status in _refusals(route):
        found[str(status)] = _PROBLEM
    return {**found, "default": _PROBLEM}


def _refusals(route: Route) -> Iterator[int]:
    yield 400
    if route.role:
        yield from (401, 403)
    if route.placeholders:
        yield 404
    if route.method != "GET":
        yield 409
    if route.body:
        yield from (413, 415, 422)
    if route.role:
        yield 429
    yield 503


def _schemas(routes: Iterable[Route]) -> tuple[Schemas, Schema]:
    """The schema of each model in each use, and what they refer to."""
    models: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
    queries: list[type[BaseModel]] = []
    for route in routes:
        if route.answer:
            models[route.answer, "serialization"] = None
        if route.body:
            models[route.body, "validation"] = None
        if route.query:
            models[route.query, "validation"] = None
            queries.append(route.query)
    found, rest = models_json_schema(list(models), ref_template="#/components/schemas/{model}")
    components: Schema = rest.get("$defs", {})
    schemas = {use: found[use] for use in models}
    for query in queries:
        # They are laid out as parameters; nothing refers to the whole.
        reference = schemas[query, "validation"].get("$ref")
        if reference:
            schemas[query, "validation"] = components.pop(reference.rpartition("/")[2])
    return schemas, components


def _security(access: AccessSettings) -> Schema:
    found: Schema = {}
    if access.tokens:
        found["token"] = {"type": "http", "scheme": "bearer", "description": "A token that the settings name."}
    if access.backstage:
        found["backstage"] = {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token that Backstage made for a user, or for a plugin that asks for one.",
        }
    if access.oidc:
        address = f"{access.oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
        found["oidc"] = {"type": "openIdConnect", "openIdConnectUrl": address}
    return found
