"""A daemon to which nothing happens: it writes nothing, and does not grow.

A tick is a full sync, a poll and an audit. What is measured is a whole process, which also plays the tool: what Python
holds (tracemalloc) and what the system gave it (RSS), both after a collection, and against the RSS after a warm-up.
"""

import asyncio
import ctypes
import gc
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.settings import Settings
from tests.daemon.conftest import until
from tests.faults.live.company import FULL, Company, services, settings_of

TICKS = 1000 if FULL else 40
WARM = 150 if FULL else 20
GROWTH = 0.01
"""Of the memory after the warm-up; 1,000 ticks are a week of full syncs every ten minutes."""
TICK = "0.05s"


class Counted:
    """How often something was called."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.count = 0

    async def __call__(self, *words: Any) -> Any:
        self.count += 1
        return await self._call(*words)


def resident() -> int:
    """Bytes that the process has, once all that can be given back is."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def most() -> tuple[int, int, int]:
    """The most tasks, threads and descriptors there are within a few ticks."""
    found = (0, 0, 0)
    for _ in range(40):
        now = (len(asyncio.all_tasks()), threading.active_count(), descriptors())
        found = tuple(max(pair) for pair in zip(found, now, strict=True))  # type: ignore[assignment]
        await asyncio.sleep(0.01)
    return found


@pytest.mark.timeout(600)
async def test_nothing_happens_and_nothing_grows(tmp_path: Path, sandbox: Sandbox) -> None:
    company = Company(tmp_path, {"pagerduty": settings_of(sandbox.pagerduty)})
    company.says(services(6))
    source: Any = company.source
    looks = source.look = Counted(source.look)
    clocks = {"every": TICK, "poll": TICK, "audit": TICK, "lease": "2s", "grace": "5s", "workers": 2}
    source_of = {"type": "backstage", "name": "catalog", "url": "http://127.0.0.1:9"}
    settings = Settings.model_validate({"organisation": "acme", "sources": [source_of], "serve": clocks})
    async with company.engine() as engine:
        store: Any = engine.store
        daemon = Daemon(engine, store, settings, "one", Metrics(list))
        audits = engine.audit = Counted(engine.audit)  # type: ignore[method-assign]

        async def ticked(ticks: int) -> None:
            looked, audited = looks.count + 2 * ticks, audits.count + ticks
            await until(lambda: past(looks, looked, audits, audited), 500)

        async with daemon.running():
            await until(lambda: made(sandbox, 6))
            await ticked(WARM)
            tracemalloc.start()
            await ticked(5)
            writes, events = len(sandbox.ledger.entries), len(await store.events(0, 100_000))
            busy, rss = await most(), resident()
            traced = tracemalloc.get_traced_memory()[0]
            began = time.monotonic()
            await ticked(TICKS)
            seconds = time.monotonic() - began
            grown = resident() - rss
            kept = tracemalloc.get_traced_memory()[0] - traced
            tracemalloc.stop()
            later = await most()
            print(
                f"{TICKS} ticks in {seconds:.0f} s: Python holds {kept / 1024:+.0f} KiB, RSS {grown / 1024:+.0f} KiB "
                f"of {rss / 2**20:.0f} MiB; tasks, threads and descriptors {busy}, then {later}"
            )
            assert len(sandbox.ledger.entries) == writes
            assert len(await store.events(0, 100_000)) == events
            assert len(await store.runs()) <= 3
            assert kept <= GROWTH * rss
            assert grown <= GROWTH * rss
            assert all(after <= at + 2 for at, after in zip(busy, later, strict=True)), (busy, later)
            assert daemon.health.dead() == {}
    left = {task.get_name() for task in asyncio.all_tasks()}
    assert left.isdisjoint({"leader", "worker 0", "worker 1", "follow", "beat"})


async def past(looks: Counted, looked: int, audits: Counted, audited: int) -> bool:
    return looks.count >= looked and audits.count >= audited


async def made(sandbox: Sandbox, count: int) -> bool:
    return len(sandbox.ledger.committed("", "services")) == count
