"""The time until which a task may write: a process that was stopped must not go on writing with an old right.

Who works in the name of a lease sets it; who is about to send something that writes checks it. The clock goes on while
a process is stopped (CLOCK_MONOTONIC does on Linux).
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from nthlayer_sync.errors import TemporaryError


class Lease:
    """Runs out `seconds` after it was made, unless it is extended."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until it runs out."""
        return self._end - time.monotonic()

    def extend(self, end: float) -> None:
        """Let it run until then, by the monotonic clock."""
        self._end = end


_held: ContextVar[Lease | None] = ContextVar("lease", default=None)


@contextmanager
def lease_until(seconds: float) -> Generator[Lease]:
    """What is done in the block, and in tasks that it starts, holds a lease of so many seconds."""
    lease = Lease(seconds)
    token = _held.set(lease)
    try:
        yield lease
    finally:
        _held.reset(token)


def check_lease() -> None:
    """TemporaryError when the lease that this task holds, if it holds one, has run out."""
    lease = _held.get()
    if lease is not None and lease.left <= 0:
        raise TemporaryError("the time to write has run out before it was sent; it is looked at again", delay=0)
