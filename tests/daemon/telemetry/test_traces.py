"""Traces: nothing where nobody asks for them, and never in the way of the work where somebody does."""

import asyncio
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from nthlayer_sync.daemon.telemetry import otel
from nthlayer_sync.daemon.telemetry.traces import continuing, tracing
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.http import Call, Web
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.sdk.spans import span
from nthlayer_sync.settings.serve import TracingSettings
from tests.daemon.telemetry.collector import collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "EVERY", 0.01)


def test_without_settings_nothing_is_imported_and_a_step_costs_next_to_nothing():
    code = """
import asyncio, sys, timeit
from nthlayer_sync.daemon.telemetry.traces import tracing, continuing
from nthlayer_sync.sdk.spans import span
async def main():
    async with tracing(None, "a", print):
        with continuing("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), span("plan", subject="s") as step:
            step.note(configs=3)
        print(min(timeit.repeat(lambda: span("plan", subject="s"), number=10_000, repeat=5)) / 10_000)
asyncio.run(main())
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    seconds = float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60).stdout)
    assert seconds < 5e-6


def _nothing_is_dropped(count: int) -> None:
    pytest.fail(f"{count} steps were dropped")


async def test_steps_are_sent_with_their_parents():
    with collecting() as collector:
        async with tracing(collector.settings(), "replica-1", _nothing_is_dropped):
            with continuing(PARENT), span("run", run="r1"):
                async with asyncio.TaskGroup() as group:
                    for subject in ("a", "b"):
                        group.create_task(_plan(subject))
            with span("sync"):
                pass
    found = {
        (s.name, *(a.value.string_value for a in s.attributes if a.key == "nthlayer.subject")): s
        for s in collector.spans
    }
    run, sync = found["run",], found["sync",]
    assert run.trace_id.hex() == PARENT.split("-")[1]
    assert run.parent_span_id.hex() == PARENT.split("-")[2]
    assert {found["plan", s].parent_span_id for s in "ab"} == {run.span_id}
    assert sync.parent_span_id == b""
    assert sync.trace_id != run.trace_id


async def _plan(subject: str) -> None:
    with span("plan", subject=subject) as step:
        await asyncio.sleep(0)
        step.note(configs=3)


@pytest.mark.parametrize(
    "header", ["", "junk", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é" * 100, "00-" * 10_000], ids=range(5)
)
async def test_a_header_that_is_none_changes_nothing(header: str):
    with collecting() as collector:
        async with tracing(collector.settings(), "replica-1", _nothing_is_dropped):
            with continuing(header), span("request"):
                pass
    [found] = collector.spans
    assert found.parent_span_id == b""


async def test_a_failed_step_says_so_in_words_without_secrets():
    hide("hunter2-hunter2")
    with collecting() as collector:
        async with tracing(collector.settings(), "replica-1", _nothing_is_dropped):
            for error in (TemporaryError("no: hunter2-hunter2"), KeyError("hunter2-hunter2")):
                with suppress(type(error)), span("plan", subject="x" * 10_000):
                    raise error
    temporary, bug = collector.spans
    assert (temporary.status.code, temporary.status.message) == (2, "no: [removed]")
    assert (bug.status.code, bug.status.message) == (2, "KeyError")
    assert not temporary.events
    assert b"hunter2" not in b"".join(collector.raw)
    assert len(temporary.attributes[0].value.string_value) == otel.LONGEST


async def test_a_call_names_its_tool_and_neither_address_nor_headers():
    with collecting() as tool, collecting() as collector:
        web = Web()
        async with tracing(collector.settings(), "replica-1", _nothing_is_dropped):
            ask = Call(
                method="POST", path="/secret-path", query=[("q", "secret-query")], headers={"X": "secret-header"}
            )
            await web.tool("pagerduty", f"http://127.0.0.1:{tool.port}").ask(ask)
            await web.close()
    [call] = collector.spans
    assert call.name == "http call"
    said = {a.key: a.value.string_value or a.value.int_value for a in call.attributes}
    assert said == {"nthlayer.tool": "pagerduty", "nthlayer.method": "POST", "nthlayer.status": 200}
    assert b"secret" not in b"".join(collector.raw)


async def test_only_the_share_asked_for_is_traced():
    with collecting() as collector:
        async with tracing(collector.settings(share=0), "replica-1", _nothing_is_dropped):
            with span("run"), span("plan"):
                pass
    assert collector.spans == []


@pytest.mark.parametrize("refusal", ["closed port", "503", "400"])
async def test_what_the_collector_does_not_take_is_dropped_and_counted(refusal: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(otel, "PATIENCE", 0.3)
    dropped: list[int] = []
    with collecting() as collector:
        collector.status = int(refusal) if refusal.isdigit() else 200
        settings = collector.settings()
        if refusal == "closed port":
            settings = TracingSettings(endpoint="http://127.0.0.1:1/v1/traces")
        async with tracing(settings, "replica-1", dropped.append):
            for _ in range(100):
                with span("run"):
                    pass
    assert sum(dropped) == 100


async def test_a_collector_that_hangs_stops_neither_the_work_nor_the_stop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(otel, "PATIENCE", 0.5)
    dropped: list[int] = []
    with collecting() as collector:
        collector.open.clear()
        async with tracing(collector.settings(), "replica-1", dropped.append):
            with span("first"):
                pass
            await asyncio.to_thread(collector.asked.wait, 20)
            began = time.monotonic()
            for _ in range(10_000):
                with span("run"):
                    pass
            worked = time.monotonic() - began
            began = time.monotonic()
        stopped = time.monotonic() - began
    assert worked < 5  # 10,000 steps, of which most are dropped
    assert stopped < 3
    assert 10_000 - otel.MOST_WAITING - otel.MOST_AT_ONCE <= sum(dropped) <= 10_001


def test_without_the_library_the_settings_are_refused_in_words():
    code = """
import asyncio, sys
sys.modules["opentelemetry"] = None
from nthlayer_sync.daemon.telemetry.traces import tracing
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.settings.serve import TracingSettings
async def main():
    try:
        async with tracing(TracingSettings(endpoint="http://127.0.0.1:1"), "a", print): pass
    except PermanentError as error: print(error)
asyncio.run(main())
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout
    assert said == "serve.tracing needs more: pip install 'nthlayer-sync[otel]'\n"
