"""The work set: which subjects are to be looked at, and who does so now.

A key stands in the set once, however often it is asked for. What is asked for while somebody works on it is done again
afterwards. Who claims a key holds it for the length of a lease, and every claim has a higher token than the one before:
a write in the name of an old one is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from nthlayer_sync.errors import TemporaryError


class Topic(StrEnum):
    """What a key is about."""

    SUBJECT = "subject"
    """A subject by its reference: plan it and apply what may be."""
    LOOK = "look"
    """A source by its name: read it now. Only the leader does."""
    AUDIT = "audit"
    """A target and root, as in `Store.roots`: see whether something moved there. Only the leader does."""
    PULL = "pull"
    """A pull request, `<host>/<repository>#<number>`: say what merging it would change."""
    LEAD = "lead"
    """The one key of who leads; it is claimed, and never finished."""


class Fenced(TemporaryError):
    """Another replica has taken the subject over, so nothing more is written in its name here."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is ours until its lease ends. `token` is higher than that of any earlier claim of the key."""

    topic: Topic
    key: str
    token: int
    want: int
    """How often it was asked for when it was claimed; what is asked later is not served by it."""
    asked: float
    """When the oldest ask was that it serves, in seconds since 1970."""
    tries: int = 0
    """How often it failed since it last went well."""
    why: str = ""
    """Who asked first, for people."""


class Backlog(msgspec.Struct, frozen=True):
    """What waits in one topic: how many keys are due, for how long the oldest is, in seconds; and the claimed."""

    due: int
    oldest: float
    claimed: int
    later: int = 0
    """Keys that are not due yet: they failed, or were asked for a later time."""


class Work(Protocol):
    """The work set. Every method is one transaction. Times of leases are those of the store's own clock."""

    async def ask(self, topic: Topic, keys: Iterable[str], why: str, delay: float = 0.0) -> None:
        """Ask for keys, to be done in `delay` seconds or sooner if somebody asked for sooner."""
        ...

    async def claim(
        self, topic: Topic, owner: str, most: int, lease: float, among: Collection[str] | None = None
    ) -> list[Claim]:
        """Take up to `most` keys that are due and that nobody holds, the longest waiting first; `among` names some."""
        ...

    async def renew(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """Hold them for `lease` seconds more; gives those that are lost."""
        ...

    async def finish(self, claims: Sequence[Claim]) -> None:
        """They are done; one that was asked for meanwhile is due again. A claim that is lost is left out."""
        ...

    async def postpone(self, claims: Sequence[Claim], delay: float, error: str) -> None:
        """They failed: due again in `delay` seconds. A claim that is lost is left out."""
        ...

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give them back undone: due at once, for anybody."""
        ...

    async def wait(self, topics: Collection[Topic], seconds: float) -> None:
        """Return when one of the topics may have something due, after so many seconds at the latest."""
        ...

    async def backlog(self) -> dict[Topic, Backlog]:
        """What waits, by topic."""
        ...

    async def errors(self, topic: Topic) -> dict[str, str]:
        """Why each key that failed last did so."""
        ...
