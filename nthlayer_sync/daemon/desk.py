"""desk: what people and programs may ask of the daemon, and who may."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Sequence

import msgspec

from nthlayer_sync.daemon import runs
from nthlayer_sync.daemon.claims import keeping
from nthlayer_sync.daemon.leader import EVERY_ROOT, EVERY_SOURCE
from nthlayer_sync.daemon.person import NotAllowed, Person
from nthlayer_sync.daemon.policies import APPROVAL, CONSENT, EVERYTHING, PAUSE, Note, change_key, owner_of
from nthlayer_sync.daemon.telemetry.health import Health
from nthlayer_sync.daemon.waves import Wave, Waves
from nthlayer_sync.daemon.worker import Hands
from nthlayer_sync.errors import InputError, TemporaryError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import SourceState
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event, Run
from nthlayer_sync.sdk.work import Backlog, Claim, Topic

__all__ = ["Desk", "NotAllowed", "Person", "Status"]

GUARDS = ("deletes", "updates", "recreates", "protected")
"""What a person may consent to more of than the guards let pass."""
CONSENTED = 24 * 3600.0
"""Seconds that a consent holds: it is for what waits now, not for what comes next week."""
APPROVED = 30 * 86400.0
"""Seconds that an approval is kept; what it is for has changed or been written long before."""
BUSY = 60.0
"""Seconds that an undo waits for subjects that somebody works on."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the daemon is. `leading` says whether this replica leads; `synced` is its last full sync (since 1970)."""

    replica: str
    leading: bool
    synced: float
    subjects: int
    configs: int
    sources: tuple[SourceState, ...]
    staleness: dict[str, float]
    """Seconds since the last complete read, by source."""
    backlog: dict[str, Backlog]
    failing: dict[str, str]
    """Why each subject that is tried again failed last."""
    waiting: int
    """Subjects that are not settled: something waits, was kept, held, refused or failed."""
    paused: dict[str, Note]
    consents: dict[str, Note]
    wave: Wave | None


