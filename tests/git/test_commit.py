"""What a commit writes, and what stops it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git import Repository

if TYPE_CHECKING:
    from conftest import Remote

See = Callable[..., Repository]
WHO = ("Robot", "robot@example.org")
OURS = "nthlayer/sync"


async def test_bytes_stay_as_they_are(started: Remote, see: See) -> None:
    files: dict[str, bytes | None] = {
        "crlf.txt": b"a\r\nb\r\n",
        "no-newline": b"x",
        "empty": b"",
        "binary": bytes(range(256)),
        "ünï/日本 語.md": "é".encode(),
        "-dash/--option": b"1",
        ":(glob)*": b"2",
        "a*b?[c]": b"3",
        '"quoted"\' $(x)': b"4",
        ".gitattributes": b"* text=auto eol=lf\n",
    }
    ours = see()
    done = await ours.commit(files, "bytes\n\nbody", author=WHO, expect=await ours.tree())
    for path, data in files.items():
        assert started.show(OURS, path) == data
    assert list(await ours.listing(done.tree, list(files))) == list(files)
    assert (
        started("show", "-s", "--format=%an|%ae|%cn|%B", OURS, at=started.bare)
        == "Robot|robot@example.org|Robot|bytes\n\nbody"
    )
    assert started("fsck", "--strict", at=started.bare) == ""


async def test_executable_bit_stays(started: Remote, see: See) -> None:
    (started.work / "run.sh").write_text("x")
    (started.work / "run.sh").chmod(0o755)
    started.person({})
    ours = see()
    await ours.commit({"run.sh": b"y", "new.sh": b"z"}, "m", author=WHO, expect=await ours.tree())
    listed = started("ls-tree", OURS, "run.sh", "new.sh", at=started.bare)
    assert [line.split()[0] for line in listed.splitlines()] == ["100644", "100755"]


async def test_delete(started: Remote, see: See) -> None:
    ours = see()
    done = await ours.commit(
        {"docs/a.md": None, "docs/b.md": None, "none": None}, "m", author=WHO, expect=await ours.tree()
    )
    assert set(await ours.listing(done.tree)) == {"README.md"}
    empty = await ours.commit({"README.md": None}, "m", author=WHO, expect=done.tree)
    assert (empty.tree, await ours.tree()) == ("", "")
    assert await see("other").tree() == ""
    full = await ours.commit({"a": b"1"}, "m", author=WHO, expect="")
    assert set(await ours.listing(full.tree)) == {"a"}
    assert started("fsck", "--strict", at=started.bare) == ""


async def test_one_commit_for_one_change(started: Remote, see: See) -> None:
    ours = see()
    expect = await ours.tree()
    first = await ours.commit({"a": b"1"}, "m", author=WHO, expect=expect)
    # As after a crash between the push and the note that it was done: same files, same expectation, another process.
    for repository in (ours, see(), see("fresh")):
        again = await repository.commit({"a": b"1"}, "m", author=WHO, expect=expect)
        assert (again.sha, again.tree, again.made) == (first.sha, first.tree, False)
    assert started.count(OURS) == 2
    assert (await ours.commit({}, "m", author=WHO, expect=first.tree)).made is False


async def test_many_files_make_one_commit(remote: Remote, see: See) -> None:
    files: dict[str, bytes | None] = {f"d{n % 40}/f{n}.yaml": f"a: {n}\n".encode() * 20 for n in range(21_000)}
    ours = see()
    done = await ours.commit(files, "m", author=WHO, expect="")
    assert len(await ours.listing(done.tree)) == 21_000
    assert remote.count(OURS) == 1
    assert remote("fsck", "--strict", at=remote.bare) == ""


async def test_date_and_strange_author(remote: Remote, see: See) -> None:
    when = datetime(2024, 2, 29, 12, tzinfo=UTC)
    ours = see()
    await ours.commit({"a": b"1"}, "a\0b", author=("X <x>\nparent 1", "e>\n"), expect="", when=when)
    assert remote("show", "-s", "--format=%an|%ae|%at|%ct|%s", OURS, at=remote.bare) == (
        f"X xparent 1|e|{int(when.timestamp())}|{int(when.timestamp())}|ab"
    )
    assert remote("fsck", "--strict", at=remote.bare) == ""


async def test_moved_since_the_plan(started: Remote, see: See) -> None:
    ours = see()
    planned = await ours.tree()
    started.person({"docs/a.md": b"moved\n"})
    await ours.fetch()
    with pytest.raises(TemporaryError, match="has moved since the plan, plan again"):
        await ours.commit({"new": b"1"}, "m", author=WHO, expect=planned)
    assert not started.has(OURS)


async def test_branch_moves_between_fetch_and_push(started: Remote, see: See) -> None:
    slow, quick = see("slow"), see("quick")
    planned = await slow.tree()
    await quick.commit({"a": b"1"}, "m", author=WHO, expect=await quick.tree())
    tip = started.tip(OURS)
    with pytest.raises(TemporaryError, match="moved since the plan"):
        await slow.commit({"b": b"2"}, "m", author=WHO, expect=planned)
    assert started.tip(OURS) == tip
    # The failure has fetched: planning again works at once.
    done = await slow.commit({"b": b"2"}, "m", author=WHO, expect=await slow.tree())
    assert {"a", "b"} <= set(await slow.listing(done.tree))


async def test_person_on_our_branch_is_kept(started: Remote, see: See) -> None:
    ours = see()
    await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())
    started.person({"by-hand": b"2"}, branch=OURS)
    with pytest.raises(TemporaryError):
        await ours.commit({"a": b"3"}, "m", author=WHO, expect=await ours.tree())
    await ours.commit({"a": b"3"}, "m", author=WHO, expect=await ours.tree())
    assert started.show(OURS, "by-hand") == b"2"


@pytest.mark.parametrize("name", ["pre-receive", "update"])
async def test_hook_refuses(started: Remote, see: See, name: str) -> None:
    started.hook(name, "echo 'policy: no robots' >&2; exit 1")
    ours = see()
    with pytest.raises(
        PermanentError, match=r"refuses a commit on 'nthlayer/sync': .*hook declined.*policy: no robots"
    ):
        await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())
    assert not started.has(OURS)


async def test_hook_moves_the_branch_at_the_last_moment(started: Remote, see: See) -> None:
    """The branch moves after the remote has taken the objects and before it moves its reference."""
    ours = see()
    await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())
    started.hook("pre-receive", f"unset GIT_QUARANTINE_PATH; git update-ref refs/heads/{OURS} refs/heads/main")
    with pytest.raises(TemporaryError, match="moved since the plan"):
        await ours.commit({"a": b"2"}, "m", author=WHO, expect=await ours.tree())
    assert started.tip(OURS) == started.tip("main")


async def test_lock_on_the_remote(started: Remote, see: See) -> None:
    ours = see()
    done = await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())
    lock = started.bare / f"refs/heads/{OURS}.lock"
    lock.touch()
    with pytest.raises(TemporaryError):
        await ours.commit({"a": b"2"}, "m", author=WHO, expect=done.tree)
    lock.unlink()
    assert (await ours.commit({"a": b"2"}, "m", author=WHO, expect=done.tree)).made


async def test_slow_remote_is_given_up(started: Remote, see: See) -> None:
    started.hook("pre-receive", "exec sleep 60")
    ours = see(timeout=1.5)
    with pytest.raises(TemporaryError, match="took longer than"):
        await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())
    assert not started.has(OURS)


async def test_cancelled(started: Remote, see: See) -> None:
    fifo = started.bare / "reached"
    os.mkfifo(fifo)
    started.hook("pre-receive", "echo > reached; exec sleep 60")
    ours = see()
    task = asyncio.create_task(ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree()))
    await asyncio.to_thread(fifo.read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    started.hook("pre-receive", "exit 0")
    assert (await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())).made


async def test_two_writers_make_two_commits(started: Remote, see: See) -> None:
    async def insist(repository: Repository, path: str) -> None:
        while True:
            try:
                await repository.commit({path: b"1"}, "m", author=WHO, expect=await repository.tree())
            except TemporaryError:
                continue
            return

    await asyncio.gather(*(insist(see(f"m{number}"), f"f{number}") for number in range(4)))
    assert started.count(OURS) == 5
    assert {f"f{number}" for number in range(4)} <= set(
        started("ls-tree", "--name-only", OURS, at=started.bare).split()
    )


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", ".git/config", "a\\b", "a\0b", "a/.GIT/x", "a\nb", ""])
async def test_hostile_paths(started: Remote, see: See, path: str) -> None:
    ours = see()
    with pytest.raises(PermanentError, match="cannot be written"):
        await ours.commit({"fine": b"1", path: b"x"}, "m", author=WHO, expect=await ours.tree())
    assert not started.has(OURS)


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "HEAD", "", "x:y", "a\nb", "refs/../x", "a.lock"])
def test_hostile_branches(see: See, name: str) -> None:
    with pytest.raises(PermanentError, match="not a name that Git allows"):
        see(branch=name)
