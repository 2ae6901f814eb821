"""The state file is lost, old or shared; the repository moves, is rewritten or refuses: nothing is lost or doubled.

NTHLAYER_MEGABYTES sets how large a large repository is.
"""

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.run import Request
from nthlayer_sync.errors import Failure
from tests.faults.house import House, deletes, git, says, service

MEGABYTES = int(os.environ.get("NTHLAYER_MEGABYTES", "8"))


@pytest.fixture
async def house(tmp_path: Path) -> House:
    """Six services, settled."""
    house = House(tmp_path)
    house.build()
    house.catalog.said = says([service(f"s{n}") for n in range(6)])
    await house.run()
    return house


def forget(house: House) -> None:
    for path in house.folder.glob("state.db*"):
        path.unlink()


def commits(house: House) -> int:
    return int(git("rev-list", "--count", "nthlayer-sync", cwd=house.remote))


async def test_a_lost_state_file_is_rebuilt_from_what_is_live(house: House) -> None:
    before = house.files()
    forget(house)
    plan, changes = await house.plan()
    assert {str(change.action) for change in changes.values()} == {"adopt"}
    assert plan.writes == 0
    await house.run()
    assert (await house.plan())[0].counts == {}
    assert (house.files(), commits(house)) == (before, 1)


async def test_without_memory_nothing_is_deleted_or_overwritten(house: House) -> None:
    forget(house)
    house.catalog.said = says([service("s0"), service("s1", "changed")])
    plan, changes = await house.plan()
    assert deletes(plan) == 0
    assert changes["s1 notes/whole"].action == "keep"
    await house.run()
    assert house.names() == {f"s{n}" for n in range(6)}
    assert commits(house) == 1


async def test_an_older_copy_of_the_state_file(house: House, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    shutil.copy(house.folder / "state.db", old)
    later = [service("s0", "changed"), *(service(f"s{n}") for n in range(1, 8))]
    house.catalog.said = says(later)
    await house.run()
    before = house.files()
    forget(house)
    shutil.copy(old, house.folder / "state.db")
    _, changes = await house.plan()
    assert {str(change.action) for change in changes.values()} == {"adopt"}
    assert len(changes) == 5
    await house.run()
    assert (await house.plan())[0].counts == {}
    assert (house.files(), commits(house)) == (before, 2)


async def test_lost_mirrors_are_fetched_again(house: House) -> None:
    shutil.rmtree(house.folder / "cache")
    assert (await house.plan())[0].counts == {}


async def test_two_at_once_write_each_change_once(house: House) -> None:
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(9)])
    done = await asyncio.gather(*(house.run() for _ in range(3)), return_exceptions=True)
    assert [error for error in done if isinstance(error, BaseException) and not isinstance(error, Failure)] == []
    await house.run()
    plan, _ = await house.plan()
    assert plan.counts == {}
    assert len(house.files()) == 18
    assert commits(house) == 2
    assert house.files()["default/s0/whole.txt"] == "nthlayer-sync\nchanged\n"


def clone(house: House, branch: str) -> Path:
    work = house.folder / "work"
    git("clone", "-q", "-b", branch, str(house.remote), str(work), cwd=house.folder)
    git("config", "user.name", "Person", cwd=work)
    git("config", "user.email", "person@example.com", cwd=work)
    return work


async def test_a_branch_that_moves_between_plan_and_apply(house: House) -> None:
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(6)])
    async with house.engine() as engine:
        plan = await engine.plan()
        work = clone(house, "nthlayer-sync")
        (work / "theirs.txt").write_text("theirs\n")
        git("add", "-A", cwd=work)
        git("commit", "-q", "-m", "theirs", cwd=work)
        git("push", "-q", "origin", "nthlayer-sync", cwd=work)
        results = await engine.apply(plan, engine.store.parts(plan.id))
    assert all(result.outcome == "done" or result.temporary for result in results)
    await house.run()
    assert house.files()["theirs.txt"] == "theirs\n"
    assert house.files()["default/s5/whole.txt"] == "nthlayer-sync\nchanged\n"
    assert (await house.plan())[0].counts == {}


