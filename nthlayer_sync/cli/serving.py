"""serve: the daemon, with its API, its page and its webhooks."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.sandbox import interrupted

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon


@options.awaited
async def serve(settings: options.SettingsPath = options.DEFAULT_SETTINGS) -> None:
    """Keep everything in step, all the time, until it is stopped. Shows itself at `serve.listen` of the settings."""
    from nthlayer_sync.daemon.telemetry.logs import configure
    from nthlayer_sync.daemon.telemetry.traces import tracing
    from nthlayer_sync.web.server import check_reach

    configure()
    app = App.load(settings)
    check_reach(app.settings.serve)
    replica = socket.gethostname()
    async with (
        app.daemon(replica) as daemon,
        tracing(app.settings.serve.tracing, replica, daemon.metrics.dropped_spans),
    ):
        await _serve(app, daemon)


async def _serve(app: App, daemon: Daemon) -> None:
    from nthlayer_sync.engine.log import log
    from nthlayer_sync.web.server import listening
    from nthlayer_sync.web.serving import serving

    async with (
        listening(serving(daemon, app.web, app.secrets), app.settings.serve) as (host, port),
        daemon.running(),
    ):
        log().info("serve.started", address=f"http://{host}:{port}", replica=daemon.replica)
        await interrupted()
        log().info("serve.stopping")
