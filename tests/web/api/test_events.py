"""Events as a stream: complete, resumed where it broke off, and ended cleanly."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event
from nthlayer_sync.web.api import events
from nthlayer_sync.web.server import GRACE
from tests.web.api.conftest import Site, served

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def record(site: Site, *texts: str) -> None:
    """Things that happen."""
    at, subject = time.time(), EntityRef("component:default/cart")
    await site.daemon.store.record([Event(at=at, name="run.ended", subject=subject, text=text) for text in texts])


async def told(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, str]]:
    """The events of a stream, each with its fields."""
    fields: dict[str, str] = {}
    async for line in answer.content:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields
            fields = {}
        else:
            fields = {}


def listen(site: Site, after: int | None = None, **headers: str) -> "aiohttp.client._RequestContextManager":
    query = "" if after is None else f"?after={after}"
    return site.client.session.get(f"{site.client.url}/api/v1/events{query}", headers=headers)


async def some(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    async with asyncio.timeout(10):
        async for event in told(answer):
            found.append(event)
            if len(found) == count:
                return found
    pytest.fail("the stream ended")


async def test_what_happens_is_told_and_taken_up_again(site: Site) -> None:
    await record(site, "before")
    [before] = await site.daemon.store.events(-1, 1)
    async with listen(site) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        await record(site, "one", 'two\n\nevent: forged\ndata: {"x": 1}')
        first, second = await some(answer, 2)
    assert first["event"] == second["event"] == "run.ended"
    assert '"text":"one"' in first["data"]
    assert "forged" in second["data"]
    assert '"entity":"component:default/cart"' in first["data"]
    await record(site, "three")
    async with listen(site, **{"Last-Event-ID": first["id"]}) as answer:
        again, third = await some(answer, 2)
    assert again == second
    assert int(third["id"]) > int(second["id"])
    async with listen(site, after=before.number - 1) as answer:
        assert '"text":"before"' in (await some(answer, 1))[0]["data"]


async def test_many_events_come_in_order(site: Site) -> None:
    before = (await site.daemon.store.events(-1, 1))[-1:]
    await record(site, *(str(number) for number in range(1200)))
    async with listen(site, after=before[0].number if before else 0) as answer:
        numbers = [int(event["id"]) for event in await some(answer, 1200)]
    assert numbers == list(range(numbers[0], numbers[0] + 1200))


async def test_silence_is_broken_now_and_then(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.0)
    monkeypatch.setattr(events, "POLL", 0.01)
    async with listen(site) as answer, asyncio.timeout(10):
        async for line in answer.content:
            if line.startswith(b":"):
                return
    pytest.fail("nothing was heard")


async def test_only_so_many_may_listen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LISTENERS", 1)
    async with listen(site) as answer:
        await answer.content.readline()
        async with listen(site) as refused:
            assert refused.status == 503
            assert refused.headers["Retry-After"]
    async with asyncio.timeout(10):
        while True:  # a client that left makes room
            async with listen(site) as answer:
                if answer.status == 200:
                    break


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 17, "9" * 16, "\u0663"])
async def test_no_number_is_a_problem(site: Site, last: str) -> None:
    async with listen(site, **{"Last-Event-ID": last}) as answer:
        assert answer.status == 400
        assert answer.content_type == "application/problem+json"


async def test_a_stream_ends_when_the_server_stops(tmp_path: Path) -> None:
    async with served(tmp_path / "demo") as site, aiohttp.ClientSession() as session:
        answer = await session.get(f"{site.client.url}/api/v1/events")
        await answer.content.readline()
        began = time.monotonic()
        await site.stop()
        assert time.monotonic() - began < GRACE
        assert await answer.content.read() == b"\n"
