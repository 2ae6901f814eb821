"""The state file is shared, lost, damaged, replaced, too new, or cannot grow, while a daemon runs or before it does."""

import asyncio
import random
import resource
import shutil
import sqlite3
from contextlib import closing

import pytest

from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.state.sqlite import SqliteStore
from tests.faults.daemon.crew import Crew, until
from tests.faults.daemon.judge import Judge, as_it_should_be, converged, live
from tests.faults.live.company import FULL

SIX = {f"s{number:05}": "hello" for number in range(6)}
TWELVE = {f"s{number:05}": "hello" for number in range(12)}
LATER = TWELVE | {"s00002": "changed", "s00007": "changed", "s00012": "new"}


async def shown(crew: Crew, sandbox: Sandbox, seconds: float = 20.0) -> None:
    """Wait until the sandbox shows what the catalog says, whatever the state is."""

    async def same() -> bool:
        return live(sandbox)[0] == crew.said

    await until(same, seconds, "it is as the catalog says")


async def test_two_daemons_on_one_file(file_crew: Crew, sandbox: Sandbox, judge: Judge) -> None:
    """Row 31: started together, one leads; each subject has one writer at a time, also when one is killed."""
    crew = file_crew
    crew.says(TWELVE)
    await crew.start("one", "two")
    await converged(crew, sandbox, 30)
    for turn in range(12):
        crew.says(TWELVE | dict.fromkeys(random.sample(sorted(TWELVE), 3), f"turn {turn}"))
        await crew.call()
        await asyncio.sleep(0.15)
        if turn == 6:
            await crew.kill("one")
            await crew.start("one")
    await converged(crew, sandbox, 20)
    before = len(judge.writes)
    await crew.stop("one", "two")
    assert len(judge.writes) == before
    await judge.one_writer()
    await judge.one_leader((crew.folder / "looks").read_text())
    assert judge.deletes == []


@pytest.fixture
async def settled(file_crew: Crew, sandbox: Sandbox) -> Crew:
    """One daemon with twelve services; `older.db` is a copy of its state from when there were six."""
    crew = file_crew
    crew.serve |= {"every": "1s", "audit": "2s"}
    crew.says(SIX)
    await crew.start("one")
    await converged(crew, sandbox, 20)
    with closing(sqlite3.connect(crew.folder / "older.db")) as copy, state_of(crew) as state:
        state.backup(copy)
    crew.says(TWELVE)
    await crew.call()
    await converged(crew, sandbox, 20)
    await crew.store.__aexit__()  # the daemon has the file to itself
    return crew


def state_of(crew: Crew) -> closing[sqlite3.Connection]:
    """The state, as any other program may open it."""
    return closing(sqlite3.connect(crew.folder / "state.db", isolation_level=None))


def delete(crew: Crew) -> None:
    for path in crew.folder.glob("state.db*"):
        path.unlink()


def flip(crew: Crew) -> None:
    """Bits all over the file, but for its first page: without that it is no database at all."""
    path = crew.folder / "state.db"
    with state_of(crew) as state:
        state.execute("pragma wal_checkpoint(truncate)")
    data = bytearray(path.read_bytes())
    dice = random.Random(35)
    for _ in range(400):
        data[dice.randrange(4096, len(data))] ^= 1 << dice.randrange(8)
    with path.open("r+b") as file:
        file.write(data)


def replace(crew: Crew) -> None:
    """An older copy, put in its place as people do."""
    for path in crew.folder.glob("state.db-*"):
        path.unlink()
    (crew.folder / "state.db").unlink()
    shutil.copy(crew.folder / "older.db", crew.folder / "state.db")


def overwrite(crew: Crew) -> None:
    """An older copy, written over it."""
    with (crew.folder / "state.db").open("r+b") as file:
        file.write((crew.folder / "older.db").read_bytes())
        file.truncate()


WAYS = [(when, damage) for when in ("running", "stopped") for damage in (delete, flip, replace, overwrite)]
if not FULL:
    WAYS = [("running", delete), ("running", overwrite), ("stopped", flip), ("stopped", replace)]


