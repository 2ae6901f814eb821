"""The hooks on a real port, with a real store behind them."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.settings import Settings
from nthlayer_sync.state.sqlite import SqliteStore
from nthlayer_sync.web.hooks import install
from nthlayer_sync.web.hooks.brake import Brake
from nthlayer_sync.web.problem import problems
from tests.web.hooks.senders import SECRETS, SETTINGS, Clock, Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The hooks with a secret for every system, and some roots in which something is applied."""
    clock = Clock()
    for system, secret in SECRETS.items():
        (tmp_path / system).write_text(secret)
    refs = {system: f"file:{tmp_path / system}" for system in SECRETS}
    settings = Settings.model_validate(SETTINGS | {"serve": {"webhooks": refs}})
    async with SqliteStore(tmp_path / "state.db", clock) as store:
        await store.see_roots(
            {
                "git https://github.com/acme/shop": "1",
                "git https://mirror.example/acme/mirrored": "1",
                "git https://github.com/acme/shop-two": "1",
                "git git@gitlab.com:acme/platform/catalog.git": "1",
                "git /srv/catalog": "1",
                "pagerduty pagerduty": "1",
                "pagerduty pagerduty:emea": "1",
                "grafana grafana": "1",
            }
        )
        daemon = SimpleNamespace(settings=settings, store=store, metrics=Metrics(tuple))
        app = web.Application(middlewares=[problems])
        install(app, daemon, Secrets(now=clock), clock=clock, brake=Brake(rate=1e6))
        async with TestServer(app) as server, ClientSession() as session:
            yield Site(str(server.make_url("")).rstrip("/"), store, clock, tmp_path, session, daemon.metrics)
