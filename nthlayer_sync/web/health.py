"""What probes and Prometheus ask: /live, /ready and /startup, open to all, and /metrics, for who may look.

The probes name their checks and nothing of the installation. Neither they nor /metrics are counted as requests: a
daemon that says truly that it is not ready breaks no promise of its API.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nthlayer_sync.daemon.telemetry.fresh import Fresh
from nthlayer_sync.daemon.telemetry.health import trouble
from nthlayer_sync.daemon.telemetry.metrics import NO_ROUTE
from nthlayer_sync.daemon.telemetry.scrape import FRESH, Scrape
from nthlayer_sync.daemon.telemetry.traces import continuing
from nthlayer_sync.sdk.spans import span

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.daemon.telemetry.metrics import Metrics
    from nthlayer_sync.web.auth.door import Door

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format"""


def install(app: web.Application, daemon: Daemon, door: Door) -> None:
    """Add the addresses, and have every other request counted and traced."""
    own = _Own(daemon, door)
    for path, handler in {
        "/live": own.live,
        "/ready": own.ready,
        "/startup": own.startup,
        "/metrics": own.metrics,
    }.items():
        app.router.add_get(path, handler)
    # Before all others: it sees the answers as they go out.
    app.middlewares.insert(0, _measured(daemon.metrics, {own.live, own.ready, own.startup, own.metrics}))


class _Own:
    def __init__(self, daemon: Daemon, door: Door) -> None:
        self._health = daemon.health
        self._door = door
        self._stored = Fresh(lambda: trouble(daemon.store), FRESH)
        self._scrape = Scrape(daemon.metrics, daemon.health, daemon.store, daemon.engine.graph)

    async def live(self, request: web.Request) -> web.Response:
        """Whether it would help to start the daemon anew."""
        return _said(self._health.dead())

    async def ready(self, request: web.Request) -> web.Response:
        """Whether the daemon can do its work now, and requests should be sent to it."""
        return _said(self._health.unready(await self._stored.get()))

    async def startup(self, request: web.Request) -> web.Response:
        """Whether the daemon has come up, after which the other two count."""
        return _said({} if self._health.started() else {"sources": "not every source was read yet"})

    async def metrics(self, request: web.Request) -> web.Response:
        """Everything that is measured; for a viewer, or anybody on this machine where nobody has to log in."""
        await self._door.admit(request)
        return web.Response(body=await self._scrape.text(), headers={"Content-Type": TEXT_FORMAT})


def _said(wrong: dict[str, str]) -> web.Response:
    body = msgspec.json.encode({"ok": not wrong, "wrong": wrong})
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=body, status=503 if wrong else 200, content_type="application/json", headers=headers)


def _measured(metrics: Metrics, own: Collection[Handler]) -> Middleware:
    @web.middleware
    async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.handler in own:
            return await handler(request)
        resource = request.match_info.route.resource
        route = resource.canonical if resource else NO_ROUTE
        began = time.perf_counter()
        with (
            continuing(request.headers.get("traceparent", "")),
            span("request", route=route, method=request.method) as step,
        ):
            try:
                response = await handler(request)
            except web.HTTPException as answer:
                metrics.request(route, answer.status, time.perf_counter() - began)
                raise
            step.note(status=response.status)
        # A stream lasts as long as somebody listens, which says nothing about how fast it was.
        streamed = not isinstance(response, web.Response)
        metrics.request(route, response.status, None if streamed else time.perf_counter() - began)
        return response

    return measured
