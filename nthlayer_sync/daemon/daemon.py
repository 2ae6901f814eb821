"""The daemon: its parts, and how they start and stop together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from nthlayer_sync.daemon.annotations import Annotations
from nthlayer_sync.daemon.announcer import Announce, Announcer
from nthlayer_sync.daemon.claims import keeping
from nthlayer_sync.daemon.desk import Desk
from nthlayer_sync.daemon.leader import Leader, Office
from nthlayer_sync.daemon.policies import Policies
from nthlayer_sync.daemon.stopping import pause, unless
from nthlayer_sync.daemon.telemetry.health import Health
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.daemon.versions import Versions
from nthlayer_sync.daemon.worker import IDLE, Hands, Worker, backoff
from nthlayer_sync.engine.log import log
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Claim, Topic
from nthlayer_sync.settings import Settings

Preview = Callable[[str], Awaitable[None]]
"""Says on a pull request, by its key in the work set, what merging it would change."""


class Daemon:
    """One replica. `engine` holds the graph; `desk` takes what people ask; `health` and `metrics` tell how it is."""

    def __init__(
        self,
        engine: Engine,
        store: SharedStore,
        settings: Settings,
        replica: str,
        metrics: Metrics,
        preview: Preview | None = None,
        announce: Announce | None = None,
    ) -> None:
        """Without a `preview` nothing is said on pull requests; without `announce` Backstage has to ask what is new."""
        self.engine = engine
        self.store = store
        self.work = store.work
        self.settings = settings
        self.replica = replica
        self.metrics = metrics
        self.health = Health(engine.reading.names)
        self.policies = Policies(engine, store, settings.serve)
        self._versions = Versions(engine, store, replica, settings.serve.lease.seconds)
        self._hands = Hands(
            engine,
            store,
            self.policies,
            settings.serve,
            metrics,
            replica,
            self._catch_up,
            self._versions,
            asyncio.Lock(),
        )
        self.desk = Desk(self._hands, self.health)
        self.annotations = Annotations(engine, store)
        self._preview = preview
        self._announcer = Announcer(self.annotations, announce, self.health) if announce else None
        self._stopping = asyncio.Event()
        self._generation = -1
        self._catching_up = asyncio.Lock()
        polled = [source.name for source in settings.sources if source.type == "backstage"]
        office = Office(engine, store, settings.serve, self.health, replica, polled, self._catch_up, self._versions)
        self._leader = Leader(office, self._stopping)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """It works while the block runs. At its end it takes on nothing new and finishes what it has in hand.

        What is not finished within `serve.grace` is broken off: the journal knows of it, and who comes next goes on.
        """
        serve = self.settings.serve
        beat = asyncio.create_task(self.health.beat(self.metrics.lagged), name="beat")
        await self._versions.begin()
        await self._catch_up()
        for name in await self.store.read_digests():
            self.health.source_restored(name)
        tasks = [
            asyncio.create_task(self._leader.stand(), name="leader"),
            *(asyncio.create_task(self._worker().work(), name=f"worker {n}") for n in range(serve.workers)),
            asyncio.create_task(self._follow(), name="follow"),
        ]
        if self._preview is not None:
            tasks.append(asyncio.create_task(self._previews(self._preview), name="previews"))
        if self._announcer is not None:
            tasks.append(asyncio.create_task(self._announcer.watch(self._stopping), name="announcer"))
        self.health.tasks = tasks
        try:
            yield
        finally:
            self.health.stopping = True
            self._stopping.set()
            _, late = await asyncio.wait(tasks, timeout=serve.grace.seconds)
            for task in (*late, beat):
                task.cancel()
            if late:
                log().warning("stop.late", tasks=[task.get_name() for task in late])
            await asyncio.wait([*tasks, beat])

    def _worker(self) -> Worker:
        return Worker(self._hands, self._stopping)

    async def _follow(self) -> None:
        """Keep up with what the leader reads, also while there is nothing to work on: people look at the graph."""
        while not self._stopping.is_set():
            try:
                await self._catch_up()
            except Failure as error:
                log().warning("follow.failed", error=str(error))
            except Exception:
                log().exception("follow.broken")
            await pause(self._stopping, 1.0)

    async def _catch_up(self) -> None:
        """Bring the graph up to what was last read, by whichever replica."""
        async with self._catching_up:
            if self._leader.leads:  # it has read, or is reading, itself; what it could not take in is recalled after
                return
            generation = await self.store.generation()
            if generation == self._generation:
                return
            known = await self.store.read_digests()
            await self.engine.reading.recall(known)
            for name in known:
                self.health.source_restored(name)
            self._generation = generation

    async def _previews(self, preview: Preview) -> None:
        lease = self.settings.serve.lease.seconds
        while not self._stopping.is_set():
            try:
                since = time.monotonic()
                if claims := await self.work.claim(Topic.PULL, self.replica, 1, lease):
                    async with keeping(self.work, claims, lease, since):
                        await self._one_preview(preview, claims[0])
                else:
                    await unless(self._stopping, self.work.wait([Topic.PULL], IDLE))
            except TemporaryError as error:
                log().warning("preview.interrupted", error=str(error))
                await pause(self._stopping, IDLE)

    async def _one_preview(self, preview: Preview, claim: Claim) -> None:
        try:
            await preview(claim.key)
        except TemporaryError as error:
            log().warning("preview.postponed", pull=claim.key, error=str(error))
            await self.work.postpone([claim], max(error.delay, backoff(claim.tries)), str(error)[:500])
            return
        except PermanentError as error:
            log().warning("preview.failed", pull=claim.key, error=str(error))
        except Exception:
            log().exception("preview.broken", pull=claim.key)
        await self.work.finish([claim])
