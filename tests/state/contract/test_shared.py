"""What replicas and people share: runs, events, notes; and the schema under it."""

import asyncio
import time

import msgspec
import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.run import Event, Run, RunState
from nthlayer_sync.sdk.store import SharedStore
from tests.state.contract.conftest import Home
from tests.state.rows import ref


def run(n: int, **words: object) -> Run:
    return Run(id=f"2026-{n:03}", trigger="sync", replica="a", started=float(n), **words)


def event(n: int) -> Event:
    return Event(at=float(n), name="run.ended", subject=ref(n), text=f"event {n}")


async def test_a_run_is_remembered_in_place_of_itself(store: SharedStore, other: SharedStore) -> None:
    assert await store.run("2026-001") is None
    await store.save_run(run(1))
    assert await other.run("2026-001") == run(1)
    ended = run(1, state=RunState.DONE, outcomes={"done": 3}, subjects=(ref(1),))
    await store.save_run(ended)
    assert await other.runs() == [ended]


async def test_runs_come_newest_first(store: SharedStore) -> None:
    for n in (2, 1, 3, 4):
        await store.save_run(run(n))
    assert await store.runs(limit=2) == [run(4), run(3)]
    assert await store.runs(before="2026-003") == [run(2), run(1)]


async def test_old_runs_go(store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ("sqlite", "postgres"):
        monkeypatch.setattr(f"nthlayer_sync.state.{engine}.store.RUNS_KEPT", 3)
    for n in range(6):
        await store.save_run(run(n, state=RunState.DONE))
    assert [run.id for run in await store.runs()] == ["2026-005", "2026-004", "2026-003"]


async def test_events_are_numbered_in_order(store: SharedStore, other: SharedStore) -> None:
    await store.record([event(1), event(2)])
    await other.record([event(3)])
    await store.record([])
    found = await other.events(0)
    assert [msgspec.structs.replace(each, number=0) for each in found] == [event(1), event(2), event(3)]
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    assert await store.events(numbers[0], 1) == found[1:2]
    assert await store.events(numbers[-1]) == []
    assert await store.events(-1, 2) == found[1:]


async def test_who_follows_events_misses_none(store: SharedStore, other: SharedStore) -> None:
    """A number that shows up after a higher one would be missed."""
    done = asyncio.Event()
    seen: list[int] = []

    async def follow() -> None:
        while not done.is_set() or seen[-1:] != [event.number for event in await store.events(-1, 1)]:
            seen.extend(event.number for event in await store.events(seen[-1] if seen else 0))

    async def write(replica: SharedStore) -> None:
        for n in range(25):
            await replica.record([event(n), event(n)])

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(replica) for replica in (store, other, store, other)))
    done.set()
    await following
    assert len(seen) == 200


async def test_old_events_go_and_numbers_go_on(store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ("sqlite", "postgres"):
        monkeypatch.setattr(f"nthlayer_sync.state.{engine}.store.EVENTS_KEPT", 3)
    for n in range(3):
        await store.record([event(n), event(n)])
    found = await store.events(0)
    assert [each.at for each in found] == [1, 2, 2]
    assert [each.number for each in found] == [4, 5, 6]


async def test_a_note_holds_until_it_is_taken_back_or_runs_out(store: SharedStore, other: SharedStore) -> None:
    later = time.time() + 600
    assert await store.pin("pause", "x", b"1", later)
    assert await store.pin("pause", "x", b"2", later)
    await store.pin("pause", "y", b"3", later)
    await store.pin("approval", "x", b"4", later)
    await store.pin("pause", "old", b"5", time.time() - 1)
    await store.pin("pause", "ever", b"6", float("inf"))
    assert await other.notes("pause") == {"x": b"2", "y": b"3", "ever": b"6"}
    await other.unpin("pause", ["x", "nobody", "ever"])
    assert await store.notes("pause") == {"y": b"3"}
    assert await store.notes("approval") == {"x": b"4"}
    assert await store.notes("seen") == {}


async def test_a_note_that_is_there_stays(store: SharedStore, other: SharedStore) -> None:
    later = time.time() + 600
    assert await store.pin("seen", "x", b"1", later, replace=False)
    assert not await other.pin("seen", "x", b"2", later, replace=False)
    assert await store.notes("seen") == {"x": b"1"}
    assert await store.pin("seen", "gone", b"1", time.time() - 1)
    assert await store.pin("seen", "gone", b"2", later, replace=False)
    said = await asyncio.gather(*(r.pin("seen", "race", b"", later, replace=False) for r in (store, other) * 5))
    assert sorted(said) == [False] * 9 + [True]


async def test_a_newer_schema_is_refused(home: Home) -> None:
    async with home.store() as store:
        await store.see_roots({"git a": "tree"})
    newer = "pragma user_version = 99" if home.engine == "sqlite" else "insert into schema_version values (99)"
    await home.run(newer)
    with pytest.raises(PermanentError, match="the state has schema 99, and this version knows 2: use a newer one"):
        async with home.store():
            pytest.fail("it is newer")
    assert await home.run("select name, state from root") == [("git a", "tree")]


async def test_a_store_opens_again_with_what_it_held(home: Home) -> None:
    for turn in range(3):
        async with home.store() as store:
            await store.see_roots({f"git {turn}": "tree"})
            assert len(await store.roots()) == turn + 1
