"""claims: what a replica works on stays its own while it does, and it stops when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.lease import lease_until
from nthlayer_sync.sdk.work import Claim, Work

_RENEWALS = 3
"""Renewals in the time of one lease: one may fail, and the next is still in time."""


class Lost(TemporaryError):
    """Another replica has what we worked on."""


@asynccontextmanager
async def keeping(work: Work, claims: Sequence[Claim], lease: float) -> AsyncGenerator[None]:
    """Renew the claims, which were just made, while the block runs.

    The block is cancelled, and Lost raised, when one is lost. Before that happens, no request that writes is sent any
    more: the lease is told to who sends them.
    """
    if (block := asyncio.current_task()) is None:
        raise RuntimeError("claims are kept within a task")
    lost = False
    with lease_until(lease) as renewed:

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(lease / _RENEWALS)
                asked = asyncio.get_running_loop().time()
                try:
                    gone = await work.renew(claims, lease)
                except TemporaryError as error:
                    log().warning("lease.unrenewed", error=str(error))
                    if renewed.left > 0:
                        continue
                    gone = list(claims)
                if gone:
                    lost = True
                    block.cancel()
                    return
                renewed.extend(asked + lease)

        keeper = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if lost and block.uncancel() == 0:
                raise Lost("the lease ran out, and another replica goes on with it") from None
            raise
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
