"""A plan: every change of a run, in order, with the checksum that a review refers to.

A plan of 250,000 changes is never held in memory whole. `Plan` is its head; its parts, one for each subject that
changes, stream from where they are stored.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef


def content_sum(content: str) -> str:
    """The digest of a managed part."""
    return blake2b(content.encode(), digest_size=8).hexdigest()


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """A config as it was last generated."""

    kind: str
    name: str
    digest: str
    place: Place
    owner: EntityRef | None = None


class Applied(msgspec.Struct, frozen=True, array_like=True):
    """A config as it was last applied.

    `revision` is what the live object had right after; `sum` is the digest of the part we manage as it was then, which
    tells a change of ours from one of what people keep around it. `remote` is the vendor's own id of the object, and
    `remotes` are those of other configs that its content was made with, by kind. `overwritten` is when we last wrote
    over what others did, in seconds since 1970.
    """

    kind: str
    name: str
    digest: str
    place: Place
    revision: str
    sum: str
    owner: EntityRef | None = None
    remote: str = ""
    remotes: dict[str, str] = {}
    overwritten: tuple[float, ...] = ()


class Change(msgspec.Struct, frozen=True, array_like=True):
    """What is to happen to one config, and what that decision rests on.

    `digest` is the desired content's ("" when the config goes); `revision` is the live object's at planning time (""
    when there was none). `was` is where the config stood before, when it moves.
    """

    kind: str
    name: str
    action: Action
    digest: str
    place: Place
    revision: str
    owner: EntityRef | None = None
    was: Place | None = None
    reason: str = ""


class Part(msgspec.Struct, frozen=True, array_like=True):
    """The changes of one subject, in the order of its kinds; `was` is the subject's reference before it was renamed."""

    subject: EntityRef
    changes: tuple[Change, ...]
    was: EntityRef | None = None

    def id(self, change: Change) -> ConfigId:
        """The id of one of its configs."""
        return ConfigId(change.kind, self.subject, change.name)


class Refusal(msgspec.Struct, frozen=True):
    """A guard that stopped a plan: its numbers and the exact words that let it pass."""

    guard: str
    message: str
    override: str


class SourceState(msgspec.Struct, frozen=True):
    """What a plan rests on: one source, how complete it was and why, and the digest of its content."""

    name: str
    completeness: str
    reason: str
    digest: str


class Words(msgspec.Struct, frozen=True):
    """What a person vouched for when the plan was made, and what therefore holds when it is applied.

    `gone` are entities whose absence needs no more proof, `shrunk` sources that may show much less than before, and
    `dropped` sources that the settings no longer name and whose entities are given up.
    """

    gone: frozenset[EntityRef] = frozenset()
    shrunk: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.gone or self.shrunk or self.dropped)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a plan. `counts` is action to number, for each kind; a plan with refusals cannot be applied."""

    checksum: str
    inputs: str = ""
    """The digest of all it was made from; while it stays the same, so does what is wanted."""
    sources: tuple[SourceState, ...] = ()
    counts: dict[str, dict[str, int]] = {}
    refusals: tuple[Refusal, ...] = ()
    words: Words = Words()
    subjects: int = 0
    """How many subjects were looked at."""

    @property
    def id(self) -> str:
        """A short name: the beginning of the checksum."""
        return self.checksum[:12]

    def total(self, action: Action) -> int:
        """How many configs have this action."""
        return sum(count.get(action, 0) for count in self.counts.values())

    @property
    def writes(self) -> int:
        """How many changes write to a live system."""
        return sum(self.total(action) for action in Action if action.writes)

    @property
    def pending(self) -> int:
        """How many changes applying would make, of live systems or of our memory."""
        return self.writes + self.total(Action.ADOPT)


class Checksum:
    """The checksum of a plan: over every change, in order."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=16)

    def add(self, part: Part) -> None:
        """Take in the changes of one subject."""
        self._digest.update(_encode(part))

    def __str__(self) -> str:
        return self._digest.hexdigest()


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
