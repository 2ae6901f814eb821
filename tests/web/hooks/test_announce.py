"""What Backstage is sent is what our module for it takes: signed, in batches, to every Backstage that is a source."""

import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.settings import Settings
from nthlayer_sync.web.hooks.announce import BATCH, Announcement
from nthlayer_sync.web.hooks.schemes import Standard

NEW, OLD = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))


class Backstage:
    """Takes deliveries, or refuses them."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 202
        self.came: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.came.append((headers, await request.read()))
        return web.Response(status=self.status)


@pytest_asyncio.fixture
async def backstage() -> AsyncIterator[Backstage]:
    backstage = Backstage()
    app = web.Application()
    app.router.add_post("/api/events/http/nthlayer", backstage.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    backstage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield backstage
    await runner.cleanup()


def settings(of: Backstage, **webhooks: str) -> Settings:
    source: dict[str, Any] = {"type": "backstage", "url": of.url}
    serve = {"webhooks": webhooks}
    return Settings.model_validate({"organisation": "acme", "sources": [source], "serve": serve})


async def test_deliveries_are_signed_and_come_in_batches(backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"{NEW} {OLD}")
    web = Web()
    announcement = Announcement(settings(backstage, backstage="env:HOOK"), web, Secrets())
    assert announcement
    refs = [EntityRef(f"component:default/s{n}") for n in range(BATCH + 1)]
    await announcement.tell(refs, '"etag"')
    await web.close()
    scheme, told = Standard(), list[str]()
    for headers, body in backstage.came:
        assert scheme.plausible(headers, time.time())
        check = scheme.admit(headers, (NEW,))
        assert check
        assert check(body)
        assert not check(body + b" ")
        said = msgspec.json.decode(body)
        assert said["etag"] == '"etag"'
        told += said["entityRefs"]
    assert told == refs
    assert len({headers["webhook-id"] for headers, _ in backstage.came}) == 2


async def test_a_backstage_that_is_away_is_told_later(backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", NEW)
    backstage.status = 503
    web = Web()
    announcement = Announcement(settings(backstage, backstage="env:HOOK"), web, Secrets())
    with pytest.raises(TemporaryError):
        await announcement.tell([EntityRef("component:default/shop")], '"etag"')
    await web.close()


def test_without_a_secret_nobody_is_told(backstage: Backstage) -> None:
    assert not Announcement(settings(backstage), Web(), Secrets())