async def test_a_branch_that_was_thrown_away_is_drift_that_people_decide_about(house: House) -> None:
    git("branch", "-D", "nthlayer-sync", cwd=house.remote)
    plan, changes = await house.plan()
    assert plan.writes == 0
    assert {change.reason for change in changes.values()} == {"drift: it was removed"}
    plan, _ = await house.run(Request(enforce=True))
    assert [refusal.override for refusal in plan.refusals] == ["--allow-recreates 12"]
    await house.run(Request(Consent(recreates=12), enforce=True))
    assert len(house.files()) == 12
    assert (await house.plan())[0].counts == {}


async def test_a_history_that_was_rewritten(house: House) -> None:
    work = clone(house, "nthlayer-sync")
    git("checkout", "-q", "--orphan", "anew", cwd=work)
    git("commit", "-q", "-m", "anew", cwd=work)
    git("push", "-q", "-f", "origin", "anew:nthlayer-sync", cwd=work)
    assert (await house.plan())[0].counts == {}
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(6)])
    await house.run()
    assert (await house.plan())[0].counts == {}
    assert commits(house) == 2


async def test_a_remote_that_refuses_is_said_and_nothing_is_remembered(house: House) -> None:
    hook = house.remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(6)])
    _, results = await house.run()
    assert {str(result.outcome) for result in results} == {"failed"}
    assert all("not on a Friday" in result.reason for result in results)
    hook.unlink()
    await house.run()
    assert (await house.plan())[0].counts == {}
    assert commits(house) == 2


async def test_locks_that_a_dead_git_left_behind(house: House) -> None:
    for mirror in (house.folder / "cache").iterdir():
        for name in ("packed-refs.lock", "HEAD.lock", "config.lock"):
            if mirror.is_dir():
                (mirror / name).touch()
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(6)])
    await house.run()
    assert (await house.plan())[0].counts == {}


async def test_undo_after_the_branch_was_merged(house: House) -> None:
    house.catalog.said = says([service("s0", "changed"), *(service(f"s{n}") for n in range(1, 6))])
    plan, _ = await house.run()
    git("update-ref", "refs/heads/main", "refs/heads/nthlayer-sync", cwd=house.remote)
    git("branch", "-D", "nthlayer-sync", cwd=house.remote)
    assert (await house.plan())[0].counts == {}
    async with house.engine() as engine:
        results = await engine.undo(plan.id)
    assert {str(result.outcome) for result in results} == {"done"}
    assert house.files()["default/s0/whole.txt"] == "nthlayer-sync\nhello\n"


async def test_deletes_agreed_to_in_number_do_not_let_more_pass(house: House) -> None:
    house.catalog.said = says([service("s0")])
    gone = frozenset(service(f"s{n}").ref for n in range(1, 6))
    plan, results = await house.run(Request(gone=gone, consent=Consent(deletes=9)))
    assert deletes(plan) == 10
    assert plan.refusals[0].override == "--allow-deletes 10"
    assert results == []
    assert len(house.names()) == 6


def person(work: Path, path: str, data: bytes) -> None:
    """What somebody commits on the main branch."""
    (work / path).write_bytes(data)
    git("add", "-A", cwd=work)
    git("-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-q", "-m", path, cwd=work)


def begun(house: House) -> Path:
    """A clone of a repository whose main branch has a first commit; returns the clone."""
    git("clone", "-q", str(house.remote), "begun", cwd=house.folder)
    work = house.folder / "begun"
    git("checkout", "-q", "-B", "main", cwd=work)
    person(work, "README.md", b"hello\n")
    git("push", "-q", "origin", "main", cwd=work)
    return work


