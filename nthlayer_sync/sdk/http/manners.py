"""How hard a system may be asked, and by which clock."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import msgspec


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """What a system bears and how long we wait for it. Each system has its own; take the figures from its manual."""

    rate: float = 10.0
    """Requests a second; `math.inf` for no limit. After a 429 it falls, and recovers from there."""
    burst: int = 1
    """Requests that may go at once after a silence. More than a fifth of `rate` lets recovery overshoot."""
    at_once: int = 8
    """Requests under way at a time."""
    timeout: float = 30.0
    """Seconds for one request and its whole answer."""
    tries: int = 4
    """Requests for one answer, when the others failed in a way that may pass."""
    pause: float = 1.0
    """Mean seconds before the second try; it doubles with each, with full jitter."""
    longest_wait: float = 60.0
    """Seconds that a system may make one call wait; when it asks for more, the call fails and is for later."""
    largest_answer: int = 64 << 20
    """Bytes of one answer, unpacked."""
    trip: int = 10
    """Failures in a row, of any calls, after which the system is left alone."""
    rest: float = 30.0
    """Seconds that it is left alone before one call tries it again."""
    read_only: bool = False
    """Refuse every call that may change something."""


class Clock(Protocol):
    """Time as the waiting sees it: seconds that only ever grow."""

    def now(self) -> float:
        """The present moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after that long."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """The present moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Come back after that long."""
        await asyncio.sleep(seconds)
