"""A running sandbox whose every exchange is held against the vendors' specifications."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox, Tool
from tests.sandbox.oracle import Oracle


class Caller:
    """Sends requests to one tool."""

    def __init__(self, session: aiohttp.ClientSession, tool: Tool, headers: dict[str, str]) -> None:
        self.tool = tool
        self.headers = headers
        self.last: dict[str, str] = {}
        """The headers of the last answer."""
        self._session = session

    async def __call__(self, method: str, path: str, body: Any = None, expect: int = 200, **more: Any) -> Any:
        headers = self.headers | more.pop("headers", {})
        async with self._session.request(method, self.tool.url + path, json=body, headers=headers, **more) as answer:
            text = await answer.text()
            assert answer.status == expect, f"{method} {path}: {answer.status} {text}"
            self.last = {name.lower(): value for name, value in answer.headers.items()}
            return await answer.json() if text else None

    async def status(self, method: str, path: str) -> int:
        async with self._session.request(method, self.tool.url + path, headers=self.headers) as answer:
            self.last = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status


@pytest.fixture
async def sandbox(shared: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        with Oracle(shared, sandbox):
            yield sandbox


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
