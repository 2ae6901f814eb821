"""Asks JSON APIs: bounded in time, size and number of tries, and never led anywhere else than it was told to go.

Every outcome that is not the expected JSON is a `TemporaryError` or a `PermanentError` whose text says what came
instead. The token is resolved for each request and stands in no text.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sources.shape import short

LARGEST_ANSWER = 64 << 20
"""Bytes of one answer, unpacked: a thousand entities with the definitions of their APIs; beyond that, ask for fewer."""
TRIES = 3
"""Requests for one answer, when the others failed in a way that may pass."""
LONGEST_WAIT = 30.0
"""Seconds that a server may make us wait within one read; when it asks for more, the read ends and is tried later."""

Query = Sequence[tuple[str, str]]


class AnswerTooLarge(PermanentError):
    """An answer has more bytes than are read."""


class Refused(PermanentError):
    """The server does not let us in: the token is missing, wrong or too weak."""


class BadRequest(PermanentError):
    """The server does not accept the request as it is."""


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where an API is and how to ask it. `url` comes from the settings, never from a catalog.

    `token` says where the token is: `env:NAME` or `file:PATH`, "" for none. `timeout` (seconds) holds for one request,
    `deadline` for all requests of one read. `pause` is the mean wait before the second try; it doubles for the third.
    """

    url: str
    token: str = ""
    timeout: float = 30.0
    deadline: float = 300.0
    pause: float = 1.0


class Api:
    """One JSON API. Get one from `connected`."""

    def __init__(self, settings: ApiSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session

    async def get(self, path: str, query: Query = ()) -> bytes:
        """The JSON that a GET answers with."""
        return await self._ask("GET", path, query, None)

    async def post(self, path: str, body: object) -> bytes:
        """The JSON that a POST answers with. It must be one that only reads, since it may be sent again."""
        return await self._ask("POST", path, (), msgspec.json.encode(body))

    async def _ask(self, method: str, path: str, query: Query, body: bytes | None) -> bytes:
        refused = False
        for attempt in range(1, TRIES + 1):
            try:
                return await self._ask_once(method, path, query, body)
            except Refused:
                # The token may have been renewed since it was resolved; once is enough to find out.
                if refused or attempt == TRIES:
                    raise
                refused = True
            except TemporaryError as error:
                if attempt == TRIES or error.delay > LONGEST_WAIT:
                    raise
                # Full jitter: many readers that failed together do not come back together.
                jitter = random.uniform(0, self._settings.pause * 2**attempt)  # noqa: S311
                await asyncio.sleep(error.delay + jitter)
        raise AssertionError("the last try returns or raises")

    async def _ask_once(self, method: str, path: str, query: Query, body: bytes | None) -> bytes:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._settings.token:
            headers["Authorization"] = f"Bearer {await resolved(self._settings.token)}"
        try:
            async with self._session.request(
                method,
                self._settings.url.rstrip("/") + path,
                params=query,
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise _failure(response)
                if response.content_type != "application/json":
                    what = response.content_type
                    raise PermanentError(f"HTTP 200 with {short(what)} instead of JSON; is it a login page?")
                return await _bounded(response)
        except TimeoutError:
            raise TemporaryError(f"no whole answer within {self._settings.timeout:g} s", delay=0) from None
        except aiohttp.ClientError as error:
            raise TemporaryError(
                f"the connection failed: {short(str(error) or type(error).__name__)}", delay=0
            ) from None


@asynccontextmanager
async def connected(settings: ApiSettings) -> AsyncGenerator[Api]:
    """The API for the length of one read, which has to end within `settings.deadline`."""
    parts = urlsplit(settings.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise PermanentError(f"{short(settings.url)!r} is not the address of an API; write https://host/path")
    timeout = aiohttp.ClientTimeout(total=settings.timeout)
    try:
        async with (
            asyncio.timeout(settings.deadline),
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            yield Api(settings, session)
    except TimeoutError:
        raise TemporaryError(f"not done within {settings.deadline:g} s") from None


async def resolved(reference: str) -> str:
    """The secret that `env:NAME` or `file:PATH` names."""
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(name, "")
    elif scheme == "file":
        try:
            value = (await asyncio.to_thread(Path(name).read_text)).strip()
        except (OSError, UnicodeDecodeError):
            value = ""
    else:
        raise PermanentError("a token is named by env:NAME or file:PATH; it does not stand in the settings itself")
    if not value.isascii() or not value.isprintable() or not value:
        raise Refused(f"the token {short(reference)} is not there, or empty, or holds characters no token has")
    return value


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise AnswerTooLarge(f"the answer has more than {LARGEST_ANSWER:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _failure(response: aiohttp.ClientResponse) -> Exception:
    status = response.status
    text = f"HTTP {status} {short(response.reason or '')}".rstrip()
    if status in (401, 403):
        return Refused(text)
    if 300 <= status < 400:
        return PermanentError(f"{text}: redirects are not followed; give the final address in the settings")
    if status == 429 or status >= 500 or status in (408, 425):
        return TemporaryError(text, delay=_retry_after(response.headers.get("Retry-After", "")))
    return BadRequest(text) if status in (400, 413, 414) else PermanentError(text)


def _retry_after(text: str) -> float:
    """Seconds from now; 0 when the server says nothing that can be understood (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
