"""What would follow if sources said something else: planned as ever, and neither written nor remembered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from nthlayer_sync.engine.run import Engine, Terms
from nthlayer_sync.engine.show import Detail, details
from nthlayer_sync.engine.view import View
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.graph.subjects import Held
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.plan import Change, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Completeness
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sdk.store import Kept, SharedStore

SHOWN = 200
"""Changes whose content is looked up: a comment has no room for more."""


class Shown(msgspec.Struct, frozen=True):
    """The changes of one subject, with the content of those that were looked up."""

    part: Part
    details: Mapping[Change, Detail]


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """What would follow: the plan, and what became different beside it."""

    plan: Plan
    shown: tuple[Shown, ...]
    diagnoses: tuple[Diagnosis, ...]
    """All that is wrong then with the sources and with the entities that the difference touches."""
    before: frozenset[Diagnosis]
    """What of that is wrong already."""
    tiers: Mapping[EntityRef, tuple[str, str]]
    """The tiers that change, before and after, "" for none."""
    missing: tuple[EntityRef, ...]
    """Entities that are no longer shown, and whose absence is not proven yet."""

    @property
    def news(self) -> list[Diagnosis]:
        """What is wrong only then."""
        return [diagnosis for diagnosis in self.diagnoses if diagnosis not in self.before]


class Fork:
    """An engine beside a running one: with the same memory and plugins, and a graph of its own.

    `sources` have the names and the order of the running engine's, and can be made to say something else. `engine` is
    for who has to know, while something is supposed, what is supposed.
    """

    def __init__(self, engine: Engine, store: SharedStore, sources: Sequence[Source]) -> None:
        self._running = engine
        self._store = store
        self._view = View(store)
        self.engine = Engine(engine.setup, sources, engine.generator, self._view)
        self._generation = -1

    async def suppose(self, names: Collection[str], say: Callable[[bool], None], terms: Terms) -> Supposed | None:
        """What would follow if some sources, by name, said what they say after `say(True)`, and no longer `say(False)`.

        None where that comes to the same.
        """
        await self._catch_up()
        reading, view = self.engine.reading, self._view
        try:
            await self._follow(names)
            said = list(self.engine.diagnoses)
            now = {name: kept for name in names if (kept := await view.kept(name))}
            digests = await view.read_digests()
            say(True)
            affected = await self._follow(names)
            if not affected and await view.read_digests() == digests and self.engine.diagnoses == said:
                return None
            plan = await self.engine.reconcile(affected, view, terms)
            shown = await self._shown()
            then = {name: kept for name in names if (kept := await view.kept(name))}
            after = [*self.engine.diagnoses, *self._wrong(affected)], self._tiers(affected)
            for name, kept in now.items():
                await view.keep(name, kept)
            await reading.recall(names)
            before = [*said, *self._wrong(affected)], self._tiers(affected)
        finally:
            say(False)
            view.forget()
            await reading.recall(names)
        tiers = {ref: (before[1][ref], tier) for ref, tier in after[1].items() if before[1][ref] != tier}
        return Supposed(
            plan=plan,
            shown=tuple(shown),
            diagnoses=tuple(dict.fromkeys(after[0])),
            before=frozenset(before[0]),
            tiers=tiers,
            missing=tuple(sorted(_absent(then) - _absent(now))),
        )

    async def _catch_up(self) -> None:
        """Know what the running engine knows."""
        self.engine.reading.left_alone = self._running.reading.left_alone
        generation = await self._store.generation()
        if generation != self._generation:
            await self.engine.reading.recall(await self._store.read_digests())
            self._generation = generation

    async def _follow(self, names: Collection[str]) -> set[EntityRef]:
        affected = await self.engine.reading.follow(names)
        for name in names:
            state = self.engine.reading.states[name]
            if state.completeness == Completeness.FAILED:
                raise TemporaryError(f"source {name} cannot be read: {state.reason}")
        return affected

    async def _shown(self) -> list[Shown]:
        shown: list[Shown] = []
        left = SHOWN
        async for part in self._view.parts(""):
            content = await details(self.engine, part) if left > 0 else {}
            left -= len(part.changes)
            shown.append(Shown(part, content))
        return shown

    def _wrong(self, refs: Collection[EntityRef]) -> Iterator[Diagnosis]:
        yield from self.engine.graph.diagnoses()
        for ref in sorted(refs):
            subject = self.engine.subjects.get(ref)
            if isinstance(subject, Held):
                yield from subject.diagnoses

    def _tiers(self, refs: Collection[EntityRef]) -> dict[EntityRef, str]:
        tier = self.engine.subjects.tier
        return {ref: tier(ref) for ref in sorted(refs) if ref.startswith("component:")}


def _absent(kept: Mapping[str, Kept]) -> set[EntityRef]:
    return {ref for each in kept.values() for ref in each.absent}
