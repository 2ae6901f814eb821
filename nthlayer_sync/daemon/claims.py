"""claims: what a replica works on stays its own while it does, and it stops when it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.lease import Lease, lease_until
from nthlayer_sync.sdk.work import Claim, Work

_RENEWALS = 3
"""Renewals in the time of one lease: one may fail, and the next is still in time."""


class Lost(TemporaryError):
    """Another replica has what we worked on."""


@asynccontextmanager
async def keeping(work: Work, claims: Sequence[Claim], lease: float, since: float) -> AsyncGenerator[Lease]:
    """Renew the claims while the block runs; gives the lease that holds for all of them.

    `since` is when they were asked for, by the monotonic clock: a process may stand still between the answer and now.
    The block is cancelled, and Lost raised, when one is lost. Before that happens, no request that writes is sent any
    more: the lease is told to who sends them.
    """
    if (block := asyncio.current_task()) is None:
        raise RuntimeError("claims are kept within a task")
    lost, cancelled = False, block.cancelling()
    with lease_until(since + lease - time.monotonic()) as held:

        def lose() -> None:
            nonlocal lost
            if not lost:
                lost = True
                block.cancel()

        async def renew() -> None:
            while True:
                await asyncio.sleep(lease / _RENEWALS)
                asked = time.monotonic()
                try:
                    gone = await work.renew(claims, lease)
                except TemporaryError as error:
                    log().warning("lease.unrenewed", error=str(error))
                    continue
                if gone:
                    return lose()
                held.extend(asked + lease)

        async def expire() -> None:
            """It runs out also while the store leaves us without an answer, and while the process stands still."""
            while (left := held.left) > 0:  # noqa: ASYNC110 - it is extended while we sleep
                await asyncio.sleep(left)
            lose()

        keepers = [asyncio.create_task(renew()), asyncio.create_task(expire())]
        try:
            yield held
        except asyncio.CancelledError:
            if lost and block.uncancel() <= cancelled:
                raise Lost("the lease ran out, and another replica goes on with it") from None
            raise
        except BaseException:
            if lost:  # something else went wrong while it was broken off
                block.uncancel()
            raise
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.wait(keepers, timeout=lease / _RENEWALS)  # a store that does not answer holds up nobody
