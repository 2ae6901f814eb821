"""What is remembered between runs, and the promises a store keeps about it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.plan import Applied, Part, Plan, Wanted
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event, Run
from nthlayer_sync.model.snapshot import BlueprintFile, CodeFacts, Edge
from nthlayer_sync.sdk.work import Claim, Work


class Memory(msgspec.Struct, frozen=True):
    """What is remembered of one subject.

    `fingerprint` is the subject's when `wanted` was generated. `uid` outlives a rename.
    """

    fingerprint: bytes
    uid: str = ""
    wanted: tuple[Wanted, ...] = ()
    applied: tuple[Applied, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything wanted is applied, and nothing else is."""
        return {(w.kind, w.name, w.digest, w.place) for w in self.wanted} == {
            (a.kind, a.name, a.digest, a.place) for a in self.applied
        }


class Planned(msgspec.Struct, frozen=True):
    """What planning made of one subject: its new memory (`applied` is not stored) and its changes, if any.

    Without either the subject is forgotten.
    """

    subject: EntityRef
    memory: Memory | None
    part: Part | None
    astray: bool = False
    """Whether something live stood otherwise than remembered, or could not be looked at."""
    doubted: bool = False
    """Whether it was astray when it was planned: a doubt that came up in the meantime stays."""


class Trace(msgspec.Struct, frozen=True):
    """The cheap half of a memory: enough to tell that nothing is to be done.

    A subject is settled when the last plan found nothing to change, keep or refuse for it, or all of it was applied
    since. It is astray when something live stood otherwise than remembered: what is live has to be looked up then, for
    it need not have moved again.
    """

    fingerprint: bytes
    settled: bool
    astray: bool = False


class Recollection(msgspec.Struct, frozen=True):
    """What is remembered of a few subjects, as it was at one time."""

    traces: dict[EntityRef, Trace]
    memories: dict[EntityRef, Memory]
    """Of those that are not settled, or that had another fingerprint than now."""
    open: bool
    """Whether the journal has open lines."""


class Absence(msgspec.Struct, frozen=True):
    """An entity that complete reads no longer show: since when (seconds since 1970), and in how many reads."""

    since: float
    reads: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What we hold a source to have said: its last reads, with entities that are missing but not yet proven gone."""

    read_digest: str = ""
    """The digest of the read that it rests on, "" when the source has to be read again in any case."""
    entities: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    facts: tuple[CodeFacts, ...] = ()
    blueprints: dict[EntityRef, BlueprintFile] = {}
    diagnoses: tuple[Diagnosis, ...] = ()
    scope: str = ""
    """What the source covered; only snapshots of the same scope can show that something is gone."""
    absent: dict[EntityRef, Absence] = {}
    high_water: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal: a write that was intended and, unless `done`, may or may not have happened."""

    key: str
    plan: str
    id: ConfigId
    action: Action
    place: Place
    before: str
    """What stood there, as the target's `revisions` names it; "" for nothing."""
    after: str = ""
    """What stands there since, likewise."""
    applied: Applied | None = None
    """What was remembered of the config before."""
    intended: Applied | None = None
    """What is to be remembered once it is written; its revision is not known yet. None where the config goes."""
    done: bool = False
    content: str | None = None
    """The managed part as it was before, where the live system keeps no history of its own."""
    at: float = 0.0
    """When it was intended, in seconds since 1970."""


RECREATE = "recreate"
"""How a create is counted of a config that was applied before: it was removed outside, and is made again."""


