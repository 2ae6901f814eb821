"""What pushes and pull requests mean, whichever code host tells of them.

What we did ourselves wakes nothing: commits on our branch, commits by our author, and our own pull requests. They are
known already, and what became of them is seen by the next audit in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain

from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.hook import NOTHING, Asks
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.problem import Refusal

LARGEST_NUMBER = 10**9
"""Of a pull request."""


class Turn(Enum):
    """What happened to a pull request."""

    NONE = auto()
    """Nothing that changes what merging it would bring."""
    NEW = auto()
    """It was opened, or has other commits."""
    MERGED = auto()
    CLOSED = auto()


@dataclass(frozen=True)
class Commit:
    """One commit: the addresses of who made it, and the files that it touched."""

    people: Sequence[str]
    files: Sequence[str]


@dataclass(frozen=True)
class Push:
    """Commits that came to a ref; `commits` is None where not all of them are told."""

    repository: str
    """`<host>/<path>`, here and below."""
    ref: str
    base: str
    """The branch that the repository is read at."""
    commits: Sequence[Commit] | None


@dataclass(frozen=True)
class Pull:
    """A pull request that took a turn."""

    repository: str
    number: int
    turn: Turn
    branch: str
    is_fork: bool
    """Whether the branch is one of another repository."""


def pushed(push: Push, landscape: Landscape) -> Asks:
    """What a push means: only that to the base branch means anything."""
    if push.ref != f"refs/heads/{push.base}" or push.base == landscape.settings.landing.branch:
        return NOTHING
    if push.commits and all(each.people and all(map(landscape.is_ours, each.people)) for each in push.commits):
        return NOTHING
    # Without commits the branch was moved back or made anew: anything may have changed.
    files = set(chain.from_iterable(each.files for each in push.commits)) if push.commits else None
    return _moved(push.repository, files, landscape)


def pulled(pull: Pull, landscape: Landscape) -> Asks:
    """What a turn of a pull request means: tell what merging it would bring, or look at what came of it."""
    if not 0 < pull.number < LARGEST_NUMBER:
        raise Refusal(400, "the body does not fit: a pull request has no such number")
    ours = pull.branch == landscape.settings.landing.branch and not pull.is_fork
    match pull.turn:
        case Turn.NEW if not ours and landscape.settings.serve.previews:
            return Asks({Topic.PULL: [f"{pull.repository}#{pull.number}"]})
        case Turn.MERGED:
            return _moved(pull.repository, None, landscape)
        case Turn.CLOSED if ours:  # people declined what we proposed
            return Asks({Topic.AUDIT: landscape.root(pull.repository)})
        case _:
            return NOTHING


def _moved(repository: str, files: set[str] | None, landscape: Landscape) -> Asks:
    return Asks({Topic.LOOK: landscape.reading(repository, files), Topic.AUDIT: landscape.root(repository)})
