"""Asks the JSON APIs that facts come from, over `sdk/http`; whatever is not the expected JSON is a failure."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Authorize, Call, Manners, Tool, Web, nobody
from nthlayer_sync.sources.shape import short

LARGEST_ANSWER = 64 << 20
"""Bytes of one answer, unpacked: a thousand entities with the definitions of their APIs; beyond that, ask for fewer."""
TRIES = 3
"""Requests for one answer, when the others failed in a way that may pass."""
LONGEST_WAIT = 30.0
"""Seconds that a server may make us wait within one read; when it asks for more, the read ends and is tried later."""

Query = Sequence[tuple[str, str]]


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where an API is and how to ask it. `url` comes from the settings, never from a catalog.

    `authorize` is what lets us in. `timeout` (seconds) holds for one request, `deadline` for all requests of one
    read. `pause` is the mean wait before the second try; it doubles for the third.
    """

    url: str
    authorize: Authorize = nobody
    timeout: float = 30.0
    deadline: float = 300.0
    pause: float = 1.0


class Api:
    """One JSON API. Get one from `connected`."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool

    async def get(self, path: str, query: Query = ()) -> bytes:
        """The JSON that a GET answers with."""
        return await self._ask(Call(path=path, query=query))

    async def post(self, path: str, body: object) -> bytes:
        """The JSON that a POST answers with. It must be one that only reads, since it may be sent again."""
        return await self._ask(Call(method="POST", path=path, json=body, reads=True))

    async def _ask(self, call: Call) -> bytes:
        answer = await self._tool.ask(call)
        what = answer.headers.get("Content-Type", "")
        if answer.status != 200 or what.partition(";")[0].strip().lower() != "application/json":
            raise PermanentError(f"HTTP {answer.status} with {short(what)!r} instead of JSON; is it a login page?")
        return answer.body


@asynccontextmanager
async def connected(settings: ApiSettings) -> AsyncGenerator[Api]:
    """The API for the length of one read, which has to end within `settings.deadline`."""
    # Without a rate: a read asks for one page after the other.
    manners = Manners(
        rate=math.inf,
        timeout=settings.timeout,
        tries=TRIES,
        pause=settings.pause,
        longest_wait=LONGEST_WAIT,
        largest_answer=LARGEST_ANSWER,
        read_only=True,
    )
    web = Web()
    tool = web.tool("the catalog", settings.url, settings.authorize, manners)
    try:
        async with asyncio.timeout(settings.deadline):
            yield Api(tool)
    except TimeoutError:
        raise TemporaryError(f"not done within {settings.deadline:g} s") from None
    finally:
        await web.close()
