"""What a plan is made of: its scope, its rules, and each subject while it is planned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nthlayer_sync.blueprint.tiers import Guards
from nthlayer_sync.engine.decide import Question
from nthlayer_sync.engine.gate import Gates
from nthlayer_sync.engine.guards import Consent, Lately
from nthlayer_sync.model.config import Config, ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change, SourceState, Words
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.store import Memory


class Known(Collection[EntityRef]):
    """Everything that the sources still show, without a copy of it: a plan of one subject asks for a few of them."""

    def __init__(self, entities: Collection[EntityRef], others: Collection[EntityRef]) -> None:
        self._entities = entities
        self._others = set(others)

    def __contains__(self, ref: object) -> bool:
        return ref in self._entities or ref in self._others

    def __iter__(self) -> Iterator[EntityRef]:
        yield from self._entities
        yield from self._others.difference(self._entities)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True)
class Scope:
    """What is planned. `subjects` come in order of reference.

    `present` are all refs that the sources still show; a remembered subject outside is gone, and its configs go too.
    `uid_of` gives what outlives a rename.
    """

    subjects: Iterable[Subject]
    present: Collection[EntityRef]
    uid_of: Callable[[EntityRef], str]
    whole: bool = True
    """Whether these are all subjects there are; a few are planned in work proportional to these few."""
    sources: tuple[SourceState, ...] = ()
    inputs: str = ""
    words: Words = field(default_factory=Words)
    memories: Mapping[EntityRef, Memory] = field(default_factory=dict[EntityRef, Memory])
    """What is remembered of some subjects, where that was read already."""


@dataclass(frozen=True)
class Rules:
    """What binds a plan: the guards, what is protected, what a person agreed to for this run, what has to wait."""

    guards: Guards
    gates: Gates = field(default_factory=Gates)
    protected: tuple[str, ...] = ()
    consent: Consent = field(default_factory=Consent)
    lately: Lately = field(default_factory=Lately)
    enforce: bool = False
    open: Mapping[ConfigId, str] = field(default_factory=dict[ConfigId, str])
    """Configs of which it is not known yet whether their last write happened, with what to say of them."""
    now: float = 0.0
    """In seconds since 1970."""


def owner_of(memory: Memory) -> EntityRef | None:
    """Who owned what is remembered."""
    return next((wanted.owner for wanted in memory.wanted if wanted.owner), None)


def held(question: Question, reason: str) -> Change:
    """It is not wanted any more, and left alone all the same."""
    kind, name = question.key
    return Change(kind, name, Action.HOLD, "", question.place, "", reason=reason)


def waiting(question: Question, trouble: str) -> Change:
    """Nothing can be said or done about it now."""
    kind, name = question.key
    return Change(kind, name, Action.REFUSE, "", question.place, "", reason=trouble)


@dataclass
class Draft:
    """One subject being planned."""

    ref: EntityRef
    memory: Memory
    asked: list[Question]
    configs: dict[tuple[str, str], Config]
    was: EntityRef | None
    unsure: bool = False
    """Live may differ from what we left without having moved lately: an old drift, a write of unknown outcome."""
    home: Place | None = None
    """The catalog file that the subject is declared in: whoever changed the subject has moved it."""
    doubted: bool = False
    """Something live was found otherwise than remembered when it was last looked at."""
    astray: bool = False
    """Something live was found otherwise than remembered, or could not be looked at."""
    changes: list[Change] = field(default_factory=list[Change])

    def ids(self, question: Question) -> tuple[ConfigId, ...]:
        """What the config is called, and what it was called before its subject was renamed."""
        return tuple(ConfigId(question.key[0], ref, question.key[1]) for ref in (self.ref, self.was) if ref)

    def id(self, question: Question) -> ConfigId:
        """The id of the config that a question is about."""
        return ConfigId(question.key[0], self.ref, question.key[1])
