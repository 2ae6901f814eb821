"""An answer about everything that nobody waits for twice: the last one is shown while the next is being made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH = 2.0
"""Seconds for which an answer is shown as it is."""
OLD = 60.0
"""Seconds after which it is not shown any more."""
PATIENCE = 0.02
"""Seconds that whoever asks waits for the next answer, which is enough where there is not much to count."""
LONGEST = 0.5
"""The same where there is no answer yet."""


class Lately(Generic[T]):
    """What was made lately. Close it before what it is made of is closed."""

    def __init__(self) -> None:
        self._made: tuple[float, T] | None = None
        self._making: asyncio.Task[T] | None = None

    async def get(self, make: Callable[[], Awaitable[T]]) -> T | None:
        """The answer, or the last one; `make` gives it anew. None where there is none yet."""
        age = time.monotonic() - self._made[0] if self._made else OLD
        if self._made and age < FRESH:
            return self._made[1]
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._renewed(make))
        last = self._made[1] if self._made and age < OLD else None
        await asyncio.wait([self._making], timeout=PATIENCE if last is not None else LONGEST)
        return await self._making if self._making.done() else last

    async def close(self) -> None:
        """Make nothing any more."""
        if self._making is not None and not self._making.done():
            self._making.cancel()
            await asyncio.wait([self._making])

    async def _renewed(self, make: Callable[[], Awaitable[T]]) -> T:
        began = time.monotonic()
        value = await make()
        self._made = (began, value)
        return value
