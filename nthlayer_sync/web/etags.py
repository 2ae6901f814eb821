"""An answer that the client has already is not sent again (RFC 9110, 13.1.2)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

from aiohttp import web

CACHE = "private, no-cache"
"""Kept by the one who asked, and asked for again each time."""


def of(body: bytes) -> str:
    """The strong ETag of a body: another body has another one."""
    return f'"{urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()}"'


def conditional(request: web.Request, response: web.Response, etag: str = "") -> web.Response:
    """The response with its ETag; 304 in its place where `If-None-Match` shows that the client has it."""
    assert isinstance(response.body, bytes)
    etag = etag or of(response.body)
    if _has(request, etag):
        response = web.Response(status=304)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = CACHE
    return response


def _has(request: web.Request, etag: str) -> bool:
    # A weak comparison, as the RFC has it for this header: compressing proxies put the W/ before it.
    named = ",".join(request.headers.getall("If-None-Match", ())).split(",")
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in named)
