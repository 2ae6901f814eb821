"""Who changed what, and when: reads commits of the mirror through GitPython."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import git as gitpython

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.git.address import redact
from nthlayer_sync.git.process import Git


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit as it concerns people."""

    sha: str
    time: datetime
    """When it was committed, in UTC."""
    name: str
    email: str
    """Of the author; the address in lower case."""


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who changed something, and in how many of the commits that were looked at."""

    name: str
    email: str
    commits: int
    latest: datetime


async def commits(git: Git, tip: str, path: str, limit: int) -> list[CommitInfo]:
    """The last commits, newest first, that touch the path (a file or a folder; "" is everything)."""
    return await asyncio.to_thread(_commits, git, tip, path, limit)


def count_authors(found: list[CommitInfo]) -> list[Author]:
    """The people behind the commits, most commits first; the newest commit gives the spelling of a name."""
    newest: dict[str, CommitInfo] = {}
    for commit in found:
        newest.setdefault(commit.email, commit)
    count = Counter(commit.email for commit in found)
    authors = [Author(each.name, email, count[email], each.time) for email, each in newest.items()]
    return sorted(authors, key=lambda author: (-author.commits, author.email))


def _commits(git: Git, tip: str, path: str, limit: int) -> list[CommitInfo]:
    paths = [path] if path else []
    # The object's `with` ends the `git cat-file` that GitPython keeps running, which it otherwise leaks.
    with gitpython.Repo(git.mirror, expand_vars=False) as repository:
        repository.git.update_environment(**git.environment)
        try:
            listed: str = repository.git.rev_list(
                tip, "--", *paths, max_count=limit, kill_after_timeout=git.timeout, no_merges=True
            )
            return [_info(repository.commit(sha)) for sha in listed.split()]
        except gitpython.GitCommandError as error:
            raise TemporaryError(
                f"{git.address.url}: its history cannot be read: {redact(str(error.stderr))}"
            ) from None


def _info(commit: gitpython.Commit) -> CommitInfo:
    author = commit.author
    return CommitInfo(
        commit.hexsha,
        datetime.fromtimestamp(commit.committed_date, UTC),
        author.name or "",
        (author.email or "").lower(),
    )
