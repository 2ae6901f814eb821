"""leader: the one replica that reads the sources, looks at live systems, and asks for what follows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from nthlayer_sync.daemon import runs
from nthlayer_sync.daemon.claims import keeping
from nthlayer_sync.daemon.stopping import pause, unless
from nthlayer_sync.daemon.telemetry.health import Health
from nthlayer_sync.daemon.versions import STANDBY, Versions
from nthlayer_sync.daemon.waves import Waves
from nthlayer_sync.engine.log import log
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import Failure, TemporaryError
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event
from nthlayer_sync.model.snapshot import Completeness
from nthlayer_sync.sdk.lease import Lease, check_lease
from nthlayer_sync.sdk.spans import span
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Claim, Topic
from nthlayer_sync.settings.serve import ServeSettings

LEADER = "leader"
"""The key of who leads."""
EVERY_SOURCE = "*"
"""The key of a look at all sources."""
EVERY_ROOT = "*"
"""The key of an audit of all roots."""
_AT_ONCE = 50
"""Looks or audits that are taken together."""
_WAVE = 2.0
"""Seconds between two looks at how far a wave is."""


@dataclass(frozen=True)
class Office:
    """What the leader works with."""

    engine: Engine
    store: SharedStore
    settings: ServeSettings
    health: Health
    replica: str
    polled: Collection[str]
    """The sources that can be asked cheaply what changed."""
    catch_up: Callable[[], Awaitable[None]]
    versions: Versions


class Leader:
    """Leads when nobody else does, for as long as it holds the lease."""

    def __init__(self, office: Office, stopping: asyncio.Event) -> None:
        self._office = office
        self._stopping = stopping
        self._waves = Waves(office.engine, office.store)
        self._reading = asyncio.Lock()
        self._unasked: set[EntityRef] = set()
        self._lease: Lease | None = None

    @property
    def leads(self) -> bool:
        """Whether nobody else can lead now; False as soon as the lease has run out, known or not."""
        return self._lease is not None and self._lease.left > 0

    async def stand(self) -> None:
        """Lead whenever nobody else does, until we are told to stop."""
        office = self._office
        work, lease = office.store.work, office.settings.lease.seconds
        while not self._stopping.is_set():
            try:
                if not await office.versions.current():
                    await pause(self._stopping, STANDBY)
                    continue
                since = time.monotonic()
                if claims := await work.claim(Topic.LEAD, office.replica, 1, lease):
                    await self._lead(claims, since)
                else:
                    await work.ask(Topic.LEAD, [LEADER], "")  # also where a restored state knows nothing of it
                    await unless(self._stopping, work.wait([Topic.LEAD], lease))
            except TemporaryError as error:
                log().warning("lead.interrupted", error=str(error))
                await pause(self._stopping, min(error.delay, lease))
            except Exception:
                log().exception("lead.broken")
                await pause(self._stopping, lease)

    async def _lead(self, claims: list[Claim], since: float) -> None:
        office = self._office
        reading = office.engine.reading
        log().info("lead.taken", replica=office.replica, token=claims[0].token)
        office.health.leading = True
        try:
            async with keeping(office.store.work, claims, office.settings.lease.seconds, since) as held:
                await office.catch_up()  # with what others read until now
                reading.store, self._lease = office.store.fenced(claims), held
                async with asyncio.TaskGroup() as group:
                    timers = [
                        group.create_task(self._every(office.settings.every.seconds, self.sync)),
                        group.create_task(self._every(office.settings.poll.seconds, self._poll)),
                        group.create_task(self._every(office.settings.audit.seconds, self._audit_all)),
                        group.create_task(self._every(_WAVE, self._next_wave)),
                        group.create_task(self._serve(Topic.LOOK, self._look)),
                        group.create_task(self._serve(Topic.AUDIT, self._audit)),
                    ]
                    while not self._stopping.is_set() and await office.versions.current():
                        await pause(self._stopping, STANDBY)
                    for timer in timers:
                        timer.cancel()
        finally:
            office.health.leading = False
            reading.store, self._lease = office.store, None
            await office.store.work.release(claims)
            log().info("lead.left", replica=office.replica)

    # What is done again and again.

    async def sync(self, why: str = runs.FULL_SYNC) -> None:
        """Read every source, and ask for every subject that has something to be done."""
        check_lease()
        office = self._office
        with span("sync"):
            async with self._reading:
                await office.engine.read()
                await self._tell(office.engine.reading.states)
            await self._ask_due(why)
        office.health.synced = time.time()

    async def _poll(self) -> None:
        if self._office.polled:
            await self._follow(self._office.polled, "changed in the catalog")

    async def _next_wave(self) -> None:
        if await self._waves.ready():
            await self._ask_due("next wave")

    async def _audit_all(self) -> None:
        await self._audit_roots(None)

    async def _look(self, claims: list[Claim]) -> None:
        why = runs.trigger_of(claims)
        if any(claim.key == EVERY_SOURCE for claim in claims):
            await self.sync(why)
        else:
            await self._follow({claim.key for claim in claims}, why)

    async def _audit(self, claims: list[Claim]) -> None:
        roots = {claim.key for claim in claims}
        await self._audit_roots(None if EVERY_ROOT in roots else roots)

    # How it is done.

    async def _follow(self, names: Collection[str], why: str) -> None:
        """Read some sources, and ask for what changed in them, or before that and could not be asked for."""
        check_lease()
        async with self._reading:
            with span("source read", sources=len(names)):
                for name in names:  # one that fails does not make us forget what another told
                    self._unasked |= await self._office.engine.reading.follow([name])
            await self._tell(names)
        if affected := frozenset(self._unasked):
            due = await self._office.engine.due(affected)
            await self._office.store.work.ask(Topic.SUBJECT, due, why)
            self._unasked -= affected

    async def _ask_due(self, why: str) -> None:
        due = await self._office.engine.due()
        await self._office.store.work.ask(Topic.SUBJECT, await self._waves.let_through(due), why)

    async def _audit_roots(self, roots: Collection[str] | None) -> None:
        """See what moved in some repositories and accounts, and ask for whom it may concern."""
        with span("audit", roots=len(roots) if roots is not None else 0):
            found = await self._office.engine.audit(roots)
        if found:
            text = f"{len(found)} subjects have something live that is not as it was left"
            event = Event(at=time.time(), name="drift.suspected", text=text)
            await self._office.store.record([event])
            await self._office.store.work.ask(Topic.SUBJECT, found, "drift")

    async def _tell(self, names: Collection[str]) -> None:
        """Say how the sources are that were just read, and what of it is new."""
        office, events = self._office, list[Event]()
        for state in (office.engine.reading.states[name] for name in names if name in office.engine.reading.states):
            before = office.health.complete().get(state.name, True)
            office.health.source_read(state)
            complete = state.completeness == Completeness.COMPLETE
            if complete != before:
                name = "source.recovered" if complete else "source.failed"
                events.append(Event(at=time.time(), name=name, text=f"{state.name}: {state.reason}"[:500]))
        if events:
            await office.store.record(events)

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        """Do it now, and again so many seconds after it was last begun."""
        while True:
            began = time.monotonic()
            await self._attempt(do())
            await asyncio.sleep(max(began + seconds - time.monotonic(), 0.05))

    async def _serve(self, topic: Topic, do: Callable[[list[Claim]], Awaitable[None]]) -> None:
        """Do what is asked for in a topic."""
        office = self._office
        work, lease = office.store.work, office.settings.lease.seconds
        while True:
            try:
                since = time.monotonic()
                claims = await work.claim(topic, office.replica, _AT_ONCE, lease)
                if not claims:
                    await work.wait([topic], lease / 3)
                    continue
                try:
                    async with keeping(work, claims, lease, since):
                        error = await self._attempt(do(claims))
                except asyncio.CancelledError:  # we lead no longer, or stop: who leads next goes on at once
                    with suppress(TemporaryError):
                        await work.release(claims)
                    raise
                if error:
                    delay = min(error.delay, lease) if isinstance(error, TemporaryError) else lease
                    await work.postpone(claims, delay, str(error))
                else:
                    await work.finish(claims)
            except TemporaryError as error:
                log().warning("leader.interrupted", error=str(error))
                await asyncio.sleep(min(error.delay, lease))

    async def _attempt(self, doing: Awaitable[None]) -> Failure | None:
        """What went wrong, which is told; the next time it is tried again."""
        try:
            await doing
        except Failure as error:
            log().warning("leader.failed", error=str(error))
            return error
        except Exception as error:
            log().exception("leader.broken")
            return TemporaryError(f"bug: {type(error).__name__}: {error}")
        return None
