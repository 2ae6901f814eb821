"""Slows down who is refused, so that no number of forgeries takes the time of what else the process does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

RATE = 200.0
"""Refusals a second that are answered, about a fiftieth of one core; honest senders are hardly ever refused."""
BURST = 100
"""Refusals that are answered at once before it brakes: a code host with an old secret may send some."""
PATIENCE = 5.0
"""Seconds that an answer waits at most: so never more than RATE * PATIENCE connections are kept waiting."""
UNIT = 16 << 10
"""Bytes of a body that cost as much as one refusal without any, to receive and to check."""


class Brake:
    """One for all hooks. Refusals queue up for their answers; whoever waits on a connection sends nothing more on it.

    Senders that prove themselves never wait for it. `now` gives seconds.
    """

    def __init__(
        self,
        rate: float = RATE,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._now = now
        self._sleep = sleep
        self._free = now() - BURST / rate

    async def hold(self, received: int = 0) -> bool:
        """Wait for the turn of a refusal that took so many bytes; False, at once, where too many wait already."""
        now = self._now()
        turn = max(self._free, now - BURST / self._rate)
        if turn - now > PATIENCE:
            return False
        self._free = turn + (1 + received / UNIT) / self._rate
        if turn > now:
            await self._sleep(turn - now)
        return True
