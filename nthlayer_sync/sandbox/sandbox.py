"""The sandbox: every tool on its port, one ledger, one admin port."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from nthlayer_sync.sandbox.admin import Admin
from nthlayer_sync.sandbox.ledger import Ledger
from nthlayer_sync.sandbox.server import Server
from nthlayer_sync.sandbox.tool import Tool
from nthlayer_sync.sandbox.vendors import TOOLS


class Sandbox:
    """Stand-ins of tools on loopback, while the context lasts. Each tool is an attribute: `sandbox.pagerduty`.

    Args:
        only: The tools to start; all when none is named.
        port: The admin port; the tools' follow it in the order of their names. 0 takes free ports.
        seed: Ids are the same for the same seed.
        empty: Start without the sample organisation.
        clock: Seconds that only go forward: limits and list lag go by them.
        now: The time of day: what tools write in their objects.
    """

    def __init__(
        self,
        only: Sequence[str] = (),
        *,
        port: int = 0,
        seed: str = "",
        empty: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ledger = Ledger()
        self.tools: dict[str, Tool] = {name: TOOLS[name](seed, clock, now) for name in sorted(only or TOOLS)}
        self.admin = Admin(self)
        self._port = port
        self._empty = empty
        self._stack = AsyncExitStack()

    def __getattr__(self, name: str) -> Tool:
        try:
            return self.__dict__["tools"][name]
        except KeyError:
            raise AttributeError(name) from None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self.admin.start(self._port)
            stack.push_async_callback(self.admin.stop)
            ports = sorted(TOOLS)
            for name, tool in self.tools.items():
                server = Server(tool, self.ledger)
                await server.start(self._port + 1 + ports.index(name) if self._port else 0)
                stack.push_async_callback(server.stop)
            self._stack = stack.pop_all()
        # Objects name addresses, so there must be ports first.
        self.reset()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def reset(self) -> None:
        """Everything as at the start: the sample organisation, no faults, an empty ledger."""
        for tool in self.tools.values():
            tool.wipe()
            tool.faults.clear()
            tool.rate = tool.lag = 0.0
            if not self._empty:
                tool.seed_people()
            tool.touched.clear()
        self.ledger.clear()
