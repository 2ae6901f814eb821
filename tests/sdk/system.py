"""A system on the loopback that answers as it is told, and the asking of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk.http import Answer, Call, Manners, Web
from tests.sdk.web import served

CANARY = "canary-5d41402abc4b2a76"
CREATE = Call(method="POST", path="/things", json={"name": "a"})
GET = Call(path="/things")
SEARCH = Call(method="POST", path="/search", json={}, reads=True)


class System:
    """Answers as it is told: a status, a whole response, or text to write to the socket before it is cut."""

    def __init__(self, *answers: int | web.Response | str) -> None:
        self.answers = list(answers)
        self.seen: list[tuple[str, str, Mapping[str, str], bytes]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.raw_path, request.headers, await request.read()))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, int):
            return web.json_response({"status": answer}, status=answer)
        if isinstance(answer, web.Response):
            return answer
        assert request.transport is not None
        request.transport.write(answer.encode())
        await asyncio.sleep(0)
        request.transport.close()
        return web.Response()


class Token:
    """An authorization that has a newer secret as soon as it is told to forget the old one."""

    def __init__(self) -> None:
        self.number = 0
        self.resolved = 0

    async def __call__(self) -> Mapping[str, str]:
        self.resolved += 1
        return {"Authorization": f"Bearer {CANARY}-{self.number}"}

    def forget(self) -> None:
        self.number += 1


async def ask(connections: Web, system: System, call: Call, **manners: Any) -> Answer:
    async with served(system.answer) as url:
        return await connections.tool("tool", url + "/base", Token(), Manners(**manners)).ask(call)


async def failure(connections: Web, system: System, call: Call, **manners: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await ask(connections, system, call, **manners)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith(f"tool: {call.method} {call.path}: ")
    return caught.value
