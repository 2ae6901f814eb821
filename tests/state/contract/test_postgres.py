"""What holds for the database alone: lost connections, messages, a server that cannot be used."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.plan import Plan
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.state.postgres import PostgresStore
from tests.state.contract.conftest import PostgresHome
from tests.state.rows import entry, planned, ref, save

OTHERS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
CUT = f"select pg_terminate_backend(pid, 10000) {OTHERS}"  # waits until they are gone
LISTENS = f"select 1 {OTHERS} and query ilike 'listen%'"


@pytest.fixture
async def store(postgres: PostgresHome) -> AsyncIterator[PostgresStore]:
    async with postgres.store() as store:
        yield store


async def test_a_lost_connection_is_temporary_and_the_next_goes_on(
    postgres: PostgresHome, store: PostgresStore
) -> None:
    await store.see_roots({"git a": "1"})

    async def rows():
        yield [planned(1)]
        yield [planned(2)]
        yield [planned(3)]
        await postgres.run(CUT)
        yield [planned(4)]

    with pytest.raises(TemporaryError, match="the state in PostgreSQL cannot be used now"):
        await store.save_plan(rows(), lambda: Plan(checksum="c" * 32))
    await store.see_roots({"git a": "2"})
    assert (await store.roots(), await store.traces(), await store.plan("")) == ({"git a": "2"}, {}, None)


async def test_a_lost_turn_writes_nothing_more(postgres: PostgresHome, store: PostgresStore) -> None:
    async def apply() -> None:
        async with store.applying():
            await store.intend([entry(1)])
            await postgres.run(CUT)
            for n in range(2, 9):  # the first may be the one that notices
                with pytest.raises(TemporaryError, match=r"lost|cannot be used now"):
                    await store.intend([entry(n)])

    with pytest.raises(TemporaryError, match="cannot be used now"):
        await apply()
    assert [line.id.subject for line in await store.journal()] == [ref(1)]
    async with store.applying():
        await store.intend([entry(2)])


async def test_who_waits_hears_again_after_a_lost_connection(
    postgres: PostgresHome, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nthlayer_sync.state.postgres.database.LISTEN_AGAIN", 0.0)
    await store.work.wait([Topic.SUBJECT], 0)
    assert await postgres.run(LISTENS)
    await postgres.run(CUT)
    async with asyncio.timeout(20):
        while not await postgres.run(LISTENS):
            with suppress(TemporaryError):
                await store.work.wait([Topic.SUBJECT], 0)


async def test_a_message_wakes_sooner_than_looking(
    postgres: PostgresHome, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nthlayer_sync.state.postgres.work.POLL", 600.0)
    async with postgres.store() as other, asyncio.timeout(20):
        waiting = asyncio.create_task(store.work.wait([Topic.SUBJECT], 600))
        while not await postgres.run(LISTENS):
            pass
        await other.work.ask(Topic.SUBJECT, ["x"], "")
        await waiting


async def test_a_server_that_is_not_there_is_temporary(tmp_path: Any) -> None:
    with pytest.raises(TemporaryError, match="cannot be used now"):
        async with PostgresStore(f"postgresql://nobody@/none?host={tmp_path}"):
            pytest.fail("there is none")


async def test_a_database_that_is_not_there_needs_a_person(postgres: PostgresHome) -> None:
    with pytest.raises(PermanentError, match="does not exist"):
        async with PostgresStore(postgres.address.replace("@/t", "@/none")):
            pytest.fail("there is none")


async def test_a_pooler_gives_no_session(postgres: PostgresHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooler is known by the number it gives a client; then nothing is prepared and nobody listens."""
    monkeypatch.setattr(asyncpg.Connection, "get_server_pid", lambda _: 1)
    async with postgres.store() as store, asyncio.timeout(20):
        await save(store, planned(1))
        async with store.applying():
            await store.intend([entry(1)])
        await store.work.wait([Topic.SUBJECT], 0)
        assert await postgres.run(LISTENS) == []
        await store.work.ask(Topic.SUBJECT, ["x"], "")
        assert len(await store.work.claim(Topic.SUBJECT, "a", 1, 30)) == 1


async def test_a_plan_of_ten_thousand_is_saved_in_seconds(store: PostgresStore) -> None:
    async def chunks():
        for start in range(0, 10_000, 250):
            yield [planned(n) for n in range(start, start + 250)]

    for turn in range(2):
        start = time.monotonic()
        await store.save_plan(chunks(), lambda turn=turn: Plan(checksum=f"{turn:032}"[::-1], subjects=10_000))
        assert time.monotonic() - start < 15  # one or two on a quiet machine
    times: list[float] = []
    for turn in range(50):
        start = time.monotonic()
        await save(store, planned(turn), checksum=f"a{turn:031}")
        times.append(time.monotonic() - start)
    assert statistics.median(times) < 0.1
