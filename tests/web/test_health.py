"""The probes and /metrics tell the truth: each thing that the daemon needs is broken, and they are asked."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry import health as telemetry
from nthlayer_sync.model.plan import SourceState
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.settings.serve import AccessSettings, ServeSettings, TokenSettings
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.health import install
from nthlayer_sync.web.server import application, listening
from tests.daemon.telemetry.organisation import small
from tests.web.conftest import Client

GOOD = {"ok": True, "wrong": {}}
TOKEN = "prometheus-s-own-token"
NOBODY = AccessSettings()
ACCESS = AccessSettings(tokens=(TokenSettings(name="prometheus", sha256=sha256(TOKEN.encode()).hexdigest()),))


@asynccontextmanager
async def served(daemon: Daemon, access: AccessSettings = NOBODY, handler: Any = None) -> AsyncIterator[Client]:
    """The daemon's own addresses, and `/api/{name}` with a handler of the test's own."""
    tools = Web()
    app = application(daemon, (), Door(access, tools))
    install(app, daemon, Door(access, tools))
    if handler:
        app.router.add_get("/api/{name}", handler)
    try:
        settings = ServeSettings(listen="127.0.0.1:0", access=access)
        async with listening(app, settings) as (host, port), aiohttp.ClientSession() as session:
            yield Client(f"http://{host}:{port}", session)
    finally:
        await tools.close()


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon whose sources are read; it does not run."""
    async with small(tmp_path) as daemon:
        daemon.health.source_read(SourceState("directory", "complete", "", "1"))
        yield daemon


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every probe looks anew."""
    monkeypatch.setattr("nthlayer_sync.web.health.FRESH", 0.0)


async def test_a_daemon_that_is_well_says_so_without_a_login(daemon: Daemon):
    async with served(daemon, ACCESS) as client:
        for path in ("/live", "/ready", "/startup"):
            said = await client.get(path)
            assert (said.status, said.json) == (200, GOOD)
            assert said.headers["Cache-Control"] == "no-store"


async def test_a_running_daemon_comes_up_and_goes_down(tmp_path: Path):
    async with small(tmp_path) as daemon, served(daemon) as client:
        assert (await client.get("/startup")).status == (await client.get("/ready")).status == 503
        async with daemon.running(), asyncio.timeout(30):
            while (await client.get("/ready")).status != 200:
                pass
            assert (await client.get("/live")).json == (await client.get("/startup")).json == GOOD
        said = await client.get("/ready")
        assert (said.status, said.json["wrong"]) == (503, {"stopping": "it is stopping"})
        assert (await client.get("/live")).json == GOOD


async def test_it_is_not_ready_before_every_source_was_read_or_restored(tmp_path: Path, fresh: None):
    async with small(tmp_path) as daemon, served(daemon) as client:
        wrong = {"ok": False, "wrong": {"sources": "not every source was read yet"}}
        for path in ("/ready", "/startup"):
            assert (await client.get(path)).json == wrong
        daemon.health.source_read(SourceState("directory", "failed", "secret path is not there", ""))
        assert (await client.get("/ready")).json == wrong
        assert (await client.get("/live")).json == GOOD
        daemon.health.source_restored("directory")
        assert (await client.get("/ready")).json == (await client.get("/startup")).json == GOOD


async def test_it_is_not_ready_without_its_store(tmp_path: Path, daemon: Daemon, fresh: None):
    async with served(daemon) as client:
        await daemon.store.__aexit__(None, None, None)  # type: ignore[attr-defined]
        said = await client.get("/ready")
        assert (said.status, said.json["wrong"]) == (503, {"store": "it cannot be used"})
        assert (await client.get("/live")).status == 200  # a new start would not mend it
        assert b"nthlayer_store_up 0.0" in (await client.get("/metrics")).body


async def test_it_is_not_ready_while_its_store_does_not_answer(
    tmp_path: Path, daemon: Daemon, fresh: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(telemetry, "ANSWER", 0.2)
    entered, release = threading.Event(), threading.Event()

    def stuck(db: sqlite3.Connection) -> None:
        entered.set()
        release.wait(30)

    async with served(daemon) as client:
        reading = asyncio.create_task(daemon.store._file.read(stuck))  # type: ignore[attr-defined]
        await asyncio.to_thread(entered.wait, 30)
        try:
            said = await client.get("/ready")
        finally:
            release.set()
            await reading
        assert (said.status, said.json["wrong"]) == (503, {"store": "it does not answer within 0.2 s"})
        assert (await client.get("/ready")).json == GOOD


async def test_a_part_that_ended_is_a_reason_to_start_anew(daemon: Daemon):
    end = asyncio.Event()

    async def part() -> None:
        await end.wait()

    async with served(daemon) as client:
        task = asyncio.create_task(part())
        daemon.health.tasks = [task]
        assert (await client.get("/live")).json == GOOD
        end.set()
        await task
        said = await client.get("/live")
        assert (said.status, said.json["wrong"]) == (503, {"tasks": "a part of the daemon ended before its time"})
        daemon.health.stopping = True
        assert (await client.get("/live")).json == GOOD


def test_a_loop_that_is_stuck_answers_no_probe(tmp_path: Path):
    """From outside, as a kubelet sees it: no answer while it is stuck, and an honest one right after."""
    now = [0.0]
    stuck, entered, stop = threading.Event(), threading.Event(), Future[None]()
    address: Future[str] = Future()

    def block() -> None:
        entered.set()
        stuck.wait(30)

    async def inside() -> None:
        async with small(tmp_path) as daemon:
            daemon.health = telemetry.Health([], clock=lambda: now[0])
            async with served(daemon) as client:
                loops.append(asyncio.get_running_loop())
                address.set_result(client.url)
                await asyncio.wrap_future(stop)

    async def ask(seconds: float) -> int:
        limit = aiohttp.ClientTimeout(total=seconds)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(address.result() + "/live") as said:
            return said.status

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(inside()))
    thread.start()
    try:
        address.result(30)
        assert asyncio.run(ask(10)) == 200
        loops[0].call_soon_threadsafe(block)
        assert entered.wait(30)
        with pytest.raises(TimeoutError):
            asyncio.run(ask(0.2))
        now[0] += telemetry.STUCK
        stuck.set()
        assert asyncio.run(ask(10)) == 503
    finally:
        stuck.set()
        loops[0].call_soon_threadsafe(lambda: stop.cancelled() or stop.set_result(None))
        thread.join(30)


async def test_the_beat_proves_that_the_loop_works(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telemetry, "BEAT", 0.0)
    now, lags = [0.0], list[float]()
    health = telemetry.Health([], clock=lambda: now[0])
    beaten = asyncio.Event()

    def lagged(seconds: float) -> None:
        lags.append(seconds)
        beaten.set()

    beat = asyncio.create_task(health.beat(lagged))
    now[0] = telemetry.STUCK
    assert health.dead() == {"loop": "the event loop came to nothing for 30 s"}
    async with asyncio.timeout(10):
        await beaten.wait()
    assert health.dead() == {}
    assert lags == [0.0]
    beat.cancel()


async def test_however_often_they_ask_the_store_is_asked_once(daemon: Daemon, monkeypatch: pytest.MonkeyPatch):
    asked = 0
    generation = daemon.store.generation

    async def counted() -> int:
        nonlocal asked
        asked += 1
        return await generation()

    monkeypatch.setattr(daemon.store, "generation", counted)
    monkeypatch.setattr("nthlayer_sync.web.health.FRESH", 60.0)
    async with served(daemon) as client:
        assert {(await client.get("/ready")).status for _ in range(20)} == {200}
    assert asked == 1


async def test_metrics_are_for_who_may_look(daemon: Daemon):
    async with served(daemon, ACCESS) as client:
        assert (await client.get("/metrics")).status == 401
        assert (await client.get("/metrics", "another")).status == 401
        said = await client.get("/metrics", TOKEN)
        assert said.status == 200
        assert said.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    async with served(daemon) as client:
        assert (await client.get("/metrics")).status == 200


async def test_requests_are_counted_by_route_and_never_by_what_was_asked_for(daemon: Daemon):
    async def handler(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "stream":
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write_eof()
            return response
        if name == "bug":
            raise KeyError(name)
        return web.Response(text="fine")

    async with served(daemon, handler=handler) as client:
        for path in ("/api/a", "/api/b", "/api/bug", "/api/stream", "/nowhere", "/else", "/live", "/ready", "/metrics"):
            await client.get(path)
    value = daemon.metrics.registry.get_sample_value
    count = "nthlayer_http_requests_total"
    assert value(count, {"route": "/api/{name}", "code": "200"}) == 3
    assert value(count, {"route": "/api/{name}", "code": "500"}) == 1
    assert value(count, {"route": "none", "code": "404"}) == 2
    assert value("nthlayer_http_request_duration_seconds_count", {"route": "/api/{name}"}) == 3  # not the stream
    routes = {s.labels["route"] for m in daemon.metrics.registry.collect() for s in m.samples if "route" in s.labels}
    assert routes == {"none", "/api/{name}"}
