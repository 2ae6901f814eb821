"""What holds for the file: it outlives the process, its schema grows, a clock that is set does no harm."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Plan
from nthlayer_sync.sdk.store import Memory
from nthlayer_sync.sdk.work import Claim, Fenced, Topic
from nthlayer_sync.state.sqlite import SqliteStore
from tests.state.rows import OWNER, applied, config, entry, planned, ref, save, wanted

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore(tmp_path / "folder/state.db") as store:
        yield store


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
    await store._file._writer.run(lambda own: own.execute("pragma busy_timeout = 50"))
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
        await store.finish([], {config(n): applied() for n in range(300)})
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


FIRST = Path(__file__).with_name("schema-1.sql")
"""A file as the first version of the schema made it."""


async def test_a_file_of_the_first_schema_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    db = sqlite3.connect(path)
    db.executescript(FIRST.read_text())
    db.execute("pragma user_version = 1")
    db.close()

    async def open_it() -> None:
        async with SqliteStore(path) as store:
            await store.roots()

    await asyncio.gather(*(open_it() for _ in range(5)))  # as when several start with a new version
    async with SqliteStore(path) as store:
        team_wanted, team_applied = (wanted("d", OWNER),), (applied("d", OWNER),)
        assert await store.memories() == {
            ref(1): Memory(b"f", "u1", team_wanted, team_applied),
            ref(2): Memory(b"f", "u2", team_wanted),
        }
        assert [trace.settled for trace in (await store.traces()).values()] == [True, False]
        plan = await store.plan("")
        assert plan is not None
        assert [part.subject async for part in store.parts(plan.id)] == [ref(1), ref(2)]
        assert [(id, part.subject) for id, part in await store.open_parts()] == [(plan.id, ref(2))]
        assert [(line.key, line.done) for line in await store.journal("p")] == [("k1", True), ("k2", False)]
        assert [line.key for line in await store.fenced(await claim(store, ref(2))).journal()] == ["k2"]
        assert await store.written(0) == {scope: {Action.CREATE: 1} for scope in ("", "k/a", OWNER)}
        kept = await store.kept("catalog")
        assert kept is not None
        assert [entity.ref for entity in kept.entities] == [ref(1), ref(2)]
        assert await store.entity_marks("catalog") == {ref(1): 0, ref(2): 0}
        assert (await store.roots(), await store.existing()) == ({"git a": "tree"}, {"": 1, "k/a": 1, OWNER: 1})
        await store.finish([], {config(2): applied("d", OWNER)})
        await save(store, planned(3))


async def claim(store: SqliteStore, key: str, owner: str = "a") -> list[Claim]:
    await store.work.ask(Topic.SUBJECT, [key], "")
    return await store.work.claim(Topic.SUBJECT, owner, 10, 30)


class Clock:
    """A clock that people may set."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


HOUR = 3600


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def set_store(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteStore]:
    async with SqliteStore(tmp_path / "state.db", clock) as store:
        yield store


async def test_a_clock_that_is_set_back_does_not_prolong_a_lease(set_store: SqliteStore, clock: Clock) -> None:
    first = await claim(set_store, "x")
    clock.now -= HOUR
    with pytest.raises(Fenced):
        await set_store.fenced(first).see_roots({"git a": "tree"})
    assert await set_store.work.renew(first, 30) == []  # nobody took it over: it goes on
    await set_store.fenced(first).see_roots({"git a": "tree"})
    clock.now -= HOUR
    [second] = await set_store.work.claim(Topic.SUBJECT, "b", 1, 30)
    assert second.token > first[0].token
    assert await set_store.work.renew(first, 30) == first


async def test_a_clock_that_is_set_back_keeps_nobody_waiting(set_store: SqliteStore, clock: Clock) -> None:
    await set_store.work.ask(Topic.SUBJECT, ["x"], "")
    await set_store.work.ask(Topic.SUBJECT, ["later"], "", delay=60)
    clock.now -= HOUR
    await set_store.work.wait([Topic.SUBJECT], 600)
    found = await set_store.work.claim(Topic.SUBJECT, "a", 10, 30)
    assert [claim.key for claim in found] == ["x", "later"]
    await set_store.work.postpone(found, 60, "no")
    clock.now += 61
    assert len(await set_store.work.claim(Topic.SUBJECT, "a", 10, 30)) == 2


async def test_a_clock_that_is_set_forward_ends_leases_and_loses_nothing(set_store: SqliteStore, clock: Clock) -> None:
    held = await claim(set_store, "x")
    clock.now += HOUR
    with pytest.raises(Fenced):
        await set_store.fenced(held).see_roots({"git a": "tree"})
    assert await set_store.work.renew(held, 30) == []
    await set_store.fenced(held).see_roots({"git a": "tree"})
    clock.now += HOUR
    [again] = await set_store.work.claim(Topic.SUBJECT, "b", 1, 30)
    with pytest.raises(Fenced):
        await set_store.fenced(held).see_roots({"git a": "other"})
    await set_store.work.finish([again])
    assert await set_store.roots() == {"git a": "tree"}


async def test_the_backlog_is_never_younger_than_now(set_store: SqliteStore, clock: Clock) -> None:
    await set_store.work.ask(Topic.SUBJECT, ["x"], "")
    clock.now -= HOUR
    backlog = (await set_store.work.backlog())[Topic.SUBJECT]
    assert (backlog.due, backlog.oldest) == (1, 0.0)


async def test_reading_goes_on_while_a_plan_is_written(store: SqliteStore) -> None:
    """Until it is whole nobody sees it."""
    seen: list[int] = []

    async def rows():
        for n in range(5):
            yield [planned(n)]
            seen.append(len(await store.traces()))

    await store.save_plan(rows(), lambda: Plan(checksum="c" * 32))
    assert seen == [0] * 5
    assert len(await store.traces()) == 5
