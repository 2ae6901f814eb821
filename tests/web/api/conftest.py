"""The whole API over a socket, on the sample organisation with everything applied."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest
import pytest_asyncio

from nthlayer_sync import app as program
from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.demo import lay_out
from nthlayer_sync.web import api
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.server import application, listening
from tests.web.conftest import Client, Said

PAYMENTS = "component:default/payments-api"
TEAM = "group:default/payments-team"


@dataclass
class Site:
    """A served daemon, and who asks it."""

    daemon: Daemon
    client: Client
    folder: Path
    stop: Callable[[], Awaitable[None]]
    """Stops the server."""

    async def get(self, path: str, token: str = "", **query: Any) -> Said:
        """A GET below /api/v1."""
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        return await self.client.get(f"/api/v1/{path}{asked}", token)

    async def found(self, path: str, **query: Any) -> Any:
        """What a GET answers, which has to go well."""
        said = await self.get(path, **query)
        assert said.status == 200, said.body
        return said.json

    async def post(self, path: str, body: Any, token: str = "", **headers: str) -> Said:
        """A POST below /api/v1; underscores in names of headers are dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.ask("POST", f"/api/v1/{path}", token, json=body, headers=named)

    async def all(self, path: str, limit: int, **query: Any) -> list[Any]:
        """Every entry of a list, page by page."""
        items: list[Any] = []
        page = await self.found(path, limit=limit, **query)
        items += page["items"]
        while page["next"]:
            assert len(page["items"]) == limit
            page = await self.found(path, limit=limit, cursor=page["next"], **query)
            items += page["items"]
        return items


def at(ref: str) -> str:
    """A reference as a segment of a path."""
    return quote(ref, safe="")


@asynccontextmanager
async def served(folder: Path, serve: str = "", kubernetes: str = "{}") -> AsyncIterator[Site]:
    """The daemon with its API; it does not run, so that nothing happens that a test does not do."""
    settings = lay_out(folder)
    text = settings.read_text().replace("kubernetes: {}", f"kubernetes: {kubernetes}")
    settings.write_text(f"{text}serve: {{listen: '127.0.0.1:0'{serve}}}\n")
    made = program.App.load(settings)
    async with made.daemon("one") as daemon:
        plan = await daemon.engine.plan()
        await daemon.engine.apply(plan, daemon.store.parts(plan.id))
        found = daemon.settings.serve
        site = application(daemon, api.ROUTES, Door(found.access, made.web))
        api.install(site, daemon)
        async with AsyncExitStack() as stack, aiohttp.ClientSession() as session:
            host, port = await stack.enter_async_context(listening(site, found))
            yield Site(daemon, Client(f"http://{host}:{port}", session), folder, stack.aclose)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One that the tests of a module share: they only look."""
    async with served(tmp_path_factory.mktemp("site") / "demo") as found:
        yield found


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Site]:
    """One of a test's own, to change."""
    async with served(tmp_path / "demo") as found:
        yield found
