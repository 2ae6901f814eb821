"""What happens to a request before and after its handler: who it is, what it says, and how the answer goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast, get_origin

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from nthlayer_sync.web import etags
from nthlayer_sync.web.problem import FieldProblem, Refusal, Where, invalid, pointer, refused_value
from nthlayer_sync.web.route import LONGEST, Answer, Context, Encoded, Query, Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.web.auth.door import Door

BODY_TIMEOUT = 30.0
"""Seconds in which a body has to be here."""
_NUL = "NUL is no character of a text here"


class Endpoint:
    """One route, as aiohttp calls it."""

    def __init__(self, route: Route, daemon: Daemon, door: Door) -> None:
        self._route = route
        self._daemon = daemon
        self._door = door

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Let in, read, handle, answer."""
        route = self._route
        person = await self._door.admit(request) if route.role else self._door.visitor(request)
        if route.role:
            person.require(route.role, "this")
        context = Context(
            daemon=self._daemon,
            person=person,
            request=request,
            path=_path(request.match_info),
            query=_query(request, route.query),
            body=await _body(request, route.body) if route.body else None,
        )
        answer = await route.handler(context)
        return answer if isinstance(answer, web.StreamResponse) else _sent(request, answer, route)


def _sent(request: web.Request, answer: Answer, route: Route) -> web.Response:
    if answer is None:
        return web.Response(status=route.status, headers={"Cache-Control": "no-store"})
    if isinstance(answer, BaseModel):
        answer = Encoded(answer.model_dump_json(by_alias=True).encode())
    response = web.Response(body=answer.body, status=route.status, headers={"Content-Type": answer.media_type})
    if route.has_etag:
        return etags.conditional(request, response, answer.etag)
    response.headers["Cache-Control"] = "no-store"
    return response


def _path(values: Mapping[str, str]) -> dict[str, str]:
    for name, value in values.items():
        _check("path", name, value)
        if len(value) > LONGEST:
            raise refused_value("path", name, f"it is longer than {LONGEST} characters")
    return dict(values)


def _query(request: web.Request, model: type[Query] | None) -> Query | None:
    given = request.query
    fields = {field.alias or name: field for name, field in model.model_fields.items()} if model else {}
    values: dict[str, str | list[str]] = {}
    for name in dict.fromkeys(given):
        found = given.getall(name)
        for value in (name, *found):
            _check("query", name, value)
        if name not in fields:
            raise refused_value("query", name, "there is no such parameter")
        if get_origin(fields[name].annotation) is tuple:
            values[name] = found
        elif len(found) > 1:
            raise refused_value("query", name, "it can be given once only")
        else:
            values[name] = found[0]
    if model is None:
        return None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid("query", error) from None


async def _body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    if request.content_type != "application/json":
        raise Refusal(415, "the body has to be application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(415, "the body must not be compressed")
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            data = await request.read()
    except TimeoutError:
        raise Refusal(408, f"the body was not here within {BODY_TIMEOUT:g} s") from None
    try:
        # Strict, so that what the schema does not allow is not read as something else.
        body = model.model_validate_json(data, strict=True)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise Refusal(400, "the body is not JSON") from None
        raise invalid("body", error) from None
    if b"\\u0000" in data:
        _without_nul(from_json(data), ())
    return body


def _without_nul(value: object, steps: tuple[str | int, ...]) -> None:
    if isinstance(value, str) and "\0" in value:
        raise Refusal(422, _NUL, (FieldProblem(where="body", pointer=pointer(steps), detail=_NUL),))
    if isinstance(value, dict):
        for key, each in cast(dict[str, object], value).items():
            _without_nul(key, steps)
            _without_nul(each, (*steps, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast(list[object], value)):
            _without_nul(each, (*steps, index))


def _check(where: Where, name: str, value: str) -> None:
    if "\0" in value:
        raise refused_value(where, name.replace("\0", "?"), _NUL)
