"""The local bare copy of the two branches that matter: made, kept current, and made anew when it is damaged.

A mirror is a cache: deleting its folder costs a fetch and nothing else. A lock file beside it keeps it to one writer;
the Git processes that write to it inherit the lock, so it stays taken for as long as one of them lives.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git.effective import Tips, compare
from nthlayer_sync.git.paths import check_branch
from nthlayer_sync.git.process import Git, MirrorDamaged

OLDEST_GIT = (2, 38)
"""The first with `git merge-tree --write-tree`."""
_OURS = "refs/remotes/origin/"
_THEIRS = "refs/heads/"
_POLL = 0.02
"""Seconds between two tries to get a lock that another holds."""


@asynccontextmanager
async def locked(git: Git) -> AsyncGenerator[int]:
    """The only writer of this mirror; gives the descriptor that Git processes which write to it are to hold."""
    descriptor = await asyncio.to_thread(_open_lock, git.mirror)
    try:
        await _take(git, descriptor)
        # Nobody else can be writing, so whatever lock of Git's own is left belongs to a process that died.
        await asyncio.to_thread(_sweep, git.mirror)
        yield descriptor
    finally:
        os.close(descriptor)


def _open_lock(mirror: Path) -> int:
    try:
        mirror.parent.mkdir(parents=True, exist_ok=True)
        return os.open(mirror.with_name(mirror.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PermanentError(f"the folder for copies of repositories cannot be used: {error}") from None


async def _take(git: Git, descriptor: int) -> None:
    try:
        async with asyncio.timeout(git.timeout):
            while True:
                try:
                    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    await asyncio.sleep(_POLL)
    except TimeoutError:
        raise TemporaryError(f"{git.address.url}: another process keeps its mirror locked", delay=10.0) from None


def _sweep(mirror: Path) -> None:
    for folder in (mirror, mirror / "refs", mirror / "objects/info", mirror / "objects/pack"):
        walk = folder.rglob("*.lock") if folder.name == "refs" else folder.glob("*.lock")
        for lock in (*walk, *folder.glob("tmp_*"), *folder.glob("fast_import_crash_*"), *folder.glob("gc.pid")):
            lock.unlink(missing_ok=True)


async def fetch(git: Git, hold: int, branch: str, base: str | None) -> Tips:
    """Bring the mirror up to date with its remote; a damaged mirror is thrown away and fetched again, once."""
    try:
        return await _fetch(git, hold, branch, base)
    except MirrorDamaged:
        await asyncio.to_thread(shutil.rmtree, git.mirror, ignore_errors=True)
    try:
        return await _fetch(git, hold, branch, base)
    except MirrorDamaged as damage:
        raise PermanentError(f"{damage}; the repository itself seems to be damaged") from damage


def condemn(mirror: Path) -> None:
    """Mark the mirror as damaged, so that the next fetch makes it anew."""
    (mirror / "origin").unlink(missing_ok=True)


async def _fetch(git: Git, hold: int, branch: str, base: str | None) -> Tips:
    await _ensure(git, hold)
    remote, default = await _remote_branches(git)
    name = _base_name(git, base or default, remote.keys(), branch)
    wanted = {each: remote[each] for each in dict.fromkeys((name, branch)) if each in remote}
    local = await _local_branches(git)
    if stale := [each for each in wanted if local.get(each, ("",))[0] != wanted[each]]:
        refspecs = [f"+{_THEIRS}{each}:{_OURS}{each}" for each in stale]
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
        await git.run("fetch", *options, "--", git.address.url, *refspecs, hold=hold)
    if gone := [each for each in local if each not in wanted]:
        await git.run("update-ref", "--stdin", stdin="".join(f"delete {_OURS}{x}\n" for x in gone).encode(), hold=hold)
    if stale or gone:
        local = await _local_branches(git)
    # Each commit of ours adds a pack, and Git tidies up by itself only after it has fetched something.
    await git.run("gc", "--auto", "--quiet", hold=hold)
    return await compare(git, hold, name, local.get(name, ("", "")), local.get(branch, ("", "")))


async def _ensure(git: Git, hold: int) -> None:
    marker = git.mirror / "origin"

    def is_ours() -> bool:
        return marker.is_file() and marker.read_text() == git.address.url

    if not await asyncio.to_thread(is_ours):
        await asyncio.to_thread(shutil.rmtree, git.mirror, ignore_errors=True)
        await _check_version(git)
        await git.run("init", "--quiet", "--bare", "--object-format=sha1", "--template=", hold=hold)
        await asyncio.to_thread(marker.write_text, git.address.url)


async def _check_version(git: Git) -> None:
    found = (await git.run("version")).decode()
    version = re.search(r"(\d+)\.(\d+)", found)
    if not version or (int(version[1]), int(version[2])) < OLDEST_GIT:
        raise PermanentError(f"{found.strip()} is too old; Git {OLDEST_GIT[0]}.{OLDEST_GIT[1]} or newer is needed")


async def _remote_branches(git: Git) -> tuple[dict[str, str], str]:
    """The remote's branches (name to commit) and the name of its default branch, "" when that does not exist."""
    output = await git.run("ls-remote", "--symref", "--", git.address.url, "HEAD", f"{_THEIRS}*")
    branches: dict[str, str] = {}
    default = ""
    for line in output.decode(errors="surrogateescape").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith(f"ref: {_THEIRS}"):
            default = value.removeprefix(f"ref: {_THEIRS}")
        elif name.startswith(_THEIRS):
            branches[name.removeprefix(_THEIRS)] = value
    return branches, default


def _base_name(git: Git, name: str, remote: Collection[str], branch: str) -> str:
    if name in remote:
        check_branch(name)
        return name
    if not set(remote) - {branch}:
        # Nobody but us has committed anything yet: there is no base, and our branch begins with an orphan.
        return ""
    if not name:
        raise PermanentError(f"{git.address.url} does not say which branch is its default; name the base branch")
    raise PermanentError(f"{git.address.url} has no branch {name!r} to build on")


async def _local_branches(git: Git) -> dict[str, tuple[str, str]]:
    """The mirror's branches: name to commit and tree."""
    output = await git.run("for-each-ref", "--format=%(objectname) %(tree) %(refname)", _OURS)
    rows = (line.split(" ", 2) for line in output.decode(errors="surrogateescape").splitlines())
    return {name.removeprefix(_OURS): (commit, tree) for commit, tree, name in rows}


async def land(git: Git, hold: int, branch: str, commit: str) -> None:
    """Note in the mirror that the remote's branch is at this commit now."""
    await git.run("update-ref", f"{_OURS}{branch}", commit, hold=hold)
