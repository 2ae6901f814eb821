"""reading: what the sources say, brought into the graph and remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.engine.ingest import ingest
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.subjects import Subjects
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import SourceState, Words
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Home
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.lease import check_lease
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sdk.store import Kept, Store

CODE = "code"
"""The name of the source that looks into repositories; no other may have it."""


@dataclass(frozen=True)
class Setup:
    """What an organisation decided once: its name, its tier table, where files land, what is never deleted."""

    organisation: str
    tiers: Tiers
    central: Home | None = None
    code_host: str = ""
    protected: tuple[str, ...] = ()


CodeOf = Callable[[Iterable[Entity]], Source]
"""Makes the source that looks into the repositories of entities."""


@dataclass(frozen=True)
class Sources:
    """Where facts come from, in order of precedence; `code` looks into the repositories of what they show."""

    named: Sequence[Source] = ()
    code: CodeOf | None = None


@dataclass
class Unsaved:
    """What a person's words brought about, which is remembered when the plan that they were said for is applied."""

    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    dropped: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class _Brought:
    """What a source says, and what it is held to have said `before`: the same where it did not have to be read."""

    name: str
    state: SourceState
    before: Kept | None
    kept: Kept
    said: tuple[Diagnosis, ...]

    @property
    def loses(self) -> bool:
        """Whether it shows something no longer."""
        before = {entity.ref for entity in self.before.entities} if self.before and self.before is not self.kept else ()
        return bool(set(before).difference(entity.ref for entity in self.kept.entities))


