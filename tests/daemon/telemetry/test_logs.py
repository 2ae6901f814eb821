"""The log of the daemon: one line of JSON for each event, whoever it comes from."""

import asyncio
import io
import json
import logging
import os
import pty
import warnings
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.daemon.telemetry import logs
from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import TemporaryError
from tests.daemon.telemetry.conftest import Lines


def test_an_event_is_one_line_with_its_time_and_level(lines: Lines):
    log().info("run.ended", writes=3, text="two\nlines")
    [line] = lines()
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {"event": "run.ended", "level": "info", "writes": 3, "text": "two\nlines"}


async def test_the_ids_of_a_piece_of_work_stand_on_each_of_its_lines(lines: Lines):
    async def one(subject: str) -> None:
        with logs.about(run="r1", subject=subject):
            await asyncio.sleep(0)
            log().info("plan.made")
            logging.getLogger("aiohttp").warning("said %s", "so")

    await asyncio.gather(one("component:default/a"), one("component:default/b"))
    log().info("run.ended")
    assert [(line["event"], line.get("run"), line.get("subject")) for line in lines()[-5:]] == [
        ("plan.made", "r1", "component:default/a"),
        ("library.logged", "r1", "component:default/a"),
        ("plan.made", "r1", "component:default/b"),
        ("library.logged", "r1", "component:default/b"),
        ("run.ended", None, None),
    ]


def test_a_failure_is_told_in_its_words_and_a_bug_with_its_traceback(lines: Lines):
    for error in (TemporaryError("github.com does not answer"), KeyError("oops")):
        try:
            raise error
        except Exception:
            log().exception("source.failed")
        log().error("source.failed", exc_info=error)
    failed, failed_too, bug, bug_too = lines()
    assert failed["error"] == failed_too["error"] == "github.com does not answer"
    assert not {"exception", "exc_info"} & (failed.keys() | failed_too.keys())
    assert "Traceback" in bug["exception"]
    assert "KeyError: 'oops'" in bug_too["exception"]


async def test_what_a_library_finds_goes_the_same_way(lines: Lines):
    async def broken(_: web.Request) -> web.Response:
        raise RuntimeError("a bug")

    app = web.Application()
    app.router.add_get("/", broken)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url("/")) as answer,
    ):
        assert answer.status == 500
    asyncio.get_running_loop().call_exception_handler({"message": "nobody listened", "exception": TemporaryError("no")})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    found = {line["library"]: line for line in lines() if line["event"] == "library.logged" and "library" in line}
    assert "RuntimeError: a bug" in found["aiohttp.server"]["exception"]
    last = [line for line in lines() if line.get("library") == "asyncio"][-1]
    assert last["text"] == "nobody listened"
    assert last["error"] == "no"
    assert "DeprecationWarning: old" in found["py.warnings"]["text"]


def test_a_library_that_formats_its_words_wrongly_breaks_nothing(lines: Lines, capsys: pytest.CaptureFixture[str]):
    logging.getLogger("odd").error("%d of %s", "x")
    log().info("run.ended")
    assert [line["event"] for line in lines()] == ["run.ended"]
    assert capsys.readouterr().err == ""


def test_values_of_any_type_can_be_logged(lines: Lines):
    odd: dict[str, Any] = {"of": object(), "bytes": b"\xff", "set": {1}, "lone": "\ud800", "inf": float("inf")}
    log().info("odd.logged", **odd)
    [line] = lines()
    assert line["event"] == "odd.logged"


def test_debug_is_left_out_unless_asked_for(text: io.StringIO):
    stream = io.StringIO()
    logs.configure(stream)
    log().debug("run.began")
    log().info("run.ended")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["run.ended"]


def test_people_at_a_terminal_get_words(text: io.StringIO):
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as reader, open(theirs, "w") as terminal:
        logs.configure(terminal)
        log().info("run.ended", writes=3)
        terminal.flush()
        line = os.read(reader.fileno(), 4096).decode()
    assert "run.ended" in line
    assert not line.lstrip().startswith("{")
