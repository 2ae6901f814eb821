"""A way to the database that a test may cut."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes bytes on between replicas and a server; while it is `cut`, nothing comes through either way."""

    server: str
    """The server's Unix socket."""
    port: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _ways: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Let nothing through from now on; nobody is told."""
        self._open.clear()

    def mend(self, *, reset: bool) -> None:
        """Let everything through again: what was held back, or, with `reset`, only what is connected anew."""
        if reset:
            for way in list(self._ways):
                way.transport.abort()
        self._open.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        self._open.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.mend(reset=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ways.add(writer)
        try:
            await self._open.wait()
            there, back = await asyncio.open_unix_connection(self.server)
            self._ways.add(back)
            with suppress(asyncio.CancelledError):
                await asyncio.wait(
                    [asyncio.ensure_future(self._pass(reader, back)), asyncio.ensure_future(self._pass(there, writer))],
                )
            self._ways.discard(back)
        except OSError:
            writer.transport.abort()
        self._ways.discard(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
