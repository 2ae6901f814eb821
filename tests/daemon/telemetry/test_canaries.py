"""Fifty secrets go through everything that talks, at its most talkative: no line, metric or trace repeats one."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry import logs, otel
from nthlayer_sync.daemon.telemetry.scrape import Scrape
from nthlayer_sync.daemon.telemetry.traces import tracing
from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.sdk.http import Call, Web
from nthlayer_sync.sdk.http.manners import Manners
from nthlayer_sync.sdk.spans import span
from nthlayer_sync.settings.serve import ServeSettings
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.health import install
from nthlayer_sync.web.server import application, listening
from tests.daemon.telemetry.collector import Collector, collecting
from tests.daemon.telemetry.organisation import small


async def test_no_secret_is_repeated_anywhere(
    tmp_path: Path, text: io.StringIO, canaries: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(otel, "EVERY", 0.01)
    asyncio.get_running_loop().set_debug(True)
    with collecting() as collector:
        async with small(tmp_path) as daemon:
            async with tracing(collector.settings(), "replica-1", daemon.metrics.dropped_spans):
                for secret in canaries:
                    await _talk(secret)
                await _ask(daemon, canaries)
            metrics = (await Scrape(daemon.metrics, daemon.health, daemon.store, daemon.engine.graph).text()).decode()
    written = text.getvalue()
    assert written.count("[removed]") > 50 * 10  # they did come by
    assert len(collector.spans) > 50 * 3
    assert b"[removed]" in b"".join(collector.raw)
    assert not list(_found(canaries, written, metrics, collector))


async def _talk(secret: str) -> None:
    """Everything that this program and its libraries may say, with a secret in each place."""
    log().info(
        "thing.said", **{"text": f"before {secret} after", secret: 1, "deep": {"list": [secret, {secret: secret}]}}
    )
    log().info(f"odd.{secret}")
    with logs.about(run=secret), span("run", run=secret, configs=3) as step:
        step.note(said=f"x{secret}y")
        log().debug("thing.done", object=PermanentError(secret))
    for error in (PermanentError(secret), KeyError(secret), ValueError({"token": secret})):
        with suppress(type(error)), span("plan"):
            try:
                try:
                    raise error
                except Exception as cause:
                    raise RuntimeError(f"because of {secret}") from cause
            except RuntimeError:
                log().exception("thing.broken")
                raise error from None
    library = logging.getLogger("library")
    library.debug("sent %s with %r", secret, {"authorization": secret})
    library.error("failed", exc_info=KeyError(secret))
    library.info({"token": secret})
    asyncio.get_running_loop().call_exception_handler({"message": secret, "exception": KeyError(secret)})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"deprecated: {secret}", DeprecationWarning, stacklevel=1)
    if secret.isascii():  # as every secret that goes in a header
        await _call(secret)


async def _call(secret: str) -> None:
    """A system that repeats what lets us in, in every way it can, and a handler that breaks over it."""

    async def echo(request: web.Request) -> web.Response:
        if request.method == "POST":
            raise RuntimeError(f"bug with {request.headers['Authorization']}")
        told = json.dumps({"error": request.headers["Authorization"], "at": str(request.url)})
        return web.Response(status=403, text=told, content_type="application/json")

    async def authorize() -> dict[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", echo)
    tools = Web()
    async with TestServer(app) as server:
        manners = Manners(tries=1, rate=1e9)
        tool = tools.tool("echo", str(server.make_url("/")).rstrip("/"), authorize, manners)
        for method in ("GET", "POST"):
            try:
                await tool.ask(Call(method=method, path="/x", query=[("token", secret)], json={"s": secret}))
            except Failure as error:
                log().warning("tool.failed", error=str(error))
        await tools.close()


async def _ask(daemon: Daemon, canaries: list[str]) -> None:
    """Requests with a secret in their path, query and headers."""
    door = Door(daemon.settings.serve.access, Web())
    app = application(daemon, (), door)
    install(app, daemon, door)
    async with listening(app, ServeSettings(listen="127.0.0.1:0")) as (host, port), aiohttp.ClientSession() as session:
        for secret in canaries:
            headers = {"Authorization": f"Bearer {quote(secret)}", "traceparent": quote(secret)}
            url = URL(f"http://{host}:{port}/{quote(secret, safe='')}", encoded=True).with_query({"token": secret})
            async with session.get(url, headers=headers) as answer:
                assert answer.status == 404


def _found(canaries: list[str], written: str, metrics: str, collector: Collector) -> Iterator[str]:
    traces = b"".join(collector.raw).decode("latin-1")
    for secret in canaries:
        plain = json.dumps(secret, ensure_ascii=False)[1:-1]
        forms = {secret, json.dumps(secret)[1:-1], plain, quote(secret, safe=""), quote(secret), repr(secret)[1:-1]}
        # Whatever it was turned into, its beginning has no character that is ever written otherwise.
        forms.add(secret[: secret.index('"')])
        for form in forms:
            for name, where in (("log", written), ("metrics", metrics), ("traces", traces)):
                if form in where:
                    at = where.index(form)
                    yield f"{name}: {where[max(at - 200, 0) : at + 100]}"
