"""What goes wrong around a running daemon stays where it is: a slow source, a dead tool, an echo, a bad plugin."""

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry import health
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.model.snapshot import Snapshot
from nthlayer_sync.plugins.prometheus import Plugin as Prometheus
from nthlayer_sync.sandbox import Fault, Sandbox
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.reload import EVERY
from nthlayer_sync.settings import Settings
from tests.daemon.conftest import ADA, Site, ref, settled, site, synced, until
from tests.engine.conftest import Notes
from tests.faults.house import says, service
from tests.faults.live.company import FULL, PAGERDUTY, Company, services, settings_of
from tests.faults.live.test_down import Other
from tests.faults.test_plugins import BadSpec, many, others, plugin, raises, wrong_field
from tests.sdk.web import QuickClock

__all__ = ["site"]

SETTINGS = {"every": "1h", "poll": "1h", "audit": "1h", "lease": "2s", "grace": "5s", "workers": 2}


@asynccontextmanager
async def daemon_of(company: Company, **serve: Any) -> AsyncIterator[Daemon]:
    """A daemon over tools of the sandbox."""
    raw = {"organisation": "acme", "sources": [{"type": "directory", "name": "catalog", "path": "."}]}
    settings = Settings.model_validate({**raw, "serve": SETTINGS | serve})
    async with company.engine() as engine:
        store: Any = engine.store
        daemon = Daemon(engine, store, settings, "one", Metrics(list))
        async with daemon.running():
            yield daemon


async def test_a_source_that_hangs_holds_up_nothing_else(site: Site) -> None:
    """Row 8: while the catalog does not come, the lead is kept, and what is asked for is done with what is known."""
    async with site.daemon() as daemon:
        await settled(daemon)
        coming, read = asyncio.Event(), site.house.catalog.read

        async def drips() -> Snapshot:
            await coming.wait()
            return await read()

        site.house.catalog.read = drips  # type: ignore[method-assign]
        path = next(name for name in site.house.files() if "/a/" in name and "whole" in name)
        site.show("a", "b", "c")
        await daemon.desk.sync(ADA)
        await asyncio.sleep(1.5 * 2)  # longer than a lease
        site.edit(path, "edited by hand\n")
        await daemon.desk.reconcile(ADA, [ref("a")])

        async def kept() -> bool:
            return bool(await daemon.store.open_parts([ref("a")]))

        await until(kept)
        assert daemon.health.leading
        assert daemon.health.dead() == {}
        assert site.house.names() == {"a", "b"}
        coming.set()

        async def there() -> bool:
            return site.house.names() == {"a", "b", "c"}

        await until(there)


async def test_a_catalog_that_changes_while_it_is_read(site: Site) -> None:
    """Row 10: what is planned is of one read, and the next brings what came in between."""
    async with site.daemon() as daemon:
        await settled(daemon)
        read, turns = site.house.catalog.read, iter(range(3))

        async def moving() -> Snapshot:
            said = await read()
            if (turn := next(turns, None)) is not None:
                site.show("a", "b", text=f"turn {turn}")
            return said

        site.house.catalog.read = moving  # type: ignore[method-assign]
        site.show("a", "b", text="first")
        for _ in range(5):
            await synced(daemon)
        assert {text.splitlines()[-1] for name, text in site.house.files().items() if "whole" in name} == {"turn 2"}
        assert await daemon.store.unsettled() == 0


