"""A running server with routes of the test's own, and a client that shows every answer whole."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from nthlayer_sync.sdk.http import Clock, Web
from nthlayer_sync.settings import Settings
from nthlayer_sync.settings.serve import AccessSettings, ServeSettings
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.route import Route
from nthlayer_sync.web.server import application, listening


def settings(access: AccessSettings, listen: str = "127.0.0.1:0") -> Settings:
    """Settings of an organisation that has nothing but a server."""
    source = {"type": "directory", "path": "."}
    serve = ServeSettings(listen=listen, access=access)
    return Settings.model_validate({"organisation": "acme", "sources": [source], "serve": serve})


@dataclass
class Served:
    """What routes of this file's tests need of a daemon."""

    settings: Settings


@dataclass
class Said:
    """One answer, read to its end."""

    status: int
    headers: Any
    body: bytes
    json: Any = None


@dataclass
class Client:
    """Asks one server."""

    url: str
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, token: str = "", **more: Any) -> Said:
        headers = {**self.headers, **more.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.url + path, headers=headers, **more) as answer:
            body = await answer.read()
            is_json = "json" in answer.content_type
            return Said(answer.status, answer.headers, body, await answer.json(content_type=None) if is_json else None)

    async def get(self, path: str, token: str = "", **more: Any) -> Said:
        return await self.ask("GET", path, token, **more)


Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves routes to whom the settings let in, on a port of their own, until the test is over."""
    async with AsyncExitStack() as stack:

        async def served(
            routes: Sequence[Route],
            access: AccessSettings | None = None,
            clock: Clock | None = None,
            change: Callable[[web.Application], None] | None = None,
        ) -> Client:
            return await stack.enter_async_context(serving(routes, access, clock, change))

        yield served


@asynccontextmanager
async def serving(
    routes: Sequence[Route],
    access: AccessSettings | None = None,
    clock: Clock | None = None,
    change: Callable[[web.Application], None] | None = None,
) -> AsyncIterator[Client]:
    """The server of the fixture `serve`."""
    found = settings(access or AccessSettings())
    tools = Web()
    app = application(Served(found), routes, Door(found.serve.access, tools, clock))  # type: ignore[arg-type]
    if change:
        change(app)
    try:
        async with listening(app, found.serve) as (host, port), aiohttp.ClientSession() as session:
            yield Client(f"http://{host}:{port}", session)
    finally:
        await tools.close()


class Hand:
    """A clock that is moved by hand; waiting takes no time."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()