class Desk:
    """Takes what is asked. Everything is done by who claims it, also on another replica, and survives a restart."""

    def __init__(self, hands: Hands, health: Health) -> None:
        self._engine = hands.engine
        self._store = hands.store
        self._policies = hands.policies
        self._settings = hands.settings
        self._replica = hands.replica
        self._metrics = hands.metrics
        self._health = health
        self._waves = Waves(hands.engine, hands.store)

    # What starts work.

    async def sync(self, who: Person, sources: Collection[str] = ()) -> None:
        """Read every source, or some, and do what follows."""
        who.require("operator", "a sync")
        known = set(self._engine.reading.names)
        if unknown := sorted(set(sources) - known):
            raise InputError(f"there is no source {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        await self._store.work.ask(Topic.LOOK, sources or [EVERY_SOURCE], f"asked by {who.name}")

    async def reconcile(self, who: Person, refs: Collection[EntityRef]) -> None:
        """Look at some subjects now."""
        for ref in refs:
            self._known(ref)
            self._require_owner(who, ref, "to have it reconciled")
        await self._store.doubt(list(refs))  # who asks wants to know how it really is
        await self._store.work.ask(Topic.SUBJECT, refs, f"asked by {who.name}")

    async def audit(self, who: Person) -> None:
        """Look at every live system for drift."""
        who.require("operator", "an audit")
        await self._store.work.ask(Topic.AUDIT, [EVERY_ROOT], f"asked by {who.name}")

    # What people decide.

    async def pause(self, who: Person, key: str, reason: str) -> None:
        """Write nothing for an entity, or for any ("*"), until it is resumed; what is being sent now still lands."""
        await self._require_over(who, key, "to pause it")
        await self._say(PAUSE, key, Note(who.name, time.time(), reason[:500], uid=self._uid(key)), math.inf)
        await self._tell("pause.set", key, f"paused by {who.name}: {reason[:300]}")

    async def resume(self, who: Person, key: str) -> None:
        """Take a pause back, and go on."""
        await self._require_over(who, key, "to resume it")
        pauses = (await self._policies.said()).pauses
        paused = key if key in pauses else self._policies.pause_of(EntityRef(key))
        if not paused:
            raise InputError(f"{'everything' if key == EVERYTHING else key} is not paused")
        await self._store.unpin(PAUSE, [paused])
        self._policies.forget()
        await self._tell("pause.ended", key, f"resumed by {who.name}")
        await self._again(None if key == EVERYTHING else EntityRef(key), f"resumed by {who.name}")

    async def approve(self, who: Person, ref: EntityRef, keys: Collection[str] = ()) -> int:
        """Approve what waits for approval of one subject: the changes with these keys, or all; gives how many."""
        found = await self._store.open_parts([ref])
        if not found:
            raise InputError(f"nothing of {ref} waits")
        waiting = {change_key(ref, c): c for _, p in found for c in p.changes if c.action is Action.WAIT}
        chosen = {key: change for key, change in waiting.items() if not keys or key in keys}
        if missing := sorted(set(keys).difference(waiting)):
            raise InputError(
                f"{', '.join(missing)}: no such change of {ref} waits; it may have changed since you looked"
            )
        for change in chosen.values():
            self._require_approver(who, ref, change.kind)
        now = time.time()
        for key, change in chosen.items():
            note = Note(who.name, now, f"{change.action} {change.kind} {change.name}".strip())
            await self._say(APPROVAL, key, note, now + APPROVED)
        await self._tell("change.approved", ref, f"{len(chosen)} changes of {ref} approved by {who.name}")
        await self._store.work.ask(Topic.SUBJECT, [ref], f"approved by {who.name}")
        return len(chosen)

    async def consent(self, who: Person, guard: str, count: int, ids: Collection[str] = ()) -> None:
        """Let so many more deletes, updates or recreations pass than the guards would, or deletes of protected configs.

        It holds for a day, and counts what is written from now on.
        """
        who.require("admin", "overriding a guard")
        if guard not in GUARDS:
            raise InputError(f"there is no guard {guard!r}; there are {', '.join(GUARDS)}")
        if guard == "protected" and not ids:
            raise InputError("name the protected configs that may be deleted")
        now = time.time()
        await self._say(CONSENT, guard, Note(who.name, now, count=count, ids=tuple(sorted(ids))), now + CONSENTED)
        text = f"{who.name} lets {count} {guard} pass" if guard != "protected" else f"{who.name} lets {len(ids)} go"
        await self._tell("guard.overridden", "", text)
        await self._again(None, f"{guard} agreed to by {who.name}")

    async def go_on(self, who: Person) -> None:
        """Let a wave that was stopped by failures go on."""
        who.require("admin", "letting a wave go on")
        await self._waves.go_on()
        await self._tell("wave.resumed", "", f"{who.name} lets the wave go on")
        await self._store.work.ask(Topic.LOOK, [EVERY_SOURCE], f"asked by {who.name}")

    async def undo(self, who: Person, plan: str) -> Run:
        """Put back what an applied plan changed, and pause its subjects: what they ask for would bring it back."""
        who.require("operator", "an undo")
        entries = await self._store.journal(plan)
        if not entries:
            raise InputError(f"nothing of a plan {plan} was applied, or it was undone already")
        refs = sorted({entry.id.subject for entry in entries})
        run = runs.begin(f"undo of {plan} by {who.name}", self._replica, refs)
        claims = await self._take(refs, f"undo by {who.name}")
        try:
            since, lease = time.monotonic(), self._settings.lease.seconds
            await self._store.work.renew(claims, lease)  # the first were taken a while ago
            async with keeping(self._store.work, claims, lease, since):
                for ref in refs:
                    reason = f"plan {plan} was undone; resume once its blueprint is mended"
                    await self._say(PAUSE, ref, Note(who.name, time.time(), reason, uid=self._uid(ref)), math.inf)
                results = await self._engine.undo(plan, self._store.fenced(claims))
        finally:
            await self._store.work.finish(claims)
        run = runs.ended(run, None, results)
        await runs.write_down(self._store, run)
        self._metrics.run_ended(run, results)
        return run

    async def _take(self, refs: Sequence[EntityRef], why: str) -> list[Claim]:
        """Claim subjects as soon as nobody works on them any more."""
        work, lease = self._store.work, self._settings.lease.seconds
        await work.ask(Topic.SUBJECT, refs, why)
        taken: dict[str, Claim] = {}
        end = time.monotonic() + BUSY
        while missing := [ref for ref in refs if ref not in taken]:
            for claim in await work.claim(Topic.SUBJECT, self._replica, len(missing), lease, missing):
                taken[claim.key] = claim
            if len(taken) < len(refs):
                if time.monotonic() > end:
                    await work.release(list(taken.values()))
                    raise TemporaryError("somebody is working on some of its subjects; try again", delay=10)
                await asyncio.sleep(0.2)
                await work.renew(list(taken.values()), lease)
        return list(taken.values())

    # What there is to see.

    async def status(self) -> Status:
        """How the daemon is."""
        said = await self._policies.said()
        existing = await self._store.existing()
        return Status(
            replica=self._replica,
            leading=self._health.leading,
            synced=self._health.synced,
            subjects=len(await self._store.traces()),
            configs=existing.get("", 0),
            sources=tuple(self._engine.reading.states.values()),
            staleness=self._health.staleness(),
            backlog={str(topic): backlog for topic, backlog in (await self._store.work.backlog()).items()},
            failing=await self._store.work.errors(Topic.SUBJECT),
            waiting=await self._store.unsettled(),
            paused=said.pauses,
            consents=said.consents,
            wave=await self._waves.current(),
        )

    # Who may.

    def may_approve(self, who: Person, ref: EntityRef, kind: str) -> bool:
        """Whether the person may approve changes of this kind of config."""
        settings = self._engine.generator.plugin(kind).settings if kind in self._engine.generator.kinds else None
        owners = settings is None or settings.approval == "owner"
        return who.may("operator") or (owners and who.owns(owner_of(self._engine, ref)))

    def _require_approver(self, who: Person, ref: EntityRef, kind: str) -> None:
        if not self.may_approve(who, ref, kind):
            owner = owner_of(self._engine, ref)
            raise NotAllowed(f"{who.name} may not approve {kind} of {ref}; an operator may, or {owner or 'its owner'}")

    def _require_owner(self, who: Person, ref: EntityRef, what: str) -> None:
        owner = owner_of(self._engine, ref)
        if not (who.may("operator") or who.owns(owner)):
            raise NotAllowed(f"{who.name} may not ask for {ref} {what}; an operator may, or {owner or 'its owner'}")

    async def _require_over(self, who: Person, key: str, what: str) -> None:
        if key == EVERYTHING:
            who.require("operator", "pausing everything")
            return
        if key not in (await self._policies.said()).pauses:
            self._known(EntityRef(key))
        self._require_owner(who, EntityRef(key), what)

    def _known(self, ref: EntityRef) -> None:
        if ref not in self._engine.graph.entities and ref != self._engine.graph.organisation:
            raise InputError(f"no source shows {ref}")

    def _uid(self, key: str) -> str:
        entity = self._engine.graph.entities.get(EntityRef(key))
        return entity.identity if entity else ""

    async def _say(self, topic: str, key: str, note: Note, until: float) -> None:
        await self._store.pin(topic, key, msgspec.json.encode(note), until)
        self._policies.forget()

    async def _again(self, ref: EntityRef | None, why: str) -> None:
        """Look again at a subject, or at all that are not settled."""
        if ref is not None:
            await self._store.work.ask(Topic.SUBJECT, [ref], why)
            return
        unsettled = [ref for ref, trace in (await self._store.traces()).items() if not trace.settled]
        await self._store.work.ask(Topic.SUBJECT, unsettled, why)

    async def _tell(self, name: str, key: str, text: str) -> None:
        subject = EntityRef(key) if key and key != EVERYTHING else None
        await self._store.record([Event(at=time.time(), name=name, subject=subject, text=text)])
