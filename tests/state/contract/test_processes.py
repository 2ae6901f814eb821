"""Replicas in processes of their own, some of which die."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from itertools import pairwise
from pathlib import Path

import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Topic
from tests.state.contract.conftest import Home, pass_time
from tests.state.rows import ref

REPLICA = Path(__file__).with_name("replica.py")


async def start(home: Home, what: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(REPLICA), home.engine, home.address, what, stdout=PIPE, stderr=PIPE
    )


async def output(process: Process) -> str:
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def test_a_killed_replica_is_taken_over(home: Home, store: SharedStore) -> None:
    await store.work.ask(Topic.SUBJECT, [ref(n) for n in range(8)], "sync")
    process = await start(home, "hold")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"held\n"
    with pytest.raises(TemporaryError, match=r"a daemon \(held\) is applying"):
        async with store.applying():
            pass
    assert await store.journal() == []  # it is at work on it
    process.kill()
    await process.communicate()
    assert len(await store.work.claim(Topic.SUBJECT, "me", 100, 60)) == 3
    await pass_time(home, 31)
    claims = await store.work.claim(Topic.SUBJECT, "me", 100, 60)
    assert [claim.key for claim in claims] == [ref(n) for n in range(5)]
    fenced = store.fenced(claims)
    async with asyncio.timeout(20), fenced.applying():
        assert [line.id.subject for line in await fenced.journal()] == [ref(1)]
    async with store.applying():
        pass


async def test_two_processes_never_work_on_one_key_at_once(home: Home, store: SharedStore) -> None:
    names = [f"k{n:03}" for n in range(150)]
    await store.work.ask(Topic.SUBJECT, names, "")
    workers = [await start(home, "work") for _ in range(2)]
    asked = 0
    for _ in range(5):
        await store.work.ask(Topic.SUBJECT, names, "")
        asked += 1
    lines = [line.split() for text in await asyncio.gather(*map(output, workers)) for line in text.splitlines()]
    spans: dict[str, list[tuple[float, float, int]]] = {}
    for key, token, begin, end in lines:
        spans.setdefault(key, []).append((float(begin), float(end), int(token)))
    assert set(spans) == set(names)
    for found in spans.values():
        found.sort()
        assert len(found) <= asked + 1
        for (_, end, token), (begin, _, later) in pairwise(found):
            assert end <= begin
            assert token < later


async def test_many_may_start_together(home: Home) -> None:
    started = await asyncio.gather(*(start(home, "open") for _ in range(5)))
    assert [await output(process) for process in started] == ["open\n"] * 5
    async with home.store() as store:
        assert await store.roots() == {"git a": "tree"}
