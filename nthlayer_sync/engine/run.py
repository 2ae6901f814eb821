"""A run, from sources to plan to results; and what stays in memory between runs."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from nthlayer_sync.engine.apply import Applier, Gating, Progress
from nthlayer_sync.engine.draft import Known, Rules, Scope
from nthlayer_sync.engine.gate import Gate, Gates, standing_rules
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Consent, Lately
from nthlayer_sync.engine.observe import Live
from nthlayer_sync.engine.plan import CHUNK, Planner, disturbed
from nthlayer_sync.engine.propose import Asked, propose
from nthlayer_sync.engine.reading import CodeOf, Reading, Setup, Sources
from nthlayer_sync.engine.recover import Recovered, recover
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.graph.subjects import Held
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.plan import Checksum, Part, Plan, Words
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.hosting import Proposed
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sdk.store import Store

if TYPE_CHECKING:
    from nthlayer_sync.engine.blueprints import BlueprintFiles, Rewritten


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


@dataclass(frozen=True)
class Terms:
    """On what terms the daemon plans a few subjects: what writes wait for, what small plans wrote lately."""

    rules: tuple[Gate, ...] = ()
    consent: Consent = field(default_factory=Consent)
    lately: Lately = field(default_factory=Lately)


class Engine:
    """One organisation: its sources in order of precedence, its plugins, its memory.

    `graph` and `subjects` are filled by the first `read`. A daemon works on some subjects at a time, several such works
    side by side: `reconcile`, and `apply` with the store of that work.
    """

    def __init__(
        self,
        setup: Setup,
        sources: Sequence[Source],
        generator: Generator,
        store: Store,
        code: CodeOf | None = None,
        files: FileTarget | None = None,
    ) -> None:
        """`files` is where files land; without it nothing is proposed."""
        self.setup = setup
        self.generator = generator
        self.store = store
        self.interrupted = 0
        """Writes that an interrupted run had made without remembering them, found by the last `plan`."""
        self.proposals: list[Proposed] = []
        """The pull requests that the last `apply` or `undo` opened, updated, closed or left, and its failures to."""
        self.reading = Reading(setup, Sources(sources, code), store)
        self.graph, self.subjects = self.reading.graph, self.reading.subjects
        self._files = files
        self._code = code
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """What the sources were found to say wrongly."""
        return self.reading.diagnoses

    async def read(self, request: Request = Request()) -> set[EntityRef]:
        """Read every source and bring the graph up to date; gives what changed."""
        return (await self.reading.read(await self.reading.look(), request.words))[1]

    async def plan(self, request: Request = Request()) -> Plan:
        """Make and store a plan of everything; nothing live is written."""
        live = Live(self.store.roots)
        looks = asyncio.ensure_future(self.reading.look())
        await live.observe_known(self.generator.targets)
        digests = await looks
        if self._code is None and (unchanged := await self._unchanged(digests, live, request)) is not None:
            return unchanged
        digests, _ = await self.reading.read(digests, request.words)
        if self._code is not None and (unchanged := await self._unchanged(digests, live, request)) is not None:
            return unchanged
        recovered = await recover(self.store, self.generator, live, time.time())
        self.interrupted = recovered.made
        scope = Scope(
            self._present(),
            self._known(),
            self._identity,
            sources=tuple(self.reading.states.values()),
            inputs=self._inputs(digests),
            words=request.words,
        )
        rules = self._rules(Terms(consent=request.consent), recovered.open, enforce=request.enforce)
        plan = await Planner(self.store, self.generator, live, rules).plan(scope, await self.store.traces())
        await self.store.see_roots(live.states())
        return plan

    async def due(self, refs: Collection[EntityRef] | None = None) -> list[EntityRef]:
        """Which of these subjects, or of all, have something to be looked at: new, changed, unsettled or gone."""
        traces, present = await self.store.traces(refs), self._known()
        await asyncio.sleep(0)
        found = [ref for ref in traces if ref not in present]
        left = set(traces).difference(found)
        await asyncio.sleep(0)
        for number, subject in enumerate(self._present() if refs is None else self._of(sorted(refs))):
            trace = traces.get(subject.ref)
            left.discard(subject.ref)
            if trace is None or not trace.settled or trace.fingerprint != self.generator.fingerprint(subject):
                found.append(subject.ref)
            if number % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        return found + sorted(ref for ref in left if traces[ref].settled)  # no subjects now: held, and told once

    async def audit(self, roots: Collection[str] | None = None) -> list[EntityRef]:
        """Look at repositories and accounts, or some of them, by their names in the store's `roots`.

        Gives the subjects of which something there is not as we left it, or may not be; they are astray from then on.
        """

        async def known() -> dict[str, str]:
            found = await self.store.roots()
            return {name: state for name, state in found.items() if roots is None or name in roots}

        live = Live(known)
        await live.observe_known(self.generator.targets)
        open = {entry.id.subject for entry in await self.store.journal()}
        found = sorted(open | await disturbed(self.store, self.generator, live))
        await self.store.doubt(found)  # before the states are: a crash between must not lose what was found
        await self.store.see_roots(live.states())
        self.proposals = await self._propose(self.store, "")
        return found

    async def reconcile(self, refs: Collection[EntityRef], store: Store, terms: Terms) -> Plan:
        """Plan some subjects, gone ones among them; what a guard refuses waits, and the rest may be applied.

        `store` is that of who works on them. What is live is believed to be as remembered, unless it was found
        otherwise before.
        """
        live = Live(store.roots, trusting=True)
        subjects = list(self._of(sorted(refs)))
        fingerprints = dict.fromkeys(refs, b"") | {s.ref: self.generator.fingerprint(s) for s in subjects}
        known, recovered = await store.recollect(fingerprints), Recovered(0, {})
        if known.open:
            recovered = await recover(store, self.generator, live, time.time())
            known = await store.recollect(fingerprints)
        rules = self._rules(terms, recovered.open)
        traces = known.traces
        former = await self._former([ref for ref in refs if ref not in traces], store)
        if former:
            traces |= await store.traces(former)
        scope = Scope(
            subjects,
            self._known(),
            self._identity,
            whole=False,
            sources=tuple(self.reading.states.values()),
            memories=known.memories,
        )
        plan = await Planner(store, self.generator, live, rules).plan(scope, traces)
        if plan.refusals:
            rules = replace(rules, gates=replace(rules.gates, refusals=plan.refusals))
            plan = await Planner(store, self.generator, live, rules).plan(scope, traces)
        return plan

    async def apply(
        self,
        plan: Plan,
        parts: AsyncIterator[Part],
        progress: Progress = lambda _: None,
        store: Store | None = None,
        gates: Gating | None = None,
    ) -> list[Result]:
        """Apply a plan as it was reviewed; the graph has to be read with the plan's words.

        `store` is that of who works on its subjects, where not the whole is worked on. `gates` are asked once more
        while it is applied.
        """
        mine = store or self.store
        async with mine.applying():
            if store is None:
                await self._save_words()
            applier = Applier(mine, self.generator, self.subject, self._busy, gates)
            results = await applier.apply(plan, parts, progress)
            touched = None if store is None else applier.roots
            self.proposals = await self._propose(mine, plan.id, among=touched)
            return results

    async def undo(self, plan: str, store: Store | None = None) -> list[Result]:
        """Put back what an applied plan changed."""
        mine = store or self.store
        async with mine.applying():
            results = await undo(mine, self.generator, plan, self.setup.protected)
            self.proposals = await self._propose(mine, plan)
            return results

    async def promote(self, blueprints: BlueprintFiles, files: Sequence[Rewritten], message: str) -> dict[str, str]:
        """Write blueprint files; gives the commit of each repository."""
        async with self.store.applying():
            commits = await blueprints.save(files, message)
            newest = next((plan for plan, _ in await self.store.undoable(1)), "")
            self.proposals = await self._propose(self.store, newest, commits)
            return commits

    def subject(self, ref: EntityRef) -> Subject | None:
        """A subject that configs are generated for."""
        found = self.subjects.get(ref)
        return None if isinstance(found, Held) else found

    async def _former(self, refs: Collection[EntityRef], store: Store) -> set[EntityRef]:
        """What subjects of these were called before they were renamed: their configs move, and are not made twice."""
        uids = [uid for ref in refs if (uid := self._identity(ref))]
        return {old for old in await store.called(uids) if old not in self.graph.entities} if uids else set()

    async def _save_words(self) -> None:
        unsaved = self.reading.unsaved
        for name, kept in unsaved.kept.items():
            await self.store.keep(name, kept)
        for name in unsaved.dropped:
            await self.store.drop(name)

    async def _propose(
        self, store: Store, plan: str, roots: Iterable[str] = (), among: Collection[str] | None = None
    ) -> list[Proposed]:
        if self._files is None:
            return []
        return await propose(store, self._files, self.subject, Asked(plan, frozenset(roots), among))

    def _rules(self, terms: Terms, open: Mapping[ConfigId, str], *, enforce: bool = False) -> Rules:
        standing = standing_rules(self.generator, self.graph.entities.get)
        return Rules(
            self.setup.tiers.guards,
            Gates((*standing, *terms.rules), protected=self.setup.protected),
            self.setup.protected,
            terms.consent,
            terms.lately,
            enforce,
            open,
            time.time(),
        )

    async def _unchanged(self, digests: Sequence[str], live: Live, request: Request) -> Plan | None:
        """A plan of nothing, when neither sources nor plugins nor live systems moved since everything was settled."""
        newest = await self.store.plan("")
        if newest is None or newest.inputs != self._inputs(digests) or live.moving or request.words:
            return None
        known = set((await self.store.read_digests()).values())
        if not known.issuperset(digests) or "" in digests or await self.store.unsettled():
            return None
        return Plan(checksum=str(Checksum()), inputs=newest.inputs, sources=newest.sources, subjects=newest.subjects)

    @cached_property
    def version(self) -> str:
        """The digest of what everything is generated with: plugins, their settings, the tier table."""
        ours = (self.generator.digest, self.setup.tiers.table.model_dump_json(), repr(self.setup.central))
        return blake2b("\0".join(ours).encode(), digest_size=16).hexdigest()

    def _inputs(self, digests: Sequence[str]) -> str:
        return blake2b("\0".join((*digests, self.version)).encode(), digest_size=16).hexdigest()

    def _known(self) -> Known:
        """Everything that the sources still show."""
        return Known(self.graph.entities, {self.graph.organisation, *self.reading.left_alone})

    def _present(self) -> Iterator[Subject]:
        return (found for found in self.subjects if not isinstance(found, Held))

    def _of(self, refs: Iterable[EntityRef]) -> Iterator[Subject]:
        return (found for ref in refs if (found := self.subject(ref)) is not None)

    def _identity(self, ref: EntityRef) -> str:
        entity = self.graph.entities.get(ref)
        return entity.identity if entity else ""
