"""What we need of a code host: pull requests, which GitLab calls merge requests."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Answer
from nthlayer_sync.sdk.quote import line

T = TypeVar("T")

LOOKED_BACK = 20
"""Pull requests of one branch that are looked at, the newest first; older answers are forgotten."""


class State(StrEnum):
    """What became of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    """People said no: it was closed and not merged."""


class Branches(msgspec.Struct, frozen=True):
    """Where a pull request is: the repository's name on its host (`acme/payments`), our branch, and the base."""

    slug: str
    head: str
    base: str


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as its host has it."""

    number: int
    url: str
    state: State
    body: str = ""
    labels: frozenset[str] = frozenset()
    draft: bool = False
    head: str
    """The commit that it proposed last."""
    ref: str
    """The reference under which the host keeps that commit, also when the branch is gone."""
    base: str = ""
    """A commit of the base which that commit was made for, "" when the host was not asked for it yet."""
    closed_by: str = ""
    closed_on: str = ""
    """The day, `2026-11-23`."""

    @property
    def declined(self) -> str:
        """Why what it proposed is not in force."""
        by = f" by {line(self.closed_by)[:80]}" if self.closed_by else ""
        on = f" on {self.closed_on}" if self.closed_on else ""
        return f"declined: #{self.number} closed{by}{on}"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as we want it. `reviewers` are names of teams (`acme/payments`) and people on the host."""

    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    draft: bool = False


class Host(Protocol):
    """One code host. Failures are those of `sdk.http`."""

    async def find(self, where: Branches) -> list[PullRequest]:
        """The pull requests from our branch to the base, the newest first, at most `LOOKED_BACK`; none from a fork."""
        ...

    async def look(self, where: Branches, request: PullRequest) -> PullRequest:
        """The same with all that only a closer look shows: who closed it, and the base it was made for."""
        ...

    async def open(self, where: Branches, proposal: Proposal) -> PullRequest:
        """Open one. A label or a reviewer that the host does not take stops nothing."""
        ...

    async def update(self, where: Branches, request: PullRequest, proposal: Proposal) -> None:
        """Give it the title, the body and the labels of the proposal; labels of people stay, and so does a draft."""
        ...

    async def close(self, where: Branches, request: PullRequest, proposal: Proposal) -> None:
        """The same, and close it."""
        ...


def shaped(answer: Answer, shape: type[T]) -> T:
    """The answer's JSON in this shape; PermanentError when it has another."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"the code host's answer is not as expected: {error}") from None