@pytest.mark.parametrize(("when", "damage"), WAYS, ids=lambda way: getattr(way, "__name__", way))
async def test_a_state_that_is_lost_or_old_deletes_nothing(
    settled: Crew, sandbox: Sandbox, judge: Judge, when: str, damage
) -> None:
    """Row 33: it goes on, or says what is wrong and what to do; nothing is deleted, and nothing made twice."""
    crew = settled
    if when == "stopped":
        await crew.stop("one")
        damage(crew)
        crew.says(LATER)
    else:
        damage(crew)
        crew.says(LATER)
        looked = crew.looks()

        async def on() -> bool:
            return crew.looks() > looked + 1 or crew.nursery.has_ended(crew.pids["one"])

        await until(on, 20, "it looks at the catalog again, or ends")
        await asyncio.sleep(0.5)
        if not crew.nursery.has_ended(crew.pids["one"]):
            await crew.kill("one")
    await crew.start("one")
    code = await refused(crew)
    if code is not None:
        assert code == 1
        assert "restore a copy, or remove the file" in crew.log("one")
        delete(crew)
        await crew.start("one")
    async with SqliteStore(crew.folder / "state.db") as store:

        async def right() -> bool:
            services, _ = live(sandbox)
            theirs = {name: text for name, text in services.items() if text != crew.said.get(name)}
            assert theirs.keys() <= {"s00002", "s00007"}, "what nobody remembers to have written may be somebody's edit"
            try:
                await as_it_should_be(sandbox, store, crew.said | theirs, kept=len(theirs))
            except AssertionError:
                return False
            return True

        await until(right, 20, "what is there is known again, and what is new is made")
    assert judge.deletes == []
    await crew.stop("one")


async def refused(crew: Crew) -> int | None:
    """The code with which a replica that just started ends, None when it runs."""
    pid = crew.pids["one"]

    async def known() -> bool:
        return (crew.folder / "one.up").exists() or crew.nursery.has_ended(pid)

    await until(known, 20, "it runs or does not")
    return await crew.nursery.ended(pid) if crew.nursery.has_ended(pid) else None


async def test_a_state_of_a_newer_version_is_refused(settled: Crew, sandbox: Sandbox, judge: Judge) -> None:
    """Row 42: the daemon says so, and neither writes nor touches the file."""
    crew = settled
    await crew.stop("one")
    with state_of(crew) as state:
        state.execute("pragma user_version = 99")
    before, writes = (crew.folder / "state.db").read_bytes(), len(judge.writes)
    crew.says(LATER)
    await crew.start("one")
    assert await refused(crew) == 1
    assert "the state has schema 99" in crew.log("one")
    assert (crew.folder / "state.db").read_bytes() == before
    assert len(judge.writes) == writes


async def test_a_database_of_a_newer_version_is_refused(crew: Crew, judge: Judge) -> None:
    await crew.home.run("insert into schema_version values (99)")
    crew.says(SIX)
    await crew.start("one")
    assert await refused(crew) == 1
    assert "the state has schema 99" in crew.log("one")
    assert judge.writes == []


@pytest.mark.parametrize("limit", ["disk", "descriptors"])
async def test_no_room(settled: Crew, sandbox: Sandbox, judge: Judge, limit: str) -> None:
    """Row 32: it says what is wrong, lives, and goes on once there is room."""
    crew = settled
    pid = crew.pids["one"]
    if limit == "disk":
        what, most = resource.RLIMIT_FSIZE, max(path.stat().st_size for path in crew.folder.glob("state.db*"))
    else:
        what, most = resource.RLIMIT_NOFILE, 1
    before = resource.prlimit(pid, what, (most, resource.prlimit(pid, what)[1]))
    crew.says(LATER | {f"s{number:05}": "more" for number in range(20, 60)})
    said = "cannot be written" if limit == "disk" else "Too many open files"

    async def told() -> bool:
        return said in crew.log("one")

    await until(told, 20, f"it says: {said}")
    await asyncio.sleep(1.0)
    assert not crew.nursery.has_ended(pid)
    resource.prlimit(pid, what, before)
    await shown(crew, sandbox)
    async with SqliteStore(crew.folder / "state.db") as store:
        crew.store = store
        await converged(crew, sandbox, 30)
    assert judge.deletes == []
    await crew.stop("one")
    assert len(crew.log("one")) < 1 << 20, "it says so, and does not cry"