async def test_one_tool_is_down_and_the_others_are_on_time(tmp_path: Path, sandbox: Sandbox) -> None:
    """Row 22: a tool answers with 500; its breaker rests for ten minutes, and another tool has each change in time."""
    async with Sandbox(["pagerduty"]) as second:
        reach = {"pagerduty": settings_of(sandbox.pagerduty)}
        second.pagerduty.name = "other"
        reach["other"] = settings_of(second.pagerduty)
        down = Manners(rate=math.inf, at_once=8, tries=3, pause=0.001, trip=10, rest=600.0, longest_wait=1.0)
        company = Company(tmp_path, reach, plugins=(type("Down", (PAGERDUTY,), {"manners": down}), Other))
        company.says(services(20))
        async with daemon_of(company) as daemon:

            async def made() -> bool:
                return len(second.ledger.committed()) == 20 and len(sandbox.ledger.committed("", "services")) == 20

            await until(made)
            await settled(daemon)
            sandbox.pagerduty.faults.add(Fault(status=500, times=0))
            asked = sandbox.ledger.of("pagerduty").reads + sandbox.ledger.of("pagerduty").writes
            slowest = 0.0
            for number in range(21, 31):
                company.says(services(number))
                began = time.monotonic()
                await daemon.desk.sync(ADA)

                async def there(number: int = number) -> bool:
                    return len(second.ledger.committed()) == number

                await until(there, 10)
                slowest = max(slowest, time.monotonic() - began)
            asked = sandbox.ledger.of("pagerduty").reads + sandbox.ledger.of("pagerduty").writes - asked
            print(f"the dead tool was asked {asked} times, the other had each change within {slowest:.2f} s")
            assert slowest < 3
            assert asked < 60
            assert daemon.health.dead() == {}


async def test_an_echo_of_our_own_writes_comes_to_rest(site: Site) -> None:
    """Row 39: each write comes back as an annotation and a webhook; a change costs no more than two writes."""
    writes = 0

    def echoing(target: Any) -> Any:
        write = target.write

        async def echo(batch: Any, key: str) -> Any:
            nonlocal writes
            results = await write(batch, key)
            writes += sum(str(result.outcome) == "done" for result in results)
            site.house.catalog.said = says(
                msgspec.structs.replace(
                    entity, annotations=entity.annotations | {"sync.nthlayer.dev/written": f"write {writes}"}
                )
                for entity in site.house.catalog.said.entities
            )
            await daemon.desk.sync(ADA)
            return results

        target.write = echo
        return target

    site.house.wrap_target = echoing
    async with site.daemon() as daemon:
        await settled(daemon)
        before = writes
        for turn in range(5):
            site.show("a", "b", text=f"turn {turn}")
            await synced(daemon)
            await settled(daemon)
        await synced(daemon)
        files = 2  # whose text changes
        assert writes - before <= 2 * 5 * files
        still = writes
        for _ in range(3):
            await synced(daemon)
        assert writes == still


async def test_a_second_writer_is_left_to_a_person(tmp_path: Path, sandbox: Sandbox) -> None:
    """Row 39: somebody writes what we write, whenever we did; after three of our writes it is shown and left alone."""
    company = Company(tmp_path, {"pagerduty": {**settings_of(sandbox.pagerduty), "drift": "enforce"}})
    company.says(services(3))
    async with daemon_of(company) as daemon:
        await settled(daemon)
        await until(lambda: quiet(sandbox, 3))
        sandbox.ledger.clear()
        for _ in range(8):
            for item in sandbox.pagerduty.collections["services"].everything():
                if item["name"] == "s00000":
                    item["description"] = item["description"].replace("hello", "of the other")
            await daemon.desk.audit(ADA)
            await asyncio.sleep(0.1)
            await settled(daemon)
        assert 1 <= len(sandbox.ledger.committed()) <= 3
        ((_, part),) = await daemon.store.open_parts([ref("s00000")])
        (change,) = part.changes
        assert change.action == "keep"
        print(change.reason)


async def quiet(sandbox: Sandbox, made: int) -> bool:
    return len(sandbox.ledger.committed("", "services")) == made


@pytest.mark.parametrize(
    "generate", [raises, others, many, wrong_field] if FULL else [raises, wrong_field], ids=lambda bad: bad.__name__
)
async def test_a_plugin_that_does_wrong_is_alone_with_it(site: Site, generate: Any) -> None:
    """Row 40: what it spoils is its own, it is named, and the daemon goes on."""
    site.house.plugins = (Notes, plugin(generate))
    async with site.daemon() as daemon:
        await until(lambda: both(site))
        await settled(daemon)
        site.show("a", "b", "c")
        await synced(daemon)
        assert site.house.names() == {"a", "b", "c"}
        parts = await daemon.store.open_parts()
        bad = [change for _, part in parts for change in part.changes if change.kind == "bad/file"]
        assert [str(change.action) for change in bad] == ["refuse"] * 3
        assert all(change.reason for change in bad)
        assert daemon.health.dead() == {}


