"""Who changed which folder, and when: one `git log` for a whole repository, whatever number of services it holds."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from nthlayer_sync.git import Repository
from nthlayer_sync.git.address import read_address
from nthlayer_sync.git.process import Git

COMMITS = 2_000
"""How far back a history is read; a folder that none of them touches has no known last change."""
_TIMEOUT = 120.0
"""Seconds for the log: it takes one on a large repository."""
_FORMAT = "--format=%x01%H%x02%cI%x02%aE"


class Change(NamedTuple):
    """One commit: when (ISO 8601) and by whom (e-mail address, lower case)."""

    sha: str
    time: str
    author: str


class History(NamedTuple):
    """The branch that was looked at, and its commits by the folder they touch, newest first ("" is the top)."""

    branch: str
    folders: Mapping[str, Sequence[Change]]

    def last(self, folder: str) -> Change | None:
        """The newest commit that touches the folder."""
        return next(iter(self.folders.get(folder, ())), None)

    def authors(self, folder: str, recent: timedelta, most: int) -> tuple[str, ...]:
        """Who made most commits to the folder within `recent` of the newest one of the repository."""
        newest = self.last("")
        if newest is None:
            return ()
        since = datetime.fromisoformat(newest.time) - recent
        changes = (each for each in self.folders.get(folder, ()) if datetime.fromisoformat(each.time) >= since)
        count = Counter(change.author for change in changes)
        return tuple(sorted(count, key=lambda author: (-count[author], author))[:most])


async def of_work_tree(path: Path) -> History:
    """The history of a work tree, as far as its branch has it; empty for a folder that is none."""
    if not await asyncio.to_thread((path / ".git").exists):
        return History("", {})
    git = Git(path / ".git", read_address(str(path), ["file"]), _TIMEOUT)
    remote = await git.run("for-each-ref", "--format=%(symref:lstrip=3)", "refs/remotes/origin/HEAD")
    current = await git.run("branch", "--show-current")
    has_commits = await git.run("for-each-ref", "--count=1")
    branch = (remote.strip() or current.strip()).decode(errors="replace")
    return History(branch, await _log(git, "HEAD") if has_commits else {})


async def of_mirror(repository: Repository, mirror: Path) -> History:
    """The history of a repository's base branch, from its local mirror."""
    head = await repository.head()
    git = Git(mirror, read_address(repository.url, ("https", "ssh", "http", "file")), _TIMEOUT)
    return History(await repository.default_branch(), await _log(git, head.sha) if head else {})


async def _log(git: Git, tip: str) -> dict[str, list[Change]]:
    options = ("--no-merges", "--name-only", "--no-renames", "-z", f"-n{COMMITS}", _FORMAT)
    output = await git.run("log", *options, tip, "--")
    return await asyncio.to_thread(_by_folder, output)


def _by_folder(output: bytes) -> dict[str, list[Change]]:
    folders: defaultdict[str, list[Change]] = defaultdict(list)
    for change, paths in _commits(output):
        touched = {""}
        for path in paths:
            folder = path.rpartition("/")[0]
            while folder not in touched:
                touched.add(folder)
                folder = folder.rpartition("/")[0]
        for folder in touched:
            folders[folder].append(change)
    return dict(folders)


def _commits(output: bytes) -> Iterator[tuple[Change, list[str]]]:
    for record in output.decode("utf-8", "surrogateescape").split("\x01")[1:]:
        header, *paths = record.split("\0")
        fields = header.split("\x02", 2)
        if len(fields) == 3:  # otherwise it is the rest of a path with a control character in it
            sha, time, author = fields
            yield Change(sha, time, author.lower()), [path.lstrip("\n") for path in paths if path.strip("\n")]
