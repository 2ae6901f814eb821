"""An answer that is made at most once in a while, however many ask for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """What `make` gave less than `seconds` ago. Who asks while it is being made waits for the same answer."""

    def __init__(
        self, make: Callable[[], Awaitable[T]], seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock
        self._making = asyncio.Lock()
        self._made: tuple[float, T] | None = None

    async def get(self) -> T:
        """The answer."""
        async with self._making:
            if self._made is None or self._clock() - self._made[0] >= self._seconds:
                value = await self._make()
                self._made = (self._clock(), value)
            return self._made[1]
