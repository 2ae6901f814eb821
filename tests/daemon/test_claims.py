"""What becomes of a block whose claims are lost."""

import asyncio

import pytest

from nthlayer_sync.daemon.claims import Lost, keeping
from nthlayer_sync.sdk.work import Topic
from tests.daemon.conftest import Site

LEASE = 0.2


async def test_a_block_that_fails_while_it_is_broken_off_leaves_the_task_as_it_was(site: Site) -> None:
    """A worker that lost its claims once loses them the second time in the same way, and goes on."""
    async with site.house.engine() as engine:
        work = engine.store.work

        async def lose(topic: Topic, error: type[Exception] | None) -> None:
            await work.ask(topic, ["x"], "")
            claims = await work.claim(topic, "one", 1, LEASE)
            async with keeping(work, claims, LEASE, 0.0):  # asked for long ago
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if error:
                        raise error from None
                    raise

        with pytest.raises(ZeroDivisionError):
            await lose(Topic.SUBJECT, ZeroDivisionError)
        with pytest.raises(Lost):
            await lose(Topic.PULL, None)
