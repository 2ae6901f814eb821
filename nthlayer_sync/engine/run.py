"""A run, from sources to plan to results; and what stays in memory between runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.engine.apply import Applier, Progress
from nthlayer_sync.engine.draft import Rules, Scope
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.ingest import ingest
from nthlayer_sync.engine.observe import Live
from nthlayer_sync.engine.plan import Planner
from nthlayer_sync.engine.propose import propose
from nthlayer_sync.engine.recover import open_lines, recover
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.subjects import Held, Subjects
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Checksum, Part, Plan, SourceState, Words
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.service import Home, Subject
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.hosting import Proposed
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sdk.store import Kept, Store

if TYPE_CHECKING:
    from nthlayer_sync.engine.blueprints import BlueprintFiles, Rewritten

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


@dataclass(frozen=True)
class Request:
    """What a person says about one run."""

    consent: Consent = field(default_factory=Consent)
    enforce: bool = False
    gone: frozenset[EntityRef] = frozenset()
    """Entities whose absence a person vouches for."""
    shrunk: frozenset[str] = frozenset()
    """Sources that may show much less than before."""
    dropped: frozenset[str] = frozenset()
    """Sources that the settings no longer name, and whose entities are given up."""

    @classmethod
    def of(cls, plan: Plan) -> Request:
        """What a person vouched for when this plan was made."""
        return cls(gone=plan.words.gone, shrunk=plan.words.shrunk, dropped=plan.words.dropped)

    @property
    def words(self) -> Words:
        """What a person vouches for; it holds for whatever comes of this run."""
        return Words(self.gone, self.shrunk, self.dropped)


class Engine:
    """One organisation: its sources in order of precedence, its plugins, its memory.

    `graph` and `subjects` are there after the first `read`; `diagnoses` is what the sources were found to say wrongly.
    """

    def __init__(
        self,
        setup: Setup,
        sources: Sequence[Source],
        generator: Generator,
        store: Store,
        code: Callable[[Iterable[Entity]], Source] | None = None,
        files: FileTarget | None = None,
    ) -> None:
        """`code` makes the source that looks into the repositories of the entities that the others show.

        `files` is where files land; without it nothing is proposed.
        """
        self.setup = setup
        self.generator = generator
        self.store = store
        self.diagnoses: list[Diagnosis] = []
        self.interrupted = 0
        """Writes that an interrupted run had made without remembering them, found by the last `plan`."""
        self.proposals: list[Proposed] = []
        """The pull requests that the last `apply` or `undo` opened, updated, closed or left, and its failures to."""
        self._files = files
        self._sources = sources
        self._code = code
        self._states: dict[str, SourceState] = {}
        self._left_alone: set[EntityRef] = set()
        self._unsaved: dict[str, Kept] = {}
        self._dropped: set[str] = set()
        precedence = [*(source.name for source in sources), "codeowners"]
        self.graph = Graph(precedence, setup.tiers.confidence.model_dump(), setup.organisation)
        self.subjects = Subjects(self.graph, setup.tiers, central=setup.central, code_host=setup.code_host)

    async def read(self, request: Request = Request()) -> None:
        """Read every source and bring the graph up to date."""
        await self._read(await asyncio.gather(*(source.look() for source in self._sources)), request)

    async def plan(self, request: Request = Request()) -> Plan:
        """Make and store a plan of everything; nothing live is written."""
        live = Live(await self.store.roots())
        looks = asyncio.gather(*(source.look() for source in self._sources))
        await live.observe_known(self.generator.targets)
        digests = await looks
        if self._code is None and (unchanged := await self._unchanged(digests, live, request)) is not None:
            return unchanged
        digests = await self._read(digests, request)
        if self._code is not None and (unchanged := await self._unchanged(digests, live, request)) is not None:
            return unchanged
        recovered = await recover(self.store, self.generator, live, time.time())
        self.interrupted = recovered.made
        scope = Scope(
            self._present(),
            self.graph.entities.keys() | {self.graph.organisation} | self._left_alone,
            self._identity,
            tuple(self._states.values()),
            self._inputs(digests),
            request.words,
        )
        plan = await self._planner(live, request, recovered.open).plan(scope, await self.store.traces())
        await self.store.see_roots(live.states())
        return plan

    async def change(self, source: str, changed: Sequence[Entity], removed: Iterable[EntityRef], live: Live) -> Plan:
        """Plan what follows from entities that changed since `read`; the cost is in proportion to what they touch."""
        affected = self.graph.update(source, changed, removed)
        self.subjects.forget(affected)
        scope = Scope(self._of(sorted(affected)), None, self._identity, tuple(self._states.values()))
        traces = await self.store.traces(affected)
        open = open_lines(await self.store.journal(), self.generator, time.time())
        return await self._planner(live, Request(), open).plan(scope, traces)

    async def apply(self, plan: Plan, parts: AsyncIterator[Part], progress: Progress = lambda _: None) -> list[Result]:
        """Apply a plan as it was reviewed; the graph has to be read with the plan's words."""
        async with self.store.applying():
            for name, kept in self._unsaved.items():
                await self.store.keep(name, kept)
            for name in self._dropped:
                await self.store.drop(name)
            results = await Applier(self.store, self.generator, self.subject).apply(plan, parts, progress)
            await self._propose()
            return results

    async def undo(self, plan: str) -> list[Result]:
        """Put back what an applied plan changed."""
        async with self.store.applying():
            results = await undo(self.store, self.generator, plan)
            await self._propose()
            return results

    async def promote(self, blueprints: BlueprintFiles, files: Sequence[Rewritten], message: str) -> dict[str, str]:
        """Write blueprint files; gives the commit of each repository."""
        async with self.store.applying():
            commits = await blueprints.save(files, message)
            await self._propose(commits)
            return commits

    def subject(self, ref: EntityRef) -> Subject | None:
        """A subject that configs are generated for."""
        found = self.subjects.get(ref)
        return None if isinstance(found, Held) else found

    async def _propose(self, roots: Iterable[str] = ()) -> None:
        self.proposals = await propose(self.store, self._files, self.subject, roots) if self._files else []

    def _planner(self, live: Live, request: Request, open: Mapping[ConfigId, str]) -> Planner:
        tiers = self.setup.tiers
        rules = Rules(tiers.guards, self.setup.protected, request.consent, request.enforce, open, time.time())
        return Planner(self.store, self.generator, live, rules)

    async def _unchanged(self, digests: Sequence[str], live: Live, request: Request) -> Plan | None:
        """A plan of nothing, when neither sources nor plugins nor live systems moved since everything was settled."""
        newest = await self.store.plan("")
        if newest is None or newest.inputs != self._inputs(digests) or live.moving or request.words:
            return None
        known = set((await self.store.read_digests()).values())
        if not known.issuperset(digests) or "" in digests or await self.store.unsettled():
            return None
        return Plan(checksum=str(Checksum()), inputs=newest.inputs, sources=newest.sources, subjects=newest.subjects)

    def _inputs(self, digests: Sequence[str]) -> str:
        ours = (self.generator.digest, self.setup.tiers.table.model_dump_json(), repr(self.setup.central))
        return blake2b("\0".join((*digests, *ours)).encode(), digest_size=16).hexdigest()

    async def _read(self, digests: Sequence[str], request: Request) -> list[str]:
        """Bring the graph up to date; gives the digest of every source, that of the code last."""
        self.diagnoses.clear()
        known = await self.store.read_digests()
        digests = list(digests)
        for source, digest in zip(self._sources, digests, strict=True):
            await self._bring(source, digest, known, request)
        if self._code is not None:
            code = self._code(tuple(self.graph.entities.values()))
            digests.append(await code.look())
            await self._bring(code, digests[-1], known, request, required=False)
        await self._unnamed(known, request)
        return digests

    async def _bring(
        self, source: Source, digest: str, known: Mapping[str, str], request: Request, *, required: bool = True
    ) -> None:
        """Take in one source, from memory where nothing changed."""
        if digest and known.get(source.name) == digest:
            if source.name in self._states:
                return
            kept = await self.store.kept(source.name)
            assert kept is not None
            reason = "unchanged since it was last read"
            self._states[source.name] = SourceState(source.name, Completeness.COMPLETE, reason, digest)
        else:
            kept = await self._ingest(source, request, required)
        self.diagnoses += kept.diagnoses
        self._take(source.name, kept)

    async def _ingest(self, source: Source, request: Request, required: bool) -> Kept:
        previous, snapshot = await self.store.kept(source.name), await source.read()
        if required and previous is None and snapshot.completeness is Completeness.FAILED:
            raise TemporaryError(f"source {source.name} cannot be read, and never was: {snapshot.reason}")
        allowed = source.name in request.shrunk
        guards = self.setup.tiers.guards
        found = ingest(previous, snapshot, guards, time.time(), gone=request.gone, shrink_allowed=allowed)
        self.diagnoses += found.diagnoses
        self._states[source.name] = found.state
        if request.words:
            self._unsaved[source.name] = found.kept  # a plan only asks; a person's word is kept when it is applied
        else:
            await self.store.keep(source.name, found.kept)
        return found.kept

    async def _unnamed(self, known: Iterable[str], request: Request) -> None:
        """What only a source shows that the settings no longer name is left alone: a line removed proves no absence."""
        self._left_alone = set()
        for name in sorted(set(known) - {source.name for source in self._sources} - {CODE}):
            if name in request.dropped:
                self._dropped.add(name)
                continue
            kept = await self.store.kept(name)
            self._left_alone |= {entity.ref for entity in kept.entities} if kept else set()
            message = f"the settings no longer name {name}, so what only it showed is left alone (--drop-source {name})"
            self.diagnoses.append(Diagnosis(code="source-unnamed", message=message, severity=Severity.WARNING))

    def _take(self, source: str, kept: Kept) -> None:
        taken = Snapshot(
            source=source, scope="", completeness=Completeness.COMPLETE, reason="", digest=kept.read_digest,
            entities=kept.entities, edges=kept.edges, facts=kept.facts, blueprints=kept.blueprints,
        )  # fmt: skip
        self.subjects.forget(self.graph.take(taken))

    def _present(self) -> Iterator[Subject]:
        return (found for found in self.subjects if not isinstance(found, Held))

    def _of(self, refs: Iterable[EntityRef]) -> Iterator[Subject]:
        return (found for ref in refs if (found := self.subject(ref)) is not None)

    def _identity(self, ref: EntityRef) -> str:
        entity = self.graph.entities.get(ref)
        return entity.identity if entity else ""
