"""What we need of a code host to tell people, before they merge a request of theirs, what that would change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

MOST_FILES = 3_000
"""Files of one request that are looked at: GitHub names no more (docs.github.com/rest/pulls/pulls)."""
MOST_COMMENTS = 5_000
"""Comments among which ours is looked for: GitLab takes no more on one request, GitHub 2,500."""
PAGE = 100
"""Rows of one answer; neither host gives more."""
LONGEST_SENTENCE = 140
"""Characters of what a check says: GitHub takes no more with a commit status, GitLab 255."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A pull or merge request that people opened, as its host has it."""

    number: int
    url: str
    open: bool
    into_default: bool
    """Whether it is to be merged into the default branch."""
    head: str
    """The commit that it proposes."""
    merged: str = ""
    """The commit that merging it now would make, "" where the host has not tried that, or it conflicts."""
    conflicts: bool = False
    source: str = ""
    """The project that the head is in, as the host's API names it, where that matters."""


class Touched(msgspec.Struct, frozen=True):
    """The files that a request changes: whether each is there afterwards. `whole` is False where there are more."""

    files: Mapping[str, bool]
    whole: bool = True


class Comment(msgspec.Struct, frozen=True):
    """A comment of ours."""

    id: int
    body: str


class Verdict(msgspec.Struct, frozen=True):
    """What our check says of a commit; `sentence` has at most `LONGEST_SENTENCE` characters."""

    passed: bool
    sentence: str


class Reviews(Protocol):
    """The requests of people on one code host. Failures are those of `sdk.http`.

    `slug` is a repository's name on its host. Commits may be of forks: what is in them is foreign text.
    """

    async def request(self, slug: str, number: int) -> Request:
        """One request."""
        ...

    async def touched(self, slug: str, request: Request) -> Touched:
        """The files that it changes, the first `MOST_FILES`."""
        ...

    async def read(self, slug: str, commit: str, path: str) -> bytes | None:
        """A file at a commit that the request proposes or that merging it would make; None where there is none."""
        ...

    async def comment(self, slug: str, request: Request, marker: str) -> Comment | None:
        """The first comment that begins with `marker` and that we wrote, whoever else may have copied it."""
        ...

    async def say(self, slug: str, request: Request, body: str, instead: Comment | None) -> None:
        """Comment on it, in place of an earlier comment."""
        ...

    async def verdict(self, slug: str, request: Request) -> Verdict | None:
        """What our check says of its head, None before it has said anything."""
        ...

    async def judge(self, slug: str, request: Request, verdict: Verdict) -> None:
        """Set our check on its head."""
        ...
