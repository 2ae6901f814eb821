"""judge: what is to be done about each config of some subjects, asked of what is live as seldom as possible."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from nthlayer_sync.engine.contested import quarantined
from nthlayer_sync.engine.decide import RECREATES, Answer, Question, glance, look
from nthlayer_sync.engine.draft import Draft, Rules, held, waiting
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import Live, LiveRoot, read_parts
from nthlayer_sync.engine.remotes import refer, remotes_of, with_remotes
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change
from nthlayer_sync.sdk.target import Target

Root: TypeAlias = tuple[str, str]
"""A target's name and one of its roots."""


class Judge:
    """Decides drafts, many at a time: what several of them ask of one root is asked once."""

    def __init__(self, generator: Generator, live: Live, rules: Rules) -> None:
        self._generator = generator
        self._live = live
        self._rules = rules
        self._landing: dict[tuple[str, str], tuple[Root, Target]] = {}

    async def decide(self, drafts: list[Draft]) -> None:
        """Answer every question of a chunk: by a glance where that is enough, else by one read for each root."""
        await self._observe(drafts)
        unread: list[tuple[Draft, Question, LiveRoot]] = []
        for draft in drafts:
            for question in draft.asked:
                if question.stays and self._stands(draft, question):
                    continue
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
        roots: dict[Root, Target] = {}
        doubted: dict[Root, Target] = {}
        unsure: dict[Root, list[str]] = {}
        remotes: dict[Root, dict[str, str]] = {}
        for draft in drafts:
            for question in draft.asked:
                kind, place, applied = question.key[0], question.place, question.applied
                if kind not in self._generator.kinds:
                    continue
                at, target = self._at(kind, place.root)
                roots[at] = target
                if draft.doubted or (place == draft.home and question.changes):
                    doubted[at] = target
                if applied is None or draft.unsure or question.moves:
                    unsure.setdefault(at, []).append(place.path)
                if applied is not None and (applied.remote or question.moves):
                    old, target = self._at(kind, applied.place.root)
                    roots[old] = target
                    remotes.setdefault(old, {})[applied.place.path] = applied.remote
                    if question.moves:
                        unsure.setdefault(old, []).append(applied.place.path)
        await self._live.observe((target, root) for (_, root), target in roots.items())
        await self._live.doubt((target, root) for (_, root), target in doubted.items())
        for at, paths in unsure.items():
            await self._live.root(roots[at], at[1]).look_up(paths)
        for at, remembered in remotes.items():
            await self._live.root(roots[at], at[1]).confirm(remembered)

    def _at(self, kind: str, root: str) -> tuple[Root, Target]:
        """One root, and what it is in; worked out once for each kind."""
        found = self._landing.get((kind, root))
        if found is None:
            target = self._generator.target(kind, root)
            found = self._landing[kind, root] = (target.name, root), target
        return found

    def _stands(self, draft: Draft, question: Question) -> bool:
        """Whether what stays as it was applied is known to stand there so, and no write to it is open."""
        kind, place, applied = question.key[0], question.place, question.applied
        if applied is None or kind not in self._generator.kinds:
            return False
        if self._rules.open and any(id in self._rules.open for id in draft.ids(question)):
            return False
        root = self._root(kind, place.root)
        return not root.trouble and root.revision(place.path, applied.revision) == applied.revision

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
        if self._rules.enforce:
            return change
        return quarantined(change, question.applied, self._rules.now, self._rules.guards.overwrites)

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
        return self._live.root(self._at(kind, root)[1], root)