async def both(site: Site) -> bool:
    return (site.house.remote / "refs/heads/nthlayer-sync").exists() and site.house.names() == {"a", "b"}


async def test_a_plugin_that_hangs_makes_the_daemon_not_alive(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 40: nothing in this process can stop it, but the watchdog says so, and a new start mends it."""
    monkeypatch.setattr(health, "STUCK", 0.4)
    told: list[dict[str, str]] = []
    hangs = threading.Event()

    def generate(subject: Any) -> Iterator[BadSpec]:
        if not hangs.is_set():
            hangs.set()
            time.sleep(1.2)
        yield BadSpec(text="a")

    def watch() -> None:
        hangs.wait(20)
        time.sleep(0.8)
        told.append(daemon.health.dead())

    site.house.plugins = (Notes, plugin(generate))
    async with site.daemon() as daemon:
        watching = asyncio.create_task(asyncio.to_thread(watch))
        await until(lambda: both(site))
        await watching
        assert list(told[0]) == ["loop"]


async def test_a_clock_that_is_set_while_it_runs(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 35: ten minutes on, ten back, an hour back: all is done in time, and nothing is believed to be gone."""
    offset, real = 0.0, time.time
    company = Company(tmp_path, {"pagerduty": settings_of(sandbox.pagerduty)})
    company.says(services(12))
    monkeypatch.setattr(time, "time", lambda: real() + offset)
    async with daemon_of(company) as daemon:
        file: Any = daemon.store
        file._clock = file.work._clock = lambda: real() + offset
        await until(lambda: quiet(sandbox, 12))
        for turn, jump in enumerate((-600.0, 1200.0, -3600.0)):
            company.says(services(12)[1:] if turn == 0 else services(12 + turn))
            await daemon.desk.sync(ADA)
            await settled(daemon)
            offset += jump
            company.says(services(12 + turn + 1))
            began = time.monotonic()
            await daemon.desk.sync(ADA)
            await until(lambda turn=turn: quiet(sandbox, 12 + turn + 1), 12)
            print(f"{jump:+g} s: done after {time.monotonic() - began:.1f} s")
            assert daemon.health.dead() == {}
            assert [entry for entry in sandbox.ledger.entries if entry.method == "DELETE"] == []


async def test_services_and_their_team_in_different_batches(tmp_path: Path, sandbox: Sandbox) -> None:
    """What refers to something that another worker makes in this moment is tried again soon, not at the next sync."""
    company = Company(tmp_path, {"pagerduty": settings_of(sandbox.pagerduty)})
    company.says([service(f"s{number:05}", uid=f"u{number}") for number in range(12)])
    async with daemon_of(company, batch=2, workers=4) as daemon:
        await until(lambda: quiet(sandbox, 12), 15)
        await settled(daemon)
        assert await daemon.store.unsettled() == 0


async def test_a_server_is_told_to_reload_once_a_minute(tmp_path: Path) -> None:
    """Row 37: several workers have rules for one Prometheus; a batch is one reload, and the next waits its minute."""
    clock, reloads = QuickClock(), list[float]()

    async def answer(request: web.Request) -> web.Response:
        reloads.append(clock.now())
        return web.Response()

    app = web.Application()
    app.router.add_post("/-/reload", answer)
    listening = TestServer(app)
    await listening.start_server()
    (tmp_path / "rules").mkdir()
    server = {"url": str(listening.make_url("")), "directory": str(tmp_path / "rules")}
    company = Company(tmp_path, {"prometheus": {"server": server}}, plugins=(Prometheus,))
    company.says(services(12))
    async with daemon_of(company, batch=4, workers=4) as daemon:
        live: Any = daemon.engine.generator.plugins["prometheus"].live
        live._texts._clock = clock

        async def loaded() -> bool:
            return len(list((tmp_path / "rules").glob("*.slo.rules.yaml"))) == 12

        await until(loaded)
        await settled(daemon)
        assert 1 <= len(reloads) <= 4
        assert all(later - earlier >= EVERY for earlier, later in pairwise(reloads)), reloads
    await listening.close()
