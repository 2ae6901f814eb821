"""Everything that the daemon says over HTTP, in one application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nthlayer_sync.web import api, health, hooks, page
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.server import application

if TYPE_CHECKING:
    from aiohttp import web

    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.sdk.http import Web
    from nthlayer_sync.sdk.secrets import Secrets


def serving(daemon: Daemon, reach: Web, secrets: Secrets) -> web.Application:
    """The API, the page, the probes and the webhooks. `reach` is the way to who vouches for visitors."""
    door = Door(daemon.settings.serve.access, reach)
    app = application(daemon, api.ROUTES, door)
    api.install(app, daemon)
    health.install(app, daemon, door)
    hooks.install(app, daemon, secrets)
    page.install(app, daemon, door)
    return app
