"""A daemon over a scripted catalog, real Git and a real store."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.person import Person
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.model.plan import Change
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Run
from nthlayer_sync.settings import Settings
from tests.engine.conftest import git
from tests.faults.house import House, says, service

ADA = Person("ada", "admin")
QUICK = {"every": "1h", "poll": "1h", "audit": "1h", "lease": "2s", "grace": "5s", "workers": 2}
"""Clocks that do not tick during a test: what happens was asked for."""


async def until(true: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    """What `true` gives once it is something; it is asked again and again, for things that other tasks bring about."""
    end = time.monotonic() + seconds
    while True:
        if found := await true():
            return found
        if time.monotonic() > end:
            pytest.fail(f"it did not come about within {seconds} s: {true}")
        await asyncio.sleep(0.02)


@dataclass
class Site:
    """A house with a daemon in it."""

    house: House
    serve: dict[str, Any] = field(default_factory=lambda: dict(QUICK))
    tiers: Tiers | None = None

    @asynccontextmanager
    async def daemon(self, replica: str = "one") -> AsyncIterator[Daemon]:
        """One replica, running."""
        raw = {"organisation": "acme", "sources": [{"type": "directory", "name": "catalog", "path": "."}]}
        settings = Settings.model_validate({**raw, "serve": self.serve})
        async with self.house.engine() as engine:
            if self.tiers is not None:
                engine.setup = type(engine.setup)(engine.setup.organisation, self.tiers, engine.setup.central)
            daemon = Daemon(engine, engine.store, settings, replica, Metrics(list))
            async with daemon.running():
                yield daemon

    def edit(self, path: str, text: str) -> None:
        """Somebody changes a file on our branch by hand."""
        self._by_hand(lambda work: (work / path).write_text(text))

    def remove(self, *paths: str) -> None:
        """Somebody removes files from our branch."""
        self._by_hand(lambda work: [(work / path).unlink() for path in paths])

    def _by_hand(self, change: Callable[[Path], object]) -> None:
        work = self.house.folder / "person"
        if not work.exists():
            git("clone", "-q", str(self.house.remote), str(work), cwd=self.house.folder)
        git("fetch", "-q", "origin", cwd=work)
        git("checkout", "-q", "-B", "edit", "origin/nthlayer-sync", cwd=work)
        change(work)
        person = ("-c", "user.name=Person", "-c", "user.email=person@example.com")
        git(*person, "commit", "-q", "-a", "-m", "by hand", cwd=work)
        git("push", "-q", "origin", "HEAD:nthlayer-sync", cwd=work)

    def show(self, *names: str, text: str = "hello") -> None:
        """The catalog shows these services."""
        self.house.catalog.said = says(service(name, text, uid=f"u-{name}") for name in names)


async def settled(daemon: Daemon) -> None:
    """Nothing is asked for, and nobody works."""

    async def still() -> bool:
        backlog = await daemon.work.backlog()
        return daemon.health.synced > 0 and not any(
            one.due or one.claimed for topic, one in backlog.items() if topic != "lead"
        )

    await until(still)


async def synced(daemon: Daemon) -> None:
    """Read everything anew, and do what follows."""
    before = daemon.health.synced
    await daemon.desk.sync(ADA)

    async def again() -> bool:
        return daemon.health.synced > before

    await until(again)
    await settled(daemon)


async def runs_of(daemon: Daemon) -> list[Run]:
    return await daemon.store.runs()


async def standing(daemon: Daemon, name: str = "a", action: str = "") -> list[Change]:
    """What the last plan of a service found and did not do, once there is some."""

    async def some() -> list[Change]:
        parts = await daemon.store.open_parts([ref(name)])
        return [c for _, part in parts for c in part.changes if not action or c.action == action]

    return await until(some)


def ref(name: str) -> EntityRef:
    return EntityRef(f"component:default/{name}")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    house = House(tmp_path)
    house.build()
    site = Site(house)
    site.show("a", "b")
    return site
