"""plan: every change of a run, subject by subject, in work proportional to what changed.

A subject is passed over when its fingerprint is the remembered one, all it wants is applied, and nothing moved where
its configs stand. What is left is generated, compared, and streamed into the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from itertools import islice

from nthlayer_sync.engine.decide import questions
from nthlayer_sync.engine.draft import Draft, Rules, Scope, held, owner_of
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Existing, Tally, guard
from nthlayer_sync.engine.judge import Judge
from nthlayer_sync.engine.observe import Live
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change, Checksum, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.sdk.store import Memory, Planned, Store, Trace

CHUNK = 250
"""Subjects planned between two breaths of the event loop: about 20 ms of work."""

_NOWHERE = Place("", "")


class Planner:
    """Makes one plan."""

    def __init__(self, store: Store, generator: Generator, live: Live, rules: Rules) -> None:
        self._store = store
        self._generator = generator
        self._live = live
        self._rules = rules
        self._judge = Judge(generator, live, rules)
        self._tally = Tally()
        self._checksum = Checksum()
        self._existing = Existing()
        self._looked_at = 0
        self._inherited: set[EntityRef] = set()
        self._read: Mapping[EntityRef, Memory] = {}
        self._order = {kind: index for index, kind in enumerate(generator.kinds)}

    async def plan(self, scope: Scope, traces: Mapping[EntityRef, Trace]) -> Plan:
        """Plan and store; nothing live is written."""

        def head() -> Plan:
            return Plan(
                checksum=str(self._checksum),
                inputs=scope.inputs,
                words=scope.words,
                sources=scope.sources,
                counts={k: {str(a): n for a, n in count.items()} for k, count in sorted(self._tally.actions.items())},
                refusals=guard(
                    self._tally, self._existing, self._rules.guards, self._rules.consent, self._rules.lately
                ),
                subjects=self._looked_at,
            )

        return await self._store.save_plan(self._rows(scope, traces), head)

    async def _rows(self, scope: Scope, traces: Mapping[EntityRef, Trace]) -> AsyncIterator[Sequence[Planned]]:
        self._read = scope.memories
        # What people moved is looked for by a plan of everything; one of a few subjects costs what these cost.
        moved = {id.subject for id in self._rules.open}
        if scope.whole:
            moved |= await disturbed(self._store, self._generator, self._live)
        gone = sorted(ref for ref in traces if ref not in scope.present)
        former = await self._former(gone, scope, traces)
        subjects = iter(scope.subjects)
        unasked = set(traces).difference(gone)
        while chunk := list(islice(subjects, CHUNK)):
            self._looked_at += len(chunk)
            unasked.difference_update(subject.ref for subject in chunk)
            yield await self._chunk(chunk, traces, moved, former, scope.uid_of)
            if len(chunk) == CHUNK:
                await asyncio.sleep(0)
        for ref in gone:
            yield await self._leave(ref, former, scope)
        for ref in sorted(unasked):
            yield await self._hold(ref)
        tally = self._tally
        updates = tally.total(Action.UPDATE) > self._rules.guards.updates.floor
        if updates or tally.total(Action.DELETE) or tally.recreates.total():
            applied = await self._store.existing()
            self._existing = Existing(applied.get("", 0), applied)

    async def _former(
        self, gone: Collection[EntityRef], scope: Scope, traces: Mapping[EntityRef, Trace]
    ) -> dict[EntityRef, EntityRef]:
        """Subjects that are called otherwise now, by their new names: of the same kind, and new to us."""
        if not gone:
            return {}
        known = await self._memories(gone)
        lost = {(ref.partition(":")[0], memory.uid): ref for ref, memory in known.items() if memory.uid}
        found: dict[EntityRef, EntityRef] = {}
        for new in sorted(set(scope.present).difference(traces)) if lost else ():
            if old := lost.pop((new.partition(":")[0], scope.uid_of(new)), None):
                found[new] = old
        return found

    async def _chunk(
        self,
        subjects: list[Subject],
        traces: Mapping[EntityRef, Trace],
        moved: set[EntityRef],
        former: Mapping[EntityRef, EntityRef],
        uid_of: Callable[[EntityRef], str],
    ) -> list[Planned]:
        due: list[tuple[Subject, bytes]] = []
        for subject in subjects:
            trace, fingerprint = traces.get(subject.ref), self._generator.fingerprint(subject)
            if trace is None or not trace.settled or trace.fingerprint != fingerprint or subject.ref in moved:
                due.append((subject, fingerprint))
        was = {s.ref: former[s.ref] for s, _ in due if s.ref in former}
        memories = await self._memories([was.get(s.ref, s.ref) for s, _ in due if s.ref in traces or s.ref in was])
        drafts: list[Draft] = []
        for subject, fingerprint in due:
            before = memories.get(was.get(subject.ref, subject.ref), Memory(b""))
            trace = traces.get(subject.ref)
            draft = self._draft(subject, fingerprint, before, uid_of(subject.ref), was.get(subject.ref))
            draft.unsure = trace is None or trace.astray
            draft.doubted = trace is not None and trace.astray
            draft.home = subject.entity if isinstance(subject, Service) else None
            drafts.append(draft)
        self._inherited |= was.keys()
        await self._judge.decide(drafts)
        return [self._planned(draft) for draft in drafts]

    def _draft(self, subject: Subject, fingerprint: bytes, before: Memory, uid: str, was: EntityRef | None) -> Draft:
        made = self._generator.generate(subject)
        fresh = made.wanted
        asked = questions(fresh, before.applied, owner_of(before))
        wanted = fresh
        if made.failed:
            wanted = (*fresh, *(w for w in before.wanted if w.kind in made.failed))
            asked = [q for q in asked if q.key[0] not in made.failed]
        refused = [
            Change(kind, "", Action.REFUSE, "", _NOWHERE, "", reason=reason) for kind, reason in made.failed.items()
        ]
        configs = {(config.id.kind, config.id.name): config for config in made.configs}
        memory = Memory(fingerprint, uid, wanted, before.applied)
        return Draft(subject.ref, memory, asked, configs, was, changes=refused)

    async def _leave(self, ref: EntityRef, former: Mapping[EntityRef, EntityRef], scope: Scope) -> list[Planned]:
        """The configs of a subject that is proven gone, or called otherwise now."""
        before = (await self._memories([ref]))[ref]
        heir = next((new for new, old in former.items() if old == ref), None)
        if not before.applied or heir in self._inherited:
            return [Planned(ref, None, None)]
        draft = Draft(ref, before, questions((), before.applied, owner_of(before)), {}, None, True)
        if heir is None:
            await self._judge.decide([draft])
        else:
            draft.changes += [held(question, f"it is called {heir} now, which has to wait") for question in draft.asked]
        return [self._planned(draft)]

    async def _hold(self, ref: EntityRef) -> list[Planned]:
        """The configs of an entity that is there but is no subject now: nobody asks for them or said that they go."""
        before = (await self._memories([ref]))[ref]
        if not before.applied:
            return []
        draft = Draft(ref, before, questions((), before.applied, owner_of(before)), {}, None)
        reason = "the entity is not managed now, or something is wrong with it, so what it has stays as it is"
        draft.changes += [held(question, reason) for question in draft.asked]
        return [self._planned(draft)]

    async def _memories(self, refs: Collection[EntityRef]) -> dict[EntityRef, Memory]:
        """What is remembered of some subjects."""
        unread = [ref for ref in refs if ref not in self._read]
        found = await self._store.memories(unread) if unread else {}
        return found | {ref: self._read[ref] for ref in refs if ref in self._read}

    def _planned(self, draft: Draft) -> Planned:
        order = self._order
        if not draft.changes:
            return Planned(draft.ref, draft.memory, None, draft.astray, draft.doubted)
        gated = (
            self._rules.gates.pass_(draft.ref, change, str(ConfigId(change.kind, draft.ref, change.name)))
            for change in draft.changes
        )
        part = Part(draft.ref, tuple(sorted(gated, key=lambda c: (order.get(c.kind, -1), c.name))), draft.was)
        self._tally.add(part, self._rules.protected)
        self._checksum.add(part)
        return Planned(draft.ref, draft.memory, part, draft.astray, draft.doubted)


async def disturbed(store: Store, generator: Generator, live: Live) -> set[EntityRef]:
    """Subjects of whose configs one no longer stands as we left it, or may not."""
    found: set[EntityRef] = set()
    if not live.moving:
        return found
    async for ref, memory in store.each_memory():
        for applied in memory.applied:
            if applied.kind not in generator.kinds:
                continue
            root = live.find(generator.target(applied.kind, applied.place.root), applied.place.root)
            if root is not None and root.disturbs(applied.place.path, applied.revision):
                found.add(ref)
                break
    return found
