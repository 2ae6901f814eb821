"""waves: a change of policy or program that touches everything goes out in steps, and a failure stops it.

A new template, a new version of a plugin or another tier table changes every subject at once, and so would a mistake in
it. Which subjects come first is decided by their names alone; the table of tiers says how many (`guards.waves`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b

import msgspec

from nthlayer_sync.daemon.policies import EVERYTHING, FREEZE, PAUSE, PAUSED_BY, WINDOW
from nthlayer_sync.engine.gate import GUARD
from nthlayer_sync.engine.plan import CHUNK
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Topic

TOPIC, KEY = "wave", "current"
"""The note under which the state is kept."""
_FOREVER = math.inf
SHARED = (GUARD, FREEZE, WINDOW)
"""How reasons to wait begin that hold for many subjects at a time."""


class Wave(msgspec.Struct, frozen=True):
    """How far a change is out. `version` names what everything is generated with; `step` counts from 0.

    `members` are the subjects asked for in this step, `failing` those that failed already when it began. `halted` says
    why it goes no further.
    """

    version: str
    step: int = 0
    members: tuple[EntityRef, ...] = ()
    failing: tuple[str, ...] = ()
    halted: str = ""
    whole: bool = False
    """Whether it is out everywhere."""


class Waves:
    """Lets through what of the due subjects may be asked for now. Only the leader uses it."""

    def __init__(self, engine: Engine, store: SharedStore) -> None:
        self._engine = engine
        self._store = store

    async def current(self) -> Wave | None:
        """How far the last change is out."""
        found = (await self._store.notes(TOPIC)).get(KEY)
        return msgspec.json.decode(found, type=Wave) if found else None

    async def go_on(self) -> None:
        """Let a wave that was halted go on; what failed so far is no reason to stop any more."""
        wave = await self.current()
        if wave is not None and wave.halted:
            failing = tuple(sorted(await self._store.work.errors(Topic.SUBJECT)))
            await self._keep(msgspec.structs.replace(wave, halted="", failing=failing))

    async def ready(self) -> bool:
        """Whether the next step can begin, or something failed in this one."""
        wave = await self.current()
        if wave is None or wave.whole or wave.halted:
            return False
        if wave.version != self._engine.version or await self._failed(wave):
            return True
        return not await self._pending(wave, await self._engine.due(wave.members))

    async def let_through(self, due: Sequence[EntityRef]) -> list[EntityRef]:
        """Those of the due subjects that may be asked for now."""
        waves = self._engine.setup.tiers.guards.waves
        version, wave = self._engine.version, await self.current()
        if wave is None or wave.version != version:
            wave = Wave(version, step=-1)
        elif wave.whole:
            return list(due)
        everything = max(len(await self._store.traces()), len(due))
        if len(due) <= waves.above and wave.step < 0:
            await self._keep(Wave(version, whole=True))
            return list(due)
        failed = await self._failed(wave)
        if wave.halted or failed:
            if not wave.halted:
                text = f"stopped after {len(wave.members)} subjects: {failed} failed since; see why, then let it go on"
                wave = msgspec.structs.replace(wave, halted=text)
                await self._keep(wave)
                await self._store.record([Event(at=time.time(), name="wave.halted", text=text)])
            return []
        if pending := await self._pending(wave, due):
            return sorted(pending)
        step = wave.step + 1
        if step >= len(waves.shares):
            await self._keep(Wave(version, whole=True))
            return list(due)
        allowed = math.ceil(float(waves.shares[step].ratio) * everything) - (everything - len(due))
        chosen = sorted(self._with_owners(sorted(due, key=_lot)[: max(allowed, 1)], due))
        failing = tuple(sorted(await self._store.work.errors(Topic.SUBJECT)))
        whole = len(chosen) == len(due)
        await self._keep(Wave(version, step, () if whole else tuple(chosen), failing, whole=whole))
        return chosen

    def _with_owners(self, chosen: Sequence[EntityRef], due: Sequence[EntityRef]) -> set[EntityRef]:
        """The chosen and who owns them: what a service has refers to what its owner has, such as an escalation."""
        owners = {owner for ref in chosen if (owner := self._engine.graph.owner(ref))}
        return {*chosen, *owners.intersection(due)}

    async def _pending(self, wave: Wave, due: Collection[EntityRef]) -> set[EntityRef]:
        """Members that the step is not out for yet. One that waits for what is decided for it alone holds up nobody."""
        refs = set(due).intersection(wave.members).difference(wave.failing)
        store, limit = self._store, max(len(refs), 1)
        traces, memories = await store.traces(refs), await store.memories(refs)
        parts = {part.subject: part for _, part in await store.open_parts(sorted(refs), limit=limit)}
        shared = SHARED + (PAUSED_BY,) * (EVERYTHING in await store.notes(PAUSE))
        pending: set[EntityRef] = set()
        for number, ref in enumerate(refs):
            if number % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
            subject, trace, part = self._engine.subject(ref), traces.get(ref), parts.get(ref)
            planned = subject is None or (
                trace is not None and trace.fingerprint == self._engine.generator.fingerprint(subject)
            )
            applied = {(a.kind, a.name): (a.digest, a.place) for a in memories[ref].applied} if ref in memories else {}
            if not planned or part is None or any(_to_come(change, applied, shared) for change in part.changes):
                pending.add(ref)
        return pending

    async def _failed(self, wave: Wave) -> int:
        """How many subjects of the wave fail that did not before."""
        failing = await self._store.work.errors(Topic.SUBJECT)
        return len(set(failing).intersection(wave.members).difference(wave.failing))

    async def _keep(self, wave: Wave) -> None:
        await self._store.pin(TOPIC, KEY, msgspec.json.encode(wave), _FOREVER)


def _to_come(change: Change, applied: Mapping[tuple[str, str], tuple[str, Place]], shared: tuple[str, ...]) -> bool:
    """Whether a change is being made, or waits for what many wait for; they would all go out together after that."""
    if change.action is Action.WAIT:
        return change.reason.startswith(shared)
    if not (change.action.writes or change.action is Action.ADOPT):
        return False
    stands = applied.get((change.kind, change.name))
    return stands is not None if not change.digest else stands != (change.digest, change.place)


def _lot(ref: EntityRef) -> bytes:
    """An order that has nothing to do with the alphabet, and is the same for every replica."""
    return blake2b(ref.encode(), digest_size=8).digest()
