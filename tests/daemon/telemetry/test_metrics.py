"""What the daemon shows to Prometheus."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry.fresh import Fresh
from nthlayer_sync.daemon.telemetry.health import Health
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.daemon.telemetry.scrape import Scrape
from nthlayer_sync.daemon.telemetry.unsettled import Unsettled
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change, SourceState
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.run import Run, RunState
from nthlayer_sync.sdk.http import Call, Web
from nthlayer_sync.sdk.http.manners import Manners
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.state.sqlite import SqliteStore
from tests.daemon.telemetry.collector import collecting
from tests.daemon.telemetry.organisation import small

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
CART = EntityRef("component:default/cart")


def samples(text: bytes) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def check(text: bytes, promtool: str) -> None:
    """Prometheus' own opinion on names, types and help."""
    linted = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def one(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


async def shown(daemon: Daemon) -> Samples:
    return samples(await Scrape(daemon.metrics, daemon.health, daemon.store, daemon.engine.graph).text())


async def test_a_running_daemon_shows_its_work(tmp_path: Path, tool: Callable[[str], str]):
    async with small(tmp_path) as daemon:
        async with daemon.running():
            async with asyncio.timeout(30):
                while not await daemon.store.existing() or any(b.claimed for b in (await _backlog(daemon)).values()):
                    await daemon.work.wait([Topic.SUBJECT], 0.05)
            text = await Scrape(daemon.metrics, daemon.health, daemon.store, daemon.engine.graph).text()
        check(text, tool("promtool"))
        found = samples(text)
        assert one(found, "nthlayer_leader") == 1
        assert one(found, "nthlayer_store_up") == 1
        assert one(found, "nthlayer_last_full_sync_timestamp_seconds") > 1.7e9
        assert one(found, "nthlayer_source_complete", source="directory") == 1
        assert 0 <= one(found, "nthlayer_source_staleness_seconds", source="directory") < 30
        assert one(found, "nthlayer_graph_entities") == 2
        assert one(found, "nthlayer_graph_edges") == 1
        assert one(found, "nthlayer_configs", plugin="grafana") == 1
        assert one(found, "nthlayer_writes_total", plugin="grafana", outcome="done") == 1
        assert one(found, "nthlayer_run_duration_seconds_count", state="done") >= 1
        assert one(found, "nthlayer_plan_duration_seconds_count") >= 1
        assert one(found, "nthlayer_work_due", topic="subject") == 0
        assert one(found, "nthlayer_changes_waiting", reason="approval") == 0
        assert {key for key, _ in found if key.startswith("nthlayer_build")} == {"nthlayer_build_info"}
        assert not [key for key in found if "cart" in str(key) or "default/" in str(key)]


async def _backlog(daemon: Daemon) -> Any:
    found = await daemon.work.backlog()
    return {topic: backlog for topic, backlog in found.items() if topic is Topic.SUBJECT}


async def test_what_waits_is_shown_with_its_age(tmp_path: Path):
    clock = [1e9]
    async with SqliteStore(tmp_path / "state.db", clock=lambda: clock[0]) as store:
        await store.work.ask(Topic.SUBJECT, ["a", "b", "c"], "test")
        await store.work.ask(Topic.PULL, ["p"], "test", delay=60)
        clock[0] += 100
        await store.work.claim(Topic.SUBJECT, "replica-1", 1, 30)
        found = samples(await Scrape(Metrics(list), Health([]), store, Graph()).text())
    assert one(found, "nthlayer_work_due", topic="subject") == 2
    assert one(found, "nthlayer_work_claimed", topic="subject") == 1
    assert one(found, "nthlayer_work_oldest_seconds", topic="subject") == 100
    assert one(found, "nthlayer_work_due", topic="look") == 0


async def test_how_a_tool_takes_requests_is_shown(tmp_path: Path):
    with collecting() as tool:
        web = Web()
        manners = Manners(rate=100, burst=10, tries=1, trip=3, pause=0.01)
        asked = web.tool("pagerduty", f"http://127.0.0.1:{tool.port}", manners=manners)
        web.tool("pagerduty", f"http://127.0.0.1:{tool.port}")  # a second way to the same system
        await asked.ask(Call(method="POST", path="/", json={}))
        tool.status = 429
        with pytest.raises(TemporaryError):
            await asked.ask(Call(method="POST", path="/", json={}))
        async with SqliteStore(tmp_path / "state.db") as store:
            limited = samples(await Scrape(Metrics(web.tools), Health([]), store, Graph()).text())
            tool.status = 500
            for _ in range(3):
                with pytest.raises(TemporaryError):
                    await asked.ask(Call(method="POST", path="/", json={}, safe=False))
            broken = samples(await Scrape(Metrics(web.tools), Health([]), store, Graph()).text())
        await web.close()
    assert one(limited, "nthlayer_tool_requests_total", tool="pagerduty") == 2
    assert one(limited, "nthlayer_tool_limited_total", tool="pagerduty") == 1
    assert one(limited, "nthlayer_tool_budget_ratio", tool="pagerduty") == 0.5
    assert one(limited, "nthlayer_tool_breaker", tool="pagerduty", state="closed") == 1
    assert one(broken, "nthlayer_tool_breaker", tool="pagerduty", state="open") == 1
    assert one(broken, "nthlayer_tool_breaker", tool="pagerduty", state="closed") == 0


async def test_a_store_that_is_gone_leaves_the_rest(tmp_path: Path):
    async with SqliteStore(tmp_path / "state.db") as store:
        pass
    metrics = Metrics(list)
    metrics.webhook("github", "taken")
    found = samples(await Scrape(metrics, Health([]), store, Graph()).text())
    assert one(found, "nthlayer_store_up") == 0
    assert one(found, "nthlayer_webhooks_total", system="github", verdict="taken") == 1
    assert not [name for name, _ in found if name.startswith("nthlayer_work")]


def test_a_run_counts_its_writes_by_plugin():
    metrics = Metrics(list)
    results = [
        Result(id=ConfigId("slack/channel", CART, ""), outcome=Outcome.DONE),
        Result(id=ConfigId("slack/user_group", CART, ""), outcome=Outcome.FAILED),
        Result(id=ConfigId("slack/channel", CART, "x"), outcome=Outcome.FAILED),
    ]
    run = Run(id="1", trigger="full sync", replica="a", started=10, ended=12, state=RunState.FAILED)
    metrics.run_ended(run, results)
    metrics.run_ended(Run(id="2", trigger="full sync", replica="a", started=10, ended=9, state=RunState.DONE), ())
    value = metrics.registry.get_sample_value
    assert value("nthlayer_writes_total", {"plugin": "slack", "outcome": "failed"}) == 2
    assert value("nthlayer_writes_total", {"plugin": "slack", "outcome": "done"}) == 1
    assert value("nthlayer_run_duration_seconds_sum", {"state": "failed"}) == 2
    assert value("nthlayer_run_duration_seconds_sum", {"state": "done"}) == 0


def test_what_is_not_made_is_counted_by_why():
    found = Unsettled()
    for action, reason, digest in (
        (Action.WAIT, "paused by ada: holiday", "1"),
        (Action.WAIT, "freeze year end until 2027", "1"),
        (Action.WAIT, "window business-hours-only", "1"),
        (Action.WAIT, "approval of group:default/shop", "1"),
        (Action.WAIT, "guard deletes: 20 deletes of the 100 of all configs, more than 10%", ""),
        (Action.WAIT, "slack/channel is only observed, as the settings say", "1"),
        (Action.HOLD, "its kind is off", ""),
        (Action.KEEP, "contested: overwritten 3 times within 1day, and changed again", "1"),
        (Action.KEEP, "changed by hand", "1"),
        (Action.REFUSE, "something foreign stands there", "1"),
        (Action.CREATE, "", "1"),
    ):
        found.add(Change("slack/channel", "x", action, digest, Place("slack", "channels/x"), "", reason=reason))
    assert dict(found.waiting) == dict.fromkeys(("pause", "freeze", "window", "approval", "guard", "other"), 1)
    assert (found.held, found.contested, found.drifted, found.refused) == (2, 1, 1, 1)


def test_only_who_leads_tells_how_old_what_a_source_said_is():
    now = [0.0]
    health = Health(["backstage"], clock=lambda: now[0])
    now[0] = 1000
    health.leading = True
    now[0] = 1010
    assert health.staleness() == {"backstage": 10}
    health.source_read(SourceState("backstage", "failed", "no answer", ""))
    assert (health.staleness(), health.complete()) == ({"backstage": 10}, {"backstage": False})
    health.source_read(SourceState("backstage", "complete", "", "1"))
    now[0] = 1015
    assert (health.staleness(), health.complete()) == ({"backstage": 5}, {"backstage": True})
    health.leading = True  # as it was
    assert health.staleness() == {"backstage": 5}


async def test_however_many_ask_an_answer_is_made_once():
    now, made = [0.0], 0

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0)
        return made

    fresh = Fresh(make, 1.0, clock=lambda: now[0])
    assert await asyncio.gather(*(fresh.get() for _ in range(100))) == [1] * 100
    now[0] = 0.9
    assert await fresh.get() == 1
    now[0] = 1.0
    assert await fresh.get() == 2
