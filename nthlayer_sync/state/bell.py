"""Wakes who waits for work in the same process."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings for everybody who listens. Take `next` before looking for work, so that no ring is missed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Is set when it rings for the next time."""
        return self._event

    def ring(self) -> None:
        """Wake all."""
        self._event.set()
        self._event = asyncio.Event()


async def heard(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, after so many seconds at the latest."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()
    except TimeoutError:
        pass
