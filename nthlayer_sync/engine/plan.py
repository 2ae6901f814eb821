"""plan: every change of a run, subject by subject, in work proportional to what changed.

A subject is passed over when its fingerprint is the remembered one, all it wants is applied, and nothing moved where
its configs stand. What is left is generated, compared, and streamed into the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from itertools import islice

import msgspec

from nthlayer_sync.engine.contested import quarantined
from nthlayer_sync.engine.decide import RECREATES, Answer, Question, glance, look, questions
from nthlayer_sync.engine.draft import Draft, Rules, Scope, held, owner_of, waiting
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Existing, Tally, guard
from nthlayer_sync.engine.observe import Live, LiveRoot, read_parts
from nthlayer_sync.engine.remotes import refer, remotes_of, with_remotes
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change, Checksum, Part, Plan, Wanted
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.store import Memory, Planned, Store, Trace
from nthlayer_sync.sdk.target import Target

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
        self._tally = Tally()
        self._checksum = Checksum()
        self._existing = Existing()
        self._looked_at = 0
        self._inherited: set[EntityRef] = set()
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
                refusals=guard(self._tally, self._existing, self._rules.guards, self._rules.consent),
                subjects=self._looked_at,
            )

        return await self._store.save_plan(self._rows(scope, traces), head)

    async def _rows(self, scope: Scope, traces: Mapping[EntityRef, Trace]) -> AsyncIterator[Sequence[Planned]]:
        # What people moved is looked for by a plan of everything; one of a few subjects costs what these cost.
        disturbed = set[EntityRef]() if scope.present is None else await self._disturbed()
        gone = [] if scope.present is None else sorted(set(traces).difference(scope.present))
        former = await self._former(gone, scope, traces)
        subjects = iter(scope.subjects)
        unasked = set[EntityRef]() if scope.present is None else set(traces).difference(gone)
        while chunk := list(islice(subjects, CHUNK)):
            self._looked_at += len(chunk)
            unasked.difference_update(subject.ref for subject in chunk)
            yield await self._chunk(chunk, traces, disturbed, former, scope.uid_of)
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

    async def _disturbed(self) -> set[EntityRef]:
        """Subjects of whose configs one no longer stands as we left it, or may not."""
        found = {id.subject for id in self._rules.open}
        if self._live.moving:
            async for ref, memory in self._store.each_memory():
                for applied in memory.applied:
                    root = self._known_root(applied.kind, applied.place.root)
                    if root is not None and root.disturbs(applied.place.path, applied.revision):
                        found.add(ref)
                        break
        return found

    async def _former(
        self, gone: Collection[EntityRef], scope: Scope, traces: Mapping[EntityRef, Trace]
    ) -> dict[EntityRef, EntityRef]:
        """Subjects that are called otherwise now, by their new names: of the same kind, and new to us."""
        if not gone:
            return {}
        known = await self._store.memories(gone)
        lost = {(ref.partition(":")[0], memory.uid): ref for ref, memory in known.items() if memory.uid}
        found: dict[EntityRef, EntityRef] = {}
        for new in sorted(set(scope.present or ()).difference(traces)) if lost else ():
            if old := lost.pop((new.partition(":")[0], scope.uid_of(new)), None):
                found[new] = old
        return found

    async def _chunk(
        self,
        subjects: list[Subject],
        traces: Mapping[EntityRef, Trace],
        disturbed: set[EntityRef],
        former: Mapping[EntityRef, EntityRef],
        uid_of: Callable[[EntityRef], str],
    ) -> list[Planned]:
        due: list[tuple[Subject, bytes]] = []
        for subject in subjects:
            trace, fingerprint = traces.get(subject.ref), self._generator.fingerprint(subject)
            if trace is None or not trace.settled or trace.fingerprint != fingerprint or subject.ref in disturbed:
                due.append((subject, fingerprint))
        was = {s.ref: former[s.ref] for s, _ in due if s.ref in former}
        memories = await self._store.memories(
            [was.get(s.ref, s.ref) for s, _ in due if s.ref in traces or s.ref in was]
        )
        drafts: list[Draft] = []
        for subject, fingerprint in due:
            before = memories.get(was.get(subject.ref, subject.ref), Memory(b""))
            trace = traces.get(subject.ref)
            draft = self._draft(subject, fingerprint, before, uid_of(subject.ref), was.get(subject.ref))
            draft.unsure = trace is None or trace.astray
            drafts.append(draft)
        self._inherited |= was.keys()
        await self._decide(drafts)
        return [self._planned(draft) for draft in drafts]

    def _draft(self, subject: Subject, fingerprint: bytes, before: Memory, uid: str, was: EntityRef | None) -> Draft:
        made = self._generator.generate(subject)
        kept = tuple(w for w in before.wanted if w.kind in made.failed)
        wanted: tuple[Wanted, ...] = (*made.wanted, *kept)
        asked = [q for q in questions(made.wanted, before.applied, owner_of(before)) if q.key[0] not in made.failed]
        refused = [
            Change(kind, "", Action.REFUSE, "", _NOWHERE, "", reason=reason) for kind, reason in made.failed.items()
        ]
        configs = {(config.id.kind, config.id.name): config for config in made.configs}
        memory = Memory(fingerprint, uid, wanted, before.applied)
        return Draft(subject.ref, memory, asked, configs, was, changes=refused)

    async def _leave(self, ref: EntityRef, former: Mapping[EntityRef, EntityRef], scope: Scope) -> list[Planned]:
        """The configs of a subject that is proven gone, or called otherwise now."""
        before = (await self._store.memories([ref]))[ref]
        heir = next((new for new, old in former.items() if old == ref), None)
        if not before.applied or heir in self._inherited:
            return [Planned(ref, None, None)]
        draft = Draft(ref, before, questions((), before.applied, owner_of(before)), {}, None, True)
        if heir is None:
            await self._decide([draft])
        else:
            draft.changes += [held(question, f"it is called {heir} now, which has to wait") for question in draft.asked]
        return [self._planned(draft)]

    async def _hold(self, ref: EntityRef) -> list[Planned]:
        """The configs of an entity that is there but is no subject now: nobody asks for them or said that they go."""
        before = (await self._store.memories([ref]))[ref]
        if not before.applied:
            return []
        draft = Draft(ref, before, questions((), before.applied, owner_of(before)), {}, None)
        reason = "the entity is not managed now, or something is wrong with it, so what it has stays as it is"
        draft.changes += [held(question, reason) for question in draft.asked]
        return [self._planned(draft)]

    async def _decide(self, drafts: list[Draft]) -> None:
        """Answer every question of a chunk: by a glance where that is enough, else by one read for each root."""
        await self._observe(drafts)
        unread: list[tuple[Draft, Question, LiveRoot]] = []
        for draft in drafts:
            for question in draft.asked:
                if (standing := self._standing(draft, question)) is not None:
                    draft.changes.append(standing)
                    continue
                root = self._root(question.key[0], question.place.root)
                before = self._root_before(question) or root
                if trouble := root.trouble or before.trouble:
                    draft.astray = True
                    draft.changes.append(waiting(question, trouble))
                    continue
                revision = self._revision(root, question)
                if question.applied is not None and not question.moves:
                    draft.astray |= revision != question.applied.revision
                change = glance(question, revision, self._revision_before(question))
                declined = question.wanted is not None and question.place.path in root.declined
                if change is None or (declined and change.action.writes):
                    unread.append((draft, question, root))
                elif change.action is not Action.NOTHING:
                    draft.changes.append(change)
        await self._read(unread)
        for draft in drafts:
            refer(draft, self._generator.kinds)

    async def _observe(self, drafts: list[Draft]) -> None:
        """Look at every root of a chunk, and look up what is not known of them yet."""
        roots: dict[tuple[str, str], Target] = {}
        unsure: dict[tuple[str, str], list[str]] = {}
        remotes: dict[tuple[str, str], dict[str, str]] = {}
        for draft in drafts:
            for question in draft.asked:
                kind = question.key[0]
                if kind not in self._generator.kinds:
                    continue
                at = self._at(roots, kind, question.place.root)
                if question.applied is not None:
                    old = self._at(roots, kind, question.applied.place.root)
                    remotes.setdefault(old, {})[question.applied.place.path] = question.applied.remote
                    if question.moves:
                        unsure.setdefault(old, []).append(question.applied.place.path)
                if draft.unsure or question.applied is None or question.moves:
                    unsure.setdefault(at, []).append(question.place.path)
        await self._live.observe((target, root) for (_, root), target in roots.items())
        for at, paths in unsure.items():
            await self._live.root(roots[at], at[1]).look_up(paths)
        for at, remembered in remotes.items():
            await self._live.root(roots[at], at[1]).confirm(remembered)

    def _at(self, roots: dict[tuple[str, str], Target], kind: str, root: str) -> tuple[str, str]:
        """One root, by its target; `roots` learns it."""
        target = self._generator.target(kind, root)
        roots[target.name, root] = target
        return target.name, root

    def _standing(self, draft: Draft, question: Question) -> Change | None:
        """What is decided by its kind alone, or by a write of unknown outcome."""
        if reason := next((reason for id in draft.ids(question) if (reason := self._rules.open.get(id))), ""):
            draft.astray = True
            return waiting(question, reason)
        if question.wanted is not None:
            return None
        kind = question.key[0]
        known = self._generator.kinds.get(kind)
        if known is None:
            reason = f"{kind} is not on, so what it made is left alone"
        elif not known.deletable:
            reason = f"{kind} is never deleted by us"
        else:
            return None
        return held(question, reason)

    async def _read(self, unread: list[tuple[Draft, Question, LiveRoot]]) -> None:
        by_root: dict[LiveRoot, dict[ConfigId, str]] = {}
        for draft, question, root in unread:
            at, place = self._where(root, question)
            by_root.setdefault(at, {})[draft.id(question)] = place.path
        observed: dict[ConfigId, Observed] = {}
        trouble: dict[ConfigId, str] = {}
        for root, paths in by_root.items():
            found = await read_parts(root.target, root.root, paths)
            observed |= found[0]
            trouble |= found[1]
        for draft, question, root in unread:
            draft.astray = True
            id = draft.id(question)
            if id in trouble:
                draft.changes.append(waiting(question, trouble[id]))
                continue
            change = self._look(draft, question, observed.get(id), question.place.path in root.conflicts)
            if change.action is not Action.NOTHING:
                draft.changes.append(change)

    def _look(self, draft: Draft, question: Question, observed: Observed | None, conflicts: bool) -> Change:
        kind = question.key[0]
        config = draft.configs.get(question.key)
        if config is not None:
            config = with_remotes(config, remotes_of(self._generator.kinds[kind], draft.memory.applied))
        # Where a proposal conflicts with the base and our part is not in the base, nobody removed it: it is made anew.
        anew = conflicts and (observed is None or observed.content is None)
        enforce = anew or self._rules.enforce or self._generator.plugin(kind).settings.enforces(kind)
        declined = observed.declined if observed else None
        try:
            same = (
                self._generator.plugin(kind).reconcile(config, observed).action is Action.NOTHING if config else False
            )
            again = config is not None and declined is not None and declined.content == self._content(config)
        except Exception as error:  # bad input or a bug: it stops this config only
            reason = str(error) if isinstance(error, PermanentError) else f"bug: {type(error).__name__}: {error}"
            return waiting(question, reason)
        change = look(question, Answer(observed, same, again), enforce=enforce)
        if anew and change.reason == RECREATES:  # nobody removed it, so the guards need not count it
            return msgspec.structs.replace(change, reason="makes anew what conflicts with what others did")
        return change if self._rules.enforce else quarantined(change, question.applied, self._rules.now)

    def _content(self, config: Config) -> str:
        return self._generator.kinds[config.id.kind].content(config.spec)

    def _where(self, root: LiveRoot, question: Question) -> tuple[LiveRoot, Place]:
        """Where to read: a config that moves is read where it stood, unless something stands at its new place."""
        before = self._root_before(question)
        if before is None or question.applied is None or self._revision(root, question):
            return root, question.place
        return before, question.applied.place

    def _root_before(self, question: Question) -> LiveRoot | None:
        """The root that a config moves away from."""
        if not question.moves or question.applied is None:
            return None
        return self._root(question.key[0], question.applied.place.root)

    def _revision(self, root: LiveRoot, question: Question) -> str:
        remembered = question.applied.revision if question.applied and not question.moves else None
        return root.revision(question.place.path, remembered) or ""

    def _revision_before(self, question: Question) -> str:
        before = self._root_before(question)
        if before is None or question.applied is None:
            return ""
        return before.revision(question.applied.place.path, question.applied.revision) or ""

    def _root(self, kind: str, root: str) -> LiveRoot:
        return self._live.root(self._generator.target(kind, root), root)

    def _known_root(self, kind: str, root: str) -> LiveRoot | None:
        """The root of a config, where its kind is on and it was looked at."""
        return self._live.find(self._generator.target(kind, root), root) if kind in self._generator.kinds else None

    def _planned(self, draft: Draft) -> Planned:
        order = self._order
        changes = tuple(sorted(draft.changes, key=lambda change: (order.get(change.kind, -1), change.name)))
        if not changes:
            return Planned(draft.ref, draft.memory, None, draft.astray)
        part = Part(draft.ref, changes, draft.was)
        self._tally.add(part, self._rules.protected)
        self._checksum.add(part)
        return Planned(draft.ref, draft.memory, part, draft.astray)