class Reading:
    """The graph of all that the sources say, and how far each can be trusted.

    `diagnoses` is what they were found to say wrongly; `left_alone` is what only sources show that the settings no
    longer name.
    """

    def __init__(self, setup: Setup, sources: Sources, store: Store) -> None:
        self.diagnoses: list[Diagnosis] = []
        self.states: dict[str, SourceState] = {}
        self.left_alone: set[EntityRef] = set()
        self.unsaved = Unsaved()
        self._guards = setup.tiers.guards
        self._sources = sources
        self.store = store
        """Where it is remembered what they say; that of who leads refuses once somebody else does."""
        self._kept: dict[str, Kept] = {}
        self._said: dict[str, tuple[Diagnosis, ...]] = {}
        precedence = [*(source.name for source in sources.named), "codeowners"]
        self.graph = Graph(precedence, setup.tiers.confidence.model_dump(), setup.organisation)
        self.subjects = Subjects(self.graph, setup.tiers, central=setup.central, code_host=setup.code_host)

    @property
    def names(self) -> tuple[str, ...]:
        """The sources that the settings name, in order of precedence."""
        return tuple(source.name for source in self._sources.named)

    async def look(self) -> list[str]:
        """The digest of every named source, as cheaply as it can be had."""
        return list(await asyncio.gather(*(source.look() for source in self._sources.named)))

    async def read(self, digests: Sequence[str], words: Words) -> tuple[list[str], set[EntityRef]]:
        """Bring the graph up to date; gives the digest of each, that of the code last, and what changed.

        `words` is what a person vouches for: what follows from that is remembered only when it is applied.
        """
        affected: set[EntityRef] = set()
        known = await self.store.read_digests()
        digests = list(digests)
        brought = [
            await self._bring(source, digest, known, words)
            for source, digest in zip(self._sources.named, digests, strict=True)
        ]
        affected |= await self._believe(brought, words)
        if self._sources.code is not None:
            code = self._sources.code(tuple(self.graph.entities.values()))
            digests.append(await code.look())
            affected |= await self._believe([await self._bring(code, digests[-1], known, words, required=False)], words)
        self.diagnoses = [diagnosis for said in self._said.values() for diagnosis in said]
        await self._unnamed(known, words)
        return digests, affected

    async def follow(self, names: Collection[str]) -> set[EntityRef]:
        """Bring the graph up to date with some of the named sources; gives what changed.

        Nothing is gone by that: another source may show it by now, and `read` asks all of them.
        """
        known = await self.store.read_digests()
        brought = [
            await self._bring(source, await source.look(), known, Words(), whole=False)
            for source in self._sources.named
            if source.name in names
        ]
        affected = await self._believe(brought, Words())
        self.diagnoses = [diagnosis for said in self._said.values() for diagnosis in said]
        return affected

    async def recall(self, names: Iterable[str]) -> set[EntityRef]:
        """Bring the graph up to date with what is remembered of some sources; gives what changed."""
        affected: set[EntityRef] = set()
        remembered = {name: kept for name in names if (kept := await self.store.kept(name)) is not None}
        ours = {source.name for source in self._sources.named} | {CODE}
        for name, kept in remembered.items():  # all at once: what moves from one source to another is never gone
            if name in ours:
                self._said[name] = kept.diagnoses
                affected |= self._take(name, kept)
        others = [kept for name, kept in remembered.items() if name not in ours]
        self.left_alone = {entity.ref for kept in others for entity in kept.entities}
        self.diagnoses = [diagnosis for said in self._said.values() for diagnosis in said]
        return affected

    async def _bring(
        self,
        source: Source,
        digest: str,
        known: Mapping[str, str],
        words: Words,
        *,
        required: bool = True,
        whole: bool = True,
    ) -> _Brought | None:
        """What one source says, from memory where nothing changed; None where the graph has it already."""
        name = source.name
        if digest and known.get(name) == digest:
            if name in self.states and self.states[name].digest == digest:
                return None
            kept = await self.store.kept(name)
            assert kept is not None
            state = SourceState(name, Completeness.COMPLETE, "unchanged since it was last read", digest)
            return _Brought(name, state, kept, kept, kept.diagnoses)
        previous, snapshot = await self._previous(name), await source.read()
        if required and previous is None and snapshot.completeness is Completeness.FAILED:
            raise TemporaryError(f"source {name} cannot be read, and never was: {snapshot.reason}")
        allowed, now = name in words.shrunk, time.time()
        found = ingest(previous, snapshot, self._guards, now, gone=words.gone, shrink_allowed=allowed, alone=not whole)
        await asyncio.sleep(0)
        return _Brought(name, found.state, previous, found.kept, (*found.diagnoses, *found.kept.diagnoses))

    async def _believe(self, brought: Iterable[_Brought | None], words: Words) -> set[EntityRef]:
        """Remember what sources say, and take it into the graph all at once; gives what changed.

        What moves from one source to another is gone at no time, neither here nor for who recalls it: sources that
        lost nothing are remembered first.
        """
        new = [one for one in brought if one is not None]
        for one in sorted(new, key=lambda one: one.loses):
            if words and one.kept is not one.before:
                self.unsaved.kept[one.name] = one.kept  # a plan only asks; a person's word is kept when it is applied
            elif one.kept != one.before:
                await self.store.keep(one.name, one.kept, _changed(one.before, one.kept))
                self._kept[one.name] = one.kept
        await asyncio.sleep(0)  # for 10,000 entities each of these steps takes some 10 ms
        check_lease()  # another replica may lead by now, and what we read be older than what it told us
        affected: set[EntityRef] = set()
        for one in new:
            self._said[one.name] = one.said
            self.states[one.name] = one.state  # not before: what may not have been kept is taken in anew
            affected |= self._take(one.name, one.kept)
        return affected

    async def _previous(self, name: str) -> Kept | None:
        """What the source is held to have said, from memory unless another replica has kept it since."""
        held = self._kept.get(name)
        if held is not None and held.read_digest and (await self.store.read_digests()).get(name) == held.read_digest:
            return held
        return await self.store.kept(name)

    async def _unnamed(self, known: Iterable[str], words: Words) -> None:
        """What only a source shows that the settings no longer name is left alone: a line removed proves no absence."""
        self.left_alone = set()
        for name in sorted(set(known) - {source.name for source in self._sources.named} - {CODE}):
            if name in words.dropped:
                self.unsaved.dropped.add(name)
                continue
            kept = await self.store.kept(name)
            self.left_alone |= {entity.ref for entity in kept.entities} if kept else set()
            message = f"the settings no longer name {name}, so what only it showed is left alone (--drop-source {name})"
            self.diagnoses.append(Diagnosis(code="source-unnamed", message=message, severity=Severity.WARNING))

    def _take(self, source: str, kept: Kept) -> set[EntityRef]:
        taken = Snapshot(
            source=source, scope="", completeness=Completeness.COMPLETE, reason="", digest=kept.read_digest,
            entities=kept.entities, edges=kept.edges, facts=kept.facts, blueprints=kept.blueprints,
        )  # fmt: skip
        affected = self.graph.take(taken)
        self.subjects.forget(affected)
        return affected


def _changed(before: Kept | None, after: Kept) -> set[EntityRef] | None:
    """The entities that are not as they were; None for all of them."""
    if before is None:
        return None
    known = {entity.ref: entity for entity in before.entities}
    changed = {entity.ref for entity in after.entities if known.pop(entity.ref, None) != entity}
    return changed | known.keys()
