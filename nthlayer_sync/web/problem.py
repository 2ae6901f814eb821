"""Every refusal as problem+json (RFC 9457): what is wrong, for people and programs, and nothing of our insides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nthlayer_sync.daemon.person import NotAllowed
from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure, InputError, TemporaryError
from nthlayer_sync.sdk.redact import redacted

MEDIA_TYPE = "application/problem+json"
TYPES = "https://nthlayer.dev/problems/"
"""What the `type` of every problem begins with. It is a name, and never changes."""
MOST_ERRORS = 50
"""Errors that one problem lists."""
LONGEST = 1000
"""Characters of one sentence."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Where = Literal["path", "query", "header", "body"]

KINDS: Mapping[int, str] = {
    400: "bad-request",
    401: "login-needed",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    415: "wrong-media-type",
    421: "wrong-host",
    422: "invalid",
    429: "too-many-requests",
    500: "internal-error",
    503: "not-now",
}
"""What the `type` ends with, by status."""


class FieldProblem(BaseModel):
    """What is wrong with one value of a request."""

    where: Where = Field(description="The part of the request that it stands in.")
    pointer: str = Field(description="The value, as a JSON pointer into that part.", examples=["#/refs/0"])
    detail: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why something was refused, or failed (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "title", "status", "detail"]})

    type: str = Field(description="What sort of problem it is; the same text for ever.", examples=[f"{TYPES}not-found"])
    title: str = Field(description="The sort of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here, in a sentence for people.")
    errors: tuple[FieldProblem, ...] | None = Field(default=None, description="What is wrong with single values.")


@dataclass(eq=False)
class Refusal(Exception):
    """Raise it to answer with a problem: `raise Refusal(404, "there is no plan 7")`."""

    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def answer(refusal: Refusal) -> web.Response:
    """The refusal as it goes out."""
    kind = KINDS.get(refusal.status, "")
    problem = Problem(
        type=f"{TYPES}{kind}" if kind else "about:blank",
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=redacted(refusal.detail)[:LONGEST],
        errors=refusal.errors[:MOST_ERRORS] or None,
    )
    headers = {**refusal.headers, "Cache-Control": "no-store"}
    body = problem.model_dump_json(exclude_none=True).encode()
    return web.Response(body=body, status=refusal.status, headers=headers, content_type=MEDIA_TYPE)


def refusal_of(error: Exception) -> Refusal:
    """What to answer where this was raised. What is no failure is a bug: it is logged, and nothing is said of it."""
    match error:
        case Refusal():
            return error
        case web.HTTPException():
            return _of_aiohttp(error)
        case NotAllowed():
            return Refusal(403, str(error))
        case InputError():
            return Refusal(422, str(error))
        case TemporaryError():
            return Refusal(503, str(error), headers={"Retry-After": str(max(1, round(error.delay)))})
        case Failure():
            return Refusal(409, str(error))
        case _:
            log().error("a request failed", exc_info=error)
            return Refusal(500, "something went wrong here; the log says what")


def invalid(where: Where, error: ValidationError, above: tuple[str | int, ...] = ()) -> Refusal:
    """What to answer to values that do not fit their model: 422 for a body, 400 for all else."""
    found = tuple(
        FieldProblem(where=where, pointer=pointer((*above, *each["loc"])), detail=each["msg"][:LONGEST])
        for each in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]
    )
    said = "; ".join(f"{each.pointer[2:] or 'it'}: {each.detail}" for each in found[:3])
    return Refusal(422 if where == "body" else 400, f"the {where} does not fit: {said}", found)


def refused_value(where: Where, name: str, detail: str) -> Refusal:
    """What to answer to one value that does not fit."""
    found = FieldProblem(where=where, pointer=pointer((name,)), detail=detail)
    return Refusal(422 if where == "body" else 400, f"{name}: {detail}", (found,))


def pointer(steps: Iterable[str | int]) -> str:
    """A JSON pointer as a fragment (RFC 6901, 6, without the percent-encoding)."""
    return "#" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever is raised into its problem."""
    try:
        return await handler(request)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if isinstance(error, web.HTTPException) and error.status < 400:
            raise
        return answer(refusal_of(error))


def _of_aiohttp(error: web.HTTPException) -> Refusal:
    allow = error.headers.get("Allow")
    headers = {"Allow": allow} if allow else {}
    sentences = {
        404: "there is nothing at this address",
        405: f"this address takes {allow}",
        413: "the body is too large",
    }
    return Refusal(error.status, sentences.get(error.status, HTTPStatus(error.status).description), headers=headers)
