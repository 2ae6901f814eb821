"""The application made of the table of routes, and the port it listens on."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http import HttpProcessingError

from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.auth.loopback import is_loopback
from nthlayer_sync.web.endpoint import Endpoint
from nthlayer_sync.web.problem import problems
from nthlayer_sync.web.reference import Reference
from nthlayer_sync.web.route import Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.settings.serve import ServeSettings

LARGEST_BODY = 1 << 20
"""Bytes of a request's body."""
LARGEST_HEADER = 16 << 10
"""Bytes of one header: tokens that name many groups are long."""
LONGEST_LINE = 64 << 10
"""Bytes of method and address: a query of texts at their longest, percent-encoded, fits."""
PATIENCE = 60.0
"""Seconds that a connection may be open without a whole request head; more than proxies keep theirs."""
GRACE = 5.0
"""Seconds that answers under way may take when the server stops."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer; by the OWASP cheat sheet on HTTP headers."""


class _Requests(logging.Filter):
    """Leaves out what is no request: everybody can send such, and is told what is wrong with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is of another kind."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_log = logging.getLogger(__name__)
_log.addFilter(_Requests())


def application(daemon: Daemon, routes: Sequence[Route], door: Door) -> web.Application:
    """The application that answers the routes; others may add theirs to it before it starts."""
    app = web.Application(middlewares=[problems], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(_harden)
    reference = Reference(routes, daemon.settings.serve.access)
    for route in reference.routes:
        answer = Endpoint(route, daemon, door).answer
        app.router.add_route(route.method, route.path, answer)
        if route.has_etag:
            app.router.add_head(route.path, answer)
    reference.install(app, door)
    return app


@asynccontextmanager
async def listening(app: web.Application, settings: ServeSettings) -> AsyncGenerator[tuple[str, int]]:
    """The application on its port while the block runs; gives the address it is reached at.

    Raises InputError where others could reach it and nobody is asked who he is, PermanentError where it cannot listen.
    """
    host, port = settings.address
    check_reach(settings)
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,
        keepalive_timeout=PATIENCE,
        logger=_log,
        max_field_size=LARGEST_HEADER,
        max_line_size=LONGEST_LINE,
        shutdown_timeout=GRACE,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PermanentError(f"serve.listen: cannot listen on {settings.listen}: {error.strerror}") from error
        yield runner.addresses[0][:2]
    finally:
        await runner.cleanup()


def check_reach(settings: ServeSettings) -> None:
    """Raise InputError where other machines could reach the daemon, and nobody is asked who he is."""
    host, _ = settings.address
    if not settings.access and not is_loopback(host):
        raise InputError(
            f"serve.listen: {settings.listen} can be reached from other machines, and serve.access names nobody who "
            "may come in; name somebody there (`nthlayer-sync token` makes a token), or listen on 127.0.0.1"
        )


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    # In place of aiohttp's own, which tells its version.
    response.headers["Server"] = "nthlayer-sync"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
