"""A provider on its port, and a route that says who came."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pydantic import BaseModel

from nthlayer_sync.web.route import Context, Route
from tests.web.auth.provider import Provider


class Who(BaseModel):
    """Who came."""

    name: str
    role: str
    groups: list[str]


async def who(context: Context) -> Who:
    """Who came."""
    person = context.person
    return Who(name=person.name, role=person.role, groups=sorted(person.groups))


async def do(context: Context) -> Who:
    """What only operators may do."""
    return await who(context)


WHO = (
    Route("GET", "/who", "Who came", Who, who, "people"),
    Route("POST", "/do", "Do", Who, do, "people", role="operator"),
)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    found = Provider()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()
