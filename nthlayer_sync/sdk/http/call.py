"""What is asked of a system, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from nthlayer_sync.errors import PermanentError

_PATH = re.compile(r"(?:/(?!(?:\.|%2[eE]){1,2}(?:/|\Z))[A-Za-z0-9\-._~!$&'()*+,;=:@%]*)*\Z")
"""An absolute path of RFC 3986, 3.3, without dot segments."""
_SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_READS = frozenset({"GET", "HEAD"})


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request. At most one of `json`, `form` and `data` is its body; `content_type` says what `data` is.

    `path` is put behind the tool's address and is percent-encoded already: make it with `at`. `safe` says whether
    sending the request twice does no harm; None goes by the method: GET, HEAD, PUT and DELETE do none. `reads` marks a
    request that changes nothing although its method is neither GET nor HEAD, such as a search by POST.
    """

    path: str
    method: str = "GET"
    query: Sequence[tuple[str, str]] = ()
    json: Any = None
    form: Mapping[str, str] | None = None
    data: bytes | None = None
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = {}
    safe: bool | None = None
    reads: bool = False

    def may_repeat(self) -> bool:
        """Whether sending it twice does no harm."""
        return self.is_reading() or (self.method in _SAFE if self.safe is None else self.safe)

    def is_reading(self) -> bool:
        """Whether it changes nothing."""
        return self.reads or self.method in _READS

    def target(self) -> str:
        """Path and query as they are sent."""
        if not _PATH.match(self.path):
            raise PermanentError(f"{self.path[:80]!r} is not the path of a request")
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    def body(self) -> tuple[bytes | None, str]:
        """The bytes to send, and their content type."""
        if self.json is not None:
            return msgspec.json.encode(self.json), "application/json"
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        return self.data, self.content_type


class Answer(msgspec.Struct, frozen=True):
    """An answer that says yes: a status of 2xx, or 304 to a call that came with `If-None-Match`.

    `headers` are found whatever their case. `body` is as large as the manners allow and no larger.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; PermanentError when it is something else, such as a login page or half an answer."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            what = self.headers.get("Content-Type", "no content type")[:80]
            raise PermanentError(
                f"HTTP {self.status} with {len(self.body):,} bytes of {what!r} that are not JSON; is it a login page?"
            ) from None


def at(*segments: str) -> str:
    """The path of these segments, each quoted as a whole; PermanentError for one that would lead elsewhere."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise PermanentError(f"{segment!r} cannot be a part of an address")
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)
