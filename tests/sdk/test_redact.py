"""No secret in any text."""

import asyncio
import base64
import json
import logging

import pytest
from aiohttp import web

from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk import redact as redaction
from nthlayer_sync.sdk.http import Call, Manners, Web
from nthlayer_sync.sdk.redact import hide, redact, redacted
from nthlayer_sync.sdk.secrets import Secrets
from tests.sdk.web import QuickClock, served

CANARY = "canary-5d41402abc4b2a76"


class TestRedaction:
    def test_what_was_handed_out_is_taken_out_of_texts_in_each_of_its_forms(self) -> None:
        hide('canary"quote\\d/& 1')
        for text in ('canary"quote\\d/& 1', json.dumps('canary"quote\\d/& 1')[1:-1], "canary%22quote%5Cd%2F%26%201"):
            assert redacted(f"<{text}>") == "<[removed]>"

    def test_the_longer_of_two_goes_first_and_the_shortest_stay(self) -> None:
        hide("canary-long")
        hide("canary-long-and-more")
        hide("abc")
        assert redacted("abc canary-long-and-more canary-long") == "abc [removed] [removed]"

    def test_it_does_not_grow_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(redaction, "_known", {})
        monkeypatch.setattr(redaction, "_MOST", 3)
        for number in range(10):
            hide(f"canary-{number}")
        assert list(redaction._known) == ["canary-7", "canary-8", "canary-9"]

    def test_events_of_the_log_in_every_part(self) -> None:
        hide(CANARY)
        event = {"event": CANARY, "deep": {"a": [CANARY, (CANARY, 1)]}, CANARY: 1, "error": ValueError(CANARY), "n": 2}
        clean = redact(None, "info", event)
        assert CANARY not in repr(clean)
        assert clean["n"] == 2


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503, -1, -2])
async def test_no_failure_shows_a_secret_anywhere(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Canaries through each way that a request can go, with every log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    monkeypatch.setenv("TOKEN", CANARY)

    async def echo(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        if status == -1:
            request.transport.abort()
        if status == -2:
            request.transport.write(f"HTTP/1.1 200 OK\r\nX: {request.headers['Authorization']}\x00\r\n\r\n".encode())
        sent = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        return web.Response(status=max(status, 200), text=sent + (await request.text()))

    async with served(echo) as url:
        secrets, connections = Secrets(), Web(QuickClock())
        tools = [
            connections.tool("tool", url, authorize, Manners(tries=2))
            for authorize in (secrets.header("env:TOKEN", "Token token={}"), secrets.basic("me", "env:TOKEN"))
        ]
        texts: list[str] = []
        for tool in tools:
            for call in (
                Call(path="/x"),
                Call(method="POST", path="/x", form={"password": await secrets.value("env:TOKEN")}),
            ):
                try:
                    (await tool.ask(call)).json()
                except Failure as error:
                    texts += [str(error), repr(error), repr(error.__cause__), repr(error.args)]
                    log().error("request.failed", error=error, tool=vars(tool), exc_info=True)
        await connections.close()
    assert texts
    captured = capsys.readouterr()
    shown = " ".join([*texts, caplog.text, captured.out, captured.err])
    assert CANARY not in shown
    assert base64.b64encode(f"me:{CANARY}".encode()).decode() not in shown
