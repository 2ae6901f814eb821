"""Reading and writing single configs of one system.

A target knows nothing of plans, tiers or services. Its calls are idempotent: writing what is already there changes
nothing and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.result import Result


class Movement(msgspec.Struct, frozen=True):
    """What moved under one root since it had the state `since`.

    `state` names the present state of the whole root. `paths` gives the new revision of each path that moved, "" for
    one that is gone; None means that the difference cannot be told and every path has to be looked up.
    """

    state: str
    paths: Mapping[str, str] | None
    conflicts: frozenset[str] = frozenset()
    """Paths at which what we proposed no longer goes together with what others did since; live is what others did."""
    declined: frozenset[str] = frozenset()
    """Paths at which people declined what we proposed; live is what stood there before."""


class Stranger(msgspec.Struct, frozen=True):
    """A live object that bears nobody's mark, with the path that a config of its name would have."""

    path: str
    remote: str
    reference: str = ""
    """Where people look at it."""


class Target(Protocol):
    """One system that configs land in. Roots are its repositories or accounts, paths the objects in them."""

    name: str
    """One word; no two targets share it. The roots of a live system are this word, or it and `:` and an account."""
    settles: float
    """Seconds for which what was written may not show in lists yet."""

    async def moved(self, root: str, since: str) -> Movement:
        """What moved under `root` since `since` ("" for never looked at)."""
        ...

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        """The revision of each of `paths` (None: of everything) that exists now."""
        ...

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """The revision of objects that a list did not show and that we remember, path to vendor's id, if they exist."""
        ...

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """The managed parts of what is live; what does not exist is left out."""
        ...

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """Make the changes of one batch, all under one root; one result for each, in order.

        A change whose live object no longer has the revision its diff was made against fails alone, and so does one
        that cannot be made. A TemporaryError or PermanentError that is raised means that none of the batch was made.
        """
        ...


@runtime_checkable
class Closable(Protocol):
    """A target that holds something open, such as connections."""

    async def close(self) -> None:
        """Let go of it."""
        ...


@runtime_checkable
class Inhabited(Protocol):
    """A target in which others keep objects of the same sorts, which can become ours when a person says so."""

    async def strangers(self, root: str) -> Sequence[Stranger]:
        """Every object of our collections that bears nobody's mark, asked for anew."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """A target that can tell what follows from a config, such as who will be on call."""

    async def foresee(self, config: Config, weeks: int) -> str:
        """Text for people about the next weeks, as they are once the config is applied; "" where there is none."""
        ...


@runtime_checkable
class Restorable(Protocol):
    """A target that keeps the history of what it holds, and can put any of it back."""

    async def restore(self, root: str, before: Mapping[str, str], expect: Mapping[str, str], message: str) -> str:
        """Put back what stood at each path, named by its revision then ("" for nothing); gives a reference to look at.

        `expect` is what must stand there now: TemporaryError, and nothing is changed, where something else does.
        """
        ...
