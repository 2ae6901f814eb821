"""The port: who may reach it, what every answer carries, slow and large requests, and how it stops."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from pydantic import BaseModel

from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.settings.serve import AccessSettings, TokenSettings
from nthlayer_sync.web import endpoint, server
from nthlayer_sync.web.route import Context, Route
from tests.web.conftest import Client, Serve, settings

TOKENS = AccessSettings(tokens=(TokenSettings(name="ada", sha256="0" * 64),))


class Nothing(BaseModel):
    """Nothing."""


async def nothing(context: Context) -> Nothing:
    return Nothing()


async def take(context: Context) -> Nothing:
    return Nothing()


ROUTES = (
    Route("GET", "/nothing", "Nothing", Nothing, nothing, "nothing"),
    Route("POST", "/nothing", "Take nothing", Nothing, take, "nothing", body=Nothing),
)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "localhost.example:0"])
async def test_it_does_not_listen_to_others_before_somebody_is_named(listen: str) -> None:
    with pytest.raises(InputError, match=r"serve\.access"):
        async with server.listening(web.Application(), settings(AccessSettings(), listen).serve):
            raise AssertionError


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.8.8.8:0", "localhost:0", "[::1]:0"])
def test_loopback_needs_nobody(listen: str) -> None:
    server.check_reach(settings(AccessSettings(), listen).serve)


async def test_it_listens_anywhere_once_somebody_is_named() -> None:
    async with server.listening(web.Application(), settings(TOKENS, "0.0.0.0:0").serve) as (_, port):
        assert port


async def test_a_port_that_is_taken_is_named(serve: Serve) -> None:
    client = await serve(ROUTES)
    taken = settings(AccessSettings(), client.url.removeprefix("http://")).serve
    with pytest.raises(PermanentError, match="cannot listen"):
        async with server.listening(web.Application(), taken):
            raise AssertionError


@pytest.mark.parametrize("path", ["/nothing", "/no-such", "/nothing?x=1"])
async def test_every_answer_is_hardened(serve: Serve, path: str) -> None:
    client = await serve(ROUTES)
    headers = (await client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Server"] == "nthlayer-sync"


async def _cut(client: Client, *parts: bytes, pause: float = 0.05) -> bytes:
    """What comes back to bytes that come slowly, until the server hangs up."""
    host, _, port = client.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await asyncio.wait([reading := asyncio.ensure_future(reader.read(65536))], timeout=pause)
            if reading.done():
                return reading.result()
            reading.cancel()
            await asyncio.wait([reading])
        return await asyncio.wait_for(reader.read(65536), 5)
    finally:
        writer.close()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    monkeypatch.setattr(endpoint, "BODY_TIMEOUT", 0.3)


@pytest.mark.usefixtures("_impatient")
async def test_a_head_that_drips_is_cut(serve: Serve) -> None:
    client = await serve(ROUTES)
    drops = [b"GET /nothing HTTP/1.1\r\n", *[b"X-%d: y\r\n" % n for n in range(100)]]
    begun = asyncio.get_running_loop().time()
    assert await _cut(client, *drops) == b""
    assert asyncio.get_running_loop().time() - begun < 3


@pytest.mark.usefixtures("_impatient")
async def test_a_body_that_does_not_come_is_waited_for_for_a_while(serve: Serve) -> None:
    client = await serve(ROUTES)
    head = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    said = await _cut(client, head, b"{")
    assert said.startswith(b"HTTP/1.1 408")
    assert b"problem+json" in said


@pytest.mark.parametrize(
    "head",
    [
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_without_a_word_of_our_insides(serve: Serve, head: bytes) -> None:
    client = await serve(ROUTES)
    said = await _cut(client, head)
    assert said.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert b"Traceback" not in said
    assert b"site-packages" not in said
    assert (await client.get("/nothing")).status == 200


async def test_answers_under_way_are_sent_before_it_stops() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="done")

    async def closed(app: web.Application) -> None:
        go_on.set()

    app = web.Application()
    app.router.add_get("/slow", slow)
    app.on_shutdown.append(closed)
    async with aiohttp.ClientSession() as session:
        async with server.listening(app, settings(AccessSettings()).serve) as (host, port):
            asking = asyncio.create_task(session.get(f"http://{host}:{port}/slow"))
            await begun.wait()
        async with await asking as answer:
            assert await answer.text() == "done"
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://{host}:{port}/slow")
