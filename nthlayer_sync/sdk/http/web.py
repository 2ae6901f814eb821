"""The connections of this process to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakSet

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http.call import Answer
from nthlayer_sync.sdk.http.manners import Clock, Manners, SystemClock
from nthlayer_sync.sdk.http.tool import Authorize, Reach, Tool
from nthlayer_sync.sdk.spans import span

if TYPE_CHECKING:
    import ssl

    from nthlayer_sync.sdk.http.line import Line


async def nobody() -> Mapping[str, str]:
    """The authorization of a system that lets everybody in."""
    return {}


class Web:
    """All tools of a process share its connections; they are made at the first request, in the loop that runs then."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._line: Line | None = None
        self._tools = WeakSet[Tool]()

    def tool(
        self,
        name: str,
        url: str,
        authorize: Authorize = nobody,
        manners: Manners | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Tool:
        """The way to one system. `url` comes from the settings, never from a catalog; it may have a path.

        `tls` is for a system with certificates of its own.
        """
        reach = Reach(partial(self._send, name, tls), self._clock)
        tool = Tool(name, _base(name, url), authorize, manners or Manners(), reach)
        self._tools.add(tool)
        return tool

    def tools(self) -> list[Tool]:
        """The ways to other systems that are in use, by name; there may be several to one system."""
        return sorted(self._tools, key=lambda tool: tool.name)

    async def close(self) -> None:
        """Ends all connections; the next request would open them anew."""
        if self._line:
            line, self._line = self._line, None
            await line.close()

    async def _send(
        self,
        name: str,
        tls: ssl.SSLContext | None,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        manners: Manners,
    ) -> Answer:
        if self._line is None:
            # Here and no earlier: most commands never ask a system, and aiohttp takes long to load.
            from nthlayer_sync.sdk.http.line import Line

            self._line = Line()
        with span("http call", tool=name, method=method) as call:
            answer = await self._line.send(method, url, headers, body, manners, tls)
            call.note(status=answer.status)
            return answer


def _base(name: str, url: str) -> str:
    """The address without a slash at its end; PermanentError when it is not the address of a system."""
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and not (parts.query or parts.fragment or url.endswith(("?", "#")))
            and url.isascii()
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        usable = False
    if not usable:
        # Not repeated: a password may stand in it.
        raise PermanentError(f"{name}: its url is not the address of a system; write https://host/path, without a user")
    return url.rstrip("/")