class Store(Protocol):
    """Durable memory. Every method is one transaction: after it returns, a power cut loses nothing of it."""

    async def unsettled(self) -> int:
        """How many subjects have something to change, or kept, held or refused."""
        ...

    async def traces(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Trace]:
        """The cheap half of the memory of some subjects, or of all."""
        ...

    async def memories(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Memory]:
        """The memory of some subjects, or of all."""
        ...

    async def recollect(self, fingerprints: Mapping[EntityRef, bytes]) -> Recollection:
        """What planning of a few subjects rests on, by their fingerprints; b"" for those that are none now."""
        ...

    async def called(self, uids: Collection[str]) -> list[EntityRef]:
        """Every subject that is remembered with one of these uids."""
        ...

    def each_memory(self) -> AsyncIterator[tuple[EntityRef, Memory]]:
        """The memory of every subject, streamed in order of reference."""
        ...

    async def doubt(self, refs: Collection[EntityRef]) -> None:
        """Something live of these subjects may stand otherwise than remembered: they are astray, and not settled."""
        ...

    async def existing(self) -> dict[str, int]:
        """How many configs are applied, by kind and by owner; "" counts all."""
        ...

    async def kept(self, source: str) -> Kept | None:
        """What a source is held to have said; None before its first read."""
        ...

    async def read_digests(self) -> dict[str, str]:
        """The digest of each source's last read, "" where it has to be read again in any case."""
        ...

    async def keep(self, source: str, kept: Kept, changed: Collection[EntityRef] | None = None) -> None:
        """Remember what a source said; where only some entities changed or went, `changed` names them."""
        ...

    async def drop(self, source: str) -> None:
        """Forget what a source said."""
        ...

    async def roots(self) -> dict[str, str]:
        """The state in which each root was last seen to hold what we applied."""
        ...

    async def see_roots(self, states: Mapping[str, str]) -> None:
        """Remember the states of roots."""
        ...

    async def save_plan(self, rows: AsyncIterable[Sequence[Planned]], head: Callable[[], Plan]) -> Plan:
        """Store a plan in one transaction: the rows as they are made, then the head that is only known behind them."""
        ...

    async def plan(self, id: str) -> Plan | None:
        """A stored plan by its id, the newest for ""."""
        ...

    def parts(self, id: str) -> AsyncIterator[Part]:
        """The parts of a stored plan, in order of subject."""
        ...

    def applying(self) -> AbstractAsyncContextManager[None]:
        """Held while plans are applied: TemporaryError when another process holds it."""
        ...

    async def intend(self, entries: Sequence[Entry]) -> None:
        """Write journal lines before the writes they announce."""
        ...

    async def finish(self, entries: Sequence[Entry], applied: Mapping[ConfigId, Applied | None]) -> None:
        """Close journal lines and remember what is applied now (None: the config is gone), together."""
        ...

    async def forget_entries(self, entries: Sequence[Entry]) -> None:
        """Drop journal lines of writes that turned out never to have happened."""
        ...

    async def journal(self, plan: str = "") -> list[Entry]:
        """The journal of one plan, or every open line when no plan is named, oldest first."""
        ...

    async def undoable(self, limit: int = 20) -> list[tuple[str, int]]:
        """The newest applied plans with how many writes each has in the journal."""
        ...

    async def written(self, since: float) -> dict[str, dict[str, int]]:
        """How many configs were written since then (seconds since 1970), by kind and by owner; "" counts all.

        By action within; `RECREATE` is one of its own.
        """
        ...


class SharedStore(Store, Protocol):
    """A store that a daemon keeps its memory in, alone or together with other replicas."""

    work: Work

    def fenced(self, claims: Sequence[Claim]) -> Store:
        """The same memory, for who works on `claims`: every write raises `Fenced`, and changes nothing, once one of
        them is lost. `applying` of it excludes only who wants the whole, and `journal("")` shows only open lines of
        the claimed subjects; that of the whole store leaves out lines of subjects that somebody works on.
        """
        ...

    async def generation(self) -> int:
        """A number that grows whenever a source is kept or dropped."""
        ...

    async def entity_marks(self, source: str) -> dict[EntityRef, int]:
        """The entities of a source, each with the generation in which it last changed."""
        ...

    async def entities(self, source: str, refs: Collection[EntityRef]) -> list[Entity]:
        """Some entities of a source."""
        ...

    async def open_parts(
        self, refs: Collection[EntityRef] | None = None, after: str = "", limit: int = 500
    ) -> list[tuple[str, Part]]:
        """What the last plan of each unsettled subject found, with that plan's id, by subject; those behind `after`."""
        ...

    async def plans(self, before: int = 0, limit: int = 50) -> list[tuple[int, Plan]]:
        """Stored plans with their numbers, the newest first; `before` is a number to go on below."""
        ...

    async def save_run(self, run: Run) -> None:
        """Remember a run, in place of what was remembered of it before."""
        ...

    async def runs(self, before: str = "", limit: int = 50) -> list[Run]:
        """Runs, the newest first; `before` is an id to go on below. Some thousands of the newest are kept."""
        ...

    async def run(self, id: str) -> Run | None:
        """One run."""
        ...

    async def record(self, events: Sequence[Event]) -> None:
        """Add events; the store numbers them. Some ten thousand of the newest are kept."""
        ...

    async def events(self, after: int, limit: int = 500) -> list[Event]:
        """Events with higher numbers than `after`, the oldest first; a negative `after` gives the newest."""
        ...

    async def notes(self, topic: str) -> dict[str, bytes]:
        """What people said that holds until they take it back or it runs out: pauses, approvals. By key."""
        ...

    async def pin(self, topic: str, key: str, note: bytes, until: float, *, replace: bool = True) -> bool:
        """Keep a note until then (seconds since 1970). Without `replace` one that is there stays, and False is said."""
        ...

    async def unpin(self, topic: str, keys: Collection[str]) -> None:
        """Take notes back."""
        ...
