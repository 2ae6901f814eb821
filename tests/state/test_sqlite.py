"""The promises of the store: durable, whole, one writer at a time, and honest about a file that it cannot use."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.plan import Applied, Change, Part, Plan, Wanted
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.sdk.store import Absence, Entry, Kept, Memory, Planned
from nthlayer_sync.state.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


def ref(n: int) -> EntityRef:
    return entity_ref("component", f"s{n:04}")


def wanted(digest: str = "d") -> Wanted:
    return Wanted("k/a", "", digest, Place("root", "x"))


def applied(digest: str = "d") -> Applied:
    return Applied("k/a", "", digest, Place("root", "x"), "r", "s")


def planned(n: int, action: Action | None = Action.CREATE) -> Planned:
    part = Part(ref(n), (Change("k/a", "", action, "d", Place("root", "x"), ""),)) if action else None
    return Planned(ref(n), Memory(b"f", f"u{n}", (wanted(),)), part)


async def save(store: SqliteStore, *rows: Planned, checksum: str = "c" * 32) -> Plan:
    async def chunks() -> AsyncIterator[Sequence[Planned]]:
        for row in rows:
            yield [row]

    return await store.save_plan(chunks(), lambda: Plan(checksum=checksum, subjects=len(rows)))


def entry(n: int, plan: str = "p", **words: object) -> Entry:
    return Entry(
        key=f"k{n}", plan=plan, id=ConfigId("k/a", ref(n)), action=Action.CREATE, place=Place("root", "x"), before="",
        **words,
    )  # fmt: skip


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore(tmp_path / "folder/state.db") as store:
        yield store


async def test_a_plan_comes_back_whole_and_in_order(store: SqliteStore) -> None:
    rows = [planned(n) for n in (*range(10, 1200), *range(10))]
    plan = await save(store, *rows)
    assert await store.plan(plan.id) == plan == await store.plan("")
    assert [part.subject async for part in store.parts(plan.id)] == sorted(row.subject for row in rows)
    assert len(await store.traces()) == 1200
    assert await store.unsettled() == 1200
    assert await store.plan("nobody") is None


async def test_planning_never_says_what_is_applied(store: SqliteStore) -> None:
    await save(store, planned(1))
    await store.finish([], {ConfigId("k/a", ref(1)): applied()})
    await save(store, planned(1, None))
    assert (await store.memories())[ref(1)].applied == (applied(),)
    forged = msgspec.structs.replace(planned(1), memory=Memory(b"f", "", (wanted(),), (applied("another"),)))
    await save(store, forged)
    assert (await store.memories())[ref(1)].applied == (applied(),)


async def test_a_new_name_takes_over_what_is_applied(store: SqliteStore) -> None:
    await save(store, planned(1))
    await store.finish([], {ConfigId("k/a", ref(1)): applied()})
    renamed = Planned(ref(2), Memory(b"f", "u1", (wanted(),), (applied(),)), None)
    await save(store, renamed, Planned(ref(1), None, None))
    assert {name: memory.applied for name, memory in (await store.memories()).items()} == {ref(2): (applied(),)}


async def test_settled_is_what_is_wanted_and_applied_alike(store: SqliteStore) -> None:
    await save(store, planned(1), planned(2), planned(3, Action.KEEP))
    await store.finish([], {ConfigId("k/a", ref(n)): applied() for n in (1, 3)})
    traces = await store.traces([ref(1), ref(2), ref(3)])
    assert [traces[ref(n)].settled for n in (1, 2, 3)] == [True, False, False]
    await store.finish([], {ConfigId("k/a", ref(2)): applied("another")})
    assert not (await store.traces())[ref(2)].settled


async def test_what_is_neither_wanted_nor_applied_is_forgotten(store: SqliteStore) -> None:
    await save(store, planned(1))
    await store.finish([], {ConfigId("k/a", ref(1)): applied()})
    await save(store, Planned(ref(1), Memory(b"f"), None))
    await store.finish([], {ConfigId("k/a", ref(1)): None})
    assert await store.traces() == {}


async def test_a_plan_that_fails_half_way_leaves_nothing(store: SqliteStore) -> None:
    async def rows() -> AsyncIterator[Sequence[Planned]]:
        yield [planned(1)]
        yield [planned(2)]
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError):
        await store.save_plan(rows(), lambda: Plan(checksum="x" * 32))
    assert (await store.traces(), await store.plan("")) == ({}, None)
    await save(store, planned(3))
    assert set(await store.traces()) == {ref(3)}


async def test_a_plan_that_is_cancelled_leaves_nothing(store: SqliteStore) -> None:
    started = asyncio.Event()

    async def rows() -> AsyncIterator[Sequence[Planned]]:
        yield [planned(1)]
        started.set()
        await asyncio.Event().wait()
        yield []

    task = asyncio.create_task(store.save_plan(rows(), lambda: Plan(checksum="x" * 32)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.traces() == {}
    await save(store, planned(2))


async def test_old_plans_go_with_their_parts(store: SqliteStore) -> None:
    for n in range(25):
        await save(store, planned(n), checksum=f"{n:032}")
    assert await store.plan(f"{0:012}") is None or n
    db = sqlite3.connect(store.path)
    assert db.execute("select count(*), (select count(distinct plan) from part) from plan").fetchone() == (20, 20) or (
        db.execute("select count(*) from plan").fetchone()[0] <= 20
    )
    db.close()


async def test_the_journal_opens_closes_and_forgets(store: SqliteStore) -> None:
    await store.intend([entry(1), entry(2), entry(3)])
    assert [e.key for e in await store.journal()] == ["k1", "k2", "k3"]
    await store.finish([msgspec.structs.replace(entry(1), after="r", done=True)], {})
    await store.forget_entries([entry(2)])
    assert [e.key for e in await store.journal()] == ["k3"]
    assert [(e.key, e.after) for e in await store.journal("p")] == [("k1", "r"), ("k3", "")]
    assert await store.runs() == [("p", 2)]


async def test_what_a_source_said_comes_back(store: SqliteStore) -> None:
    entities = tuple(Entity(ref=ref(n), kind="Component", name=f"s{n}", spec={"a": [1, None]}) for n in range(3))
    kept = Kept(read_digest="d", entities=entities, absent={ref(9): Absence(1.5, 1)}, high_water=3)
    assert await store.kept("catalog") is None
    await store.keep("catalog", kept)
    assert await store.kept("catalog") == kept
    assert await store.read_digests() == {"catalog": "d"}
    await store.keep("catalog", msgspec.structs.replace(kept, entities=entities[:1]), changed=[ref(1), ref(2)])
    found = await store.kept("catalog")
    assert found is not None
    assert found.entities == entities[:1]
    await store.drop("catalog")
    assert (await store.kept("catalog"), await store.read_digests()) == (None, {})


async def test_it_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    script = (
        "import asyncio, os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from nthlayer_sync.state.sqlite import SqliteStore\n"
        "async def main():\n"
        "    async with SqliteStore(Path(sys.argv[1])) as store:\n"
        "        await store.see_roots({'git a': 'tree'})\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script, str(path), str(ROOT)], check=False)
    assert done.returncode == -9
    async with SqliteStore(path) as store:
        assert await store.roots() == {"git a": "tree"}


async def test_two_stores_on_one_file_take_turns(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "state.db") as one, SqliteStore(tmp_path / "state.db") as other:
        await asyncio.gather(*(
            save(store, *(planned(n) for n in range(first, first + 50)), checksum=f"{first:032}")
            for first, store in ((0, one), (50, other), (100, one), (150, other))
        ))  # fmt: skip
        assert len(await one.traces()) == 200


async def test_many_may_make_the_file_at_once(tmp_path: Path) -> None:
    async def make() -> None:
        async with SqliteStore(tmp_path / "state.db") as store:
            await store.see_roots({"git a": "tree"})

    await asyncio.gather(*(make() for _ in range(16)))


async def test_a_lock_that_is_held_for_long_is_temporary(store: SqliteStore) -> None:
    db = sqlite3.connect(store.path, isolation_level=None)
    await store._run(lambda own: own.execute("pragma busy_timeout = 50"))
    db.execute("begin immediate")
    with pytest.raises(TemporaryError, match="another process is writing"):
        await store.see_roots({"git a": "tree"})
    with pytest.raises(TemporaryError, match="another process is writing"):
        await save(store, planned(1))
    db.execute("rollback")
    db.close()
    await save(store, planned(1))


async def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with SqliteStore(path) as store:
        await store.see_roots({"git a": "tree"})
    db = sqlite3.connect(path)
    db.execute("pragma user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(PermanentError, match="schema 99"):
        async with SqliteStore(path):
            pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("bytes_", [b"hello, I am no database" * 999, b"SQLite format 3\0" + b"\xff" * 9000])
async def test_a_file_that_is_no_database_is_refused_with_advice(tmp_path: Path, bytes_: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(bytes_)
    with pytest.raises(PermanentError, match="restore a copy, or remove the file"):
        async with SqliteStore(path):
            pass
    assert path.read_bytes() == bytes_


async def test_a_damaged_file_says_so_or_tells_the_truth(tmp_path: Path) -> None:
    """Bytes are flipped all over the file: each time it either opens and gives what was stored, or is refused."""
    path = tmp_path / "state.db"
    async with SqliteStore(path) as store:
        await save(store, *(planned(n) for n in range(300)))
        await store.finish([], {ConfigId("k/a", ref(n)): applied() for n in range(300)})
        truth = {r: m.applied for r, m in (await store.memories()).items()}
    whole = path.read_bytes()
    refused = 0
    for at in range(50, len(whole), len(whole) // 150):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
        try:
            async with SqliteStore(path) as store:
                found = {r: m.applied for r, m in (await store.memories()).items()}
        except PermanentError as error:
            assert "damaged" in str(error) or "cannot be used" in str(error)  # noqa: PT017
            refused += 1
        else:
            assert found == truth
        for rest in ("state.db-wal", "state.db-shm"):
            (tmp_path / rest).unlink(missing_ok=True)
    assert refused > 20


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_said_and_loses_nothing(store: SqliteStore) -> None:
    await save(store, *(planned(n) for n in range(200)))
    size = max(path.stat().st_size for path in store.path.parent.iterdir())
    with full_disk(size + 8192):
        with pytest.raises(PermanentError, match="cannot be written"):
            await save(store, *(planned(n) for n in range(200, 9000)), checksum="e" * 32)
        with pytest.raises(PermanentError, match="cannot be written"):
            await store.intend([entry(n) for n in range(9000)])
    assert len(await store.traces()) == 200
    assert await store.journal() == []
    await save(store, *(planned(n) for n in range(200, 400)), checksum="e" * 32)
    assert len(await store.traces()) == 400


async def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "folder/state.db"
    async with SqliteStore(path) as store:
        await store.see_roots({"git a": "tree"})
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(PermanentError, match=str(path)):
            async with SqliteStore(path) as store:
                await store.see_roots({"git a": "other"})
        with pytest.raises(PermanentError, match="cannot be used"):
            async with SqliteStore(tmp_path / "folder/below/state.db"):
                pass
    finally:
        if root:
            os.seteuid(0)
        path.parent.chmod(0o755)
    async with SqliteStore(path) as store:
        assert await store.roots() == {"git a": "tree"}