@pytest.mark.parametrize("related", [True, False])
async def test_a_base_that_was_rewritten_is_never_overwritten(tmp_path: Path, related: bool) -> None:
    house = House(tmp_path)
    house.build()
    work = begun(house)
    house.catalog.said = says([service(f"s{n}") for n in range(3)])
    await house.run()
    ours = git("rev-parse", "nthlayer-sync", cwd=house.remote)
    git("checkout", "-q", *(["-B", "main"] if related else ["--orphan", "anew"]), cwd=work)
    if related:
        git("-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-q", "--amend", "-m", "anew", cwd=work)
        git("-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-q", "--allow-empty", "-m", "b", cwd=work)
    else:
        person(work, "new.md", b"anew\n")
    git("push", "-q", "-f", "origin", "HEAD:main", cwd=work)
    base = git("rev-parse", "main", cwd=house.remote)
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(3)])
    _, results = await house.run()
    assert git("rev-parse", "main", cwd=house.remote) == base
    git("merge-base", "--is-ancestor", ours.strip(), "nthlayer-sync", cwd=house.remote)
    assert all(result.outcome == "done" or result.reason for result in results)
    # Where the two share no history any more, a person has to say which of them counts.
    assert all("shares no history" in result.reason for result in results if result.outcome == "failed")
    git("branch", "-D", "nthlayer-sync", cwd=house.remote)
    await house.run(Request(enforce=True))
    assert len(house.files()) == (7 if related else 8)
    assert (await house.plan())[0].counts == {}


async def test_a_lock_that_is_left_on_the_remote_passes(house: House) -> None:
    lock = house.remote / "refs/heads/nthlayer-sync.lock"
    lock.touch()
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(6)])
    _, results = await house.run()
    assert all(result.outcome == "failed" and result.temporary for result in results)
    assert commits(house) == 1
    lock.unlink()
    await house.run()
    assert (await house.plan())[0].counts == {}
    assert commits(house) == 2


async def test_a_branch_that_moves_at_the_last_moment_is_not_forced(house: House) -> None:
    work = clone(house, "nthlayer-sync")
    (work / "theirs.txt").write_text("theirs\n")
    git("add", "-A", cwd=work)
    git("commit", "-q", "-m", "theirs", cwd=work)
    git("push", "-q", "origin", "HEAD:refs/keep/theirs", cwd=work)
    hook = house.remote / "hooks/pre-receive"
    hook.write_text(
        "#!/bin/sh\nunset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        "git update-ref refs/heads/nthlayer-sync refs/keep/theirs\n"
    )
    hook.chmod(0o755)
    house.catalog.said = says([service(f"s{n}", "changed") for n in range(6)])
    _, results = await house.run()
    assert all(result.outcome == "failed" and result.temporary for result in results)
    assert house.files()["theirs.txt"] == "theirs\n"
    hook.unlink()
    await house.run()
    assert house.files()["theirs.txt"] == "theirs\n"
    assert house.files()["default/s5/whole.txt"] == "nthlayer-sync\nchanged\n"
    assert (await house.plan())[0].counts == {}


async def test_a_large_repository(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.build()
    work = begun(house)
    noise = random.Random(1)
    for number in range(MEGABYTES // 4):
        (work / f"{number}.bin").write_bytes(noise.randbytes(4 << 20))
    git("-c", "core.compression=0", "add", "-A", cwd=work)
    git("-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-q", "-m", "large", cwd=work)
    git("-c", "pack.compression=0", "push", "-q", "origin", "main", cwd=work)
    house.catalog.said = says([service(f"s{n}") for n in range(3)])
    _, results = await house.run()
    assert {str(result.outcome) for result in results} == {"done"}
    assert (await house.plan())[0].counts == {}
    assert (
        len(git("ls-tree", "-r", "--name-only", "nthlayer-sync", cwd=house.remote).splitlines()) == 7 + MEGABYTES // 4
    )
