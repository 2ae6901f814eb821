"""Everything that is measured, as Prometheus reads it: what was counted, and what is looked up at that moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from nthlayer_sync.daemon.telemetry.fresh import Fresh
from nthlayer_sync.daemon.telemetry.health import ANSWER, Health
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.daemon.telemetry.unsettled import Unsettled, unsettled
from nthlayer_sync.engine.log import log
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.sdk.http.tool import Facts, Tool
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Backlog, Topic

FRESH = 1.0
"""Seconds that an answer is kept: however many ask, the store is asked once a second."""
UNSETTLED_FRESH = 30.0
"""Seconds that the counts of changes are kept, which may take a second to make."""
UNSETTLED_ANSWER = 8.0
"""Seconds that counting may take; Prometheus waits for 10 unless it is told otherwise."""
BREAKER = ("closed", "half-open", "open")
"""States of a breaker, the best first."""
Family = GaugeMetricFamily | CounterMetricFamily


class Scrape:
    """What is looked up of one daemon."""

    def __init__(self, metrics: Metrics, health: Health, store: SharedStore, graph: Graph) -> None:
        self._metrics = metrics
        self._health = health
        self._store = store
        self._graph = graph
        self._unsettled = Fresh(lambda: unsettled(store), UNSETTLED_FRESH)
        self._text = Fresh(self._look, FRESH)

    async def text(self) -> bytes:
        """All metrics in Prometheus' text format. A store that does not answer leaves out what it knows."""
        return await self._text.get()

    async def _look(self) -> bytes:
        found = [*_health(self._health), *_tools(self._metrics.tools()), *_graph(self._graph)]
        stored = await self._stored()
        found.append(GaugeMetricFamily("nthlayer_store_up", "Whether the store answers.", value=bool(stored)))
        registry = CollectorRegistry()
        registry.register(_Found([*found, *stored]))
        # Some hundred kB of text are made: not in the loop.
        return await asyncio.to_thread(lambda: generate_latest(self._metrics.registry) + generate_latest(registry))

    async def _stored(self) -> list[Family]:
        try:
            async with asyncio.timeout(ANSWER):
                found = [*_work(await self._store.work.backlog()), _configs(await self._store.existing())]
            if self._health.leading:
                async with asyncio.timeout(UNSETTLED_ANSWER):
                    found += _waiting(await self._unsettled.get())
            return found
        except Exception as error:
            # Whatever it is: all other metrics matter more than ever then.
            log().warning("store.missed", exc_info=error)
            return []


class _Found(Collector):
    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _health(health: Health) -> Iterator[Family]:
    yield GaugeMetricFamily(
        "nthlayer_leader", "Whether this replica reads the sources and keeps the clocks.", value=health.leading
    )
    yield GaugeMetricFamily(
        "nthlayer_last_full_sync_timestamp_seconds",
        "When this replica last read and compared everything; 0: not since it started.",
        value=health.synced,
    )
    if not health.leading:
        return  # others only take over what the leader read
    stale = "Seconds since the last complete read of a source, or since this replica leads; of the leader only."
    yield _labelled("nthlayer_source_staleness_seconds", stale, "source", health.staleness())
    complete = "Whether the last read of a source was complete; of the leader only."
    yield _labelled("nthlayer_source_complete", complete, "source", health.complete())


def _tools(tools: Iterable[Tool]) -> Iterator[Family]:
    """By name of the system; of several ways to one, the sum and the worst."""
    facts: dict[str, list[Facts]] = {}
    for tool in tools:
        facts.setdefault(tool.name, []).append(tool.facts)
    sent = CounterMetricFamily("nthlayer_tool_requests", "Requests sent to a system.", labels=["tool"])
    limited = CounterMetricFamily("nthlayer_tool_limited", "Requests it refused as too many.", labels=["tool"])
    budget = "Share of the request rate it is known to allow that it allows now; 1: it refuses nothing."
    left = GaugeMetricFamily("nthlayer_tool_budget_ratio", budget, labels=["tool"])
    rest = "The breaker that leaves a failing system alone for a while: 1 for its state."
    breaker = GaugeMetricFamily("nthlayer_tool_breaker", rest, labels=["tool", "state"])
    for name, each in facts.items():
        sent.add_metric([name], sum(one.requests for one in each))
        limited.add_metric([name], sum(one.limited for one in each))
        left.add_metric([name], min(one.budget for one in each))
        worst = max((one.breaker for one in each), key=BREAKER.index)
        for state in BREAKER:
            breaker.add_metric([name, state], state == worst)
    yield from (sent, limited, left, breaker)


def _graph(graph: Graph) -> Iterator[Family]:
    yield GaugeMetricFamily("nthlayer_graph_entities", "Entities of the catalogs.", value=len(graph.entities))
    edges = sum(map(len, graph.out.values()))
    yield GaugeMetricFamily("nthlayer_graph_edges", "Relations between them.", value=edges)
    subjects = sum(ref.startswith(("component:", "group:")) for ref in graph.entities)
    yield GaugeMetricFamily("nthlayer_subjects", "Services and teams that configs may be made for.", value=subjects)


def _work(backlog: Mapping[Topic, Backlog]) -> Iterator[Family]:
    empty = Backlog(0, 0.0, 0)
    found = {topic.value: backlog.get(topic, empty) for topic in Topic if topic is not Topic.LEAD}
    yield _labelled("nthlayer_work_due", "Keys that wait for a worker.", "topic", {t: b.due for t, b in found.items()})
    yield _labelled(
        "nthlayer_work_oldest_seconds",
        "How long the oldest has waited.",
        "topic",
        {t: b.oldest for t, b in found.items()},
    )
    yield _labelled(
        "nthlayer_work_claimed", "Keys that are worked on.", "topic", {t: b.claimed for t, b in found.items()}
    )
    yield _labelled(
        "nthlayer_work_later",
        "Keys that failed, or are for a later time.",
        "topic",
        {t: b.later for t, b in found.items()},
    )


def _waiting(found: Unsettled) -> Iterator[Family]:
    why = "Changes that wait, by what for; of the leader only."
    yield _labelled("nthlayer_changes_waiting", why, "reason", found.waiting)
    counts = {
        "deletes_held": (found.held, "Configs that nobody asks for and that are not deleted now; of the leader only."),
        "configs_drifted": (found.drifted, "Configs that people changed and that are left so; of the leader only."),
        "configs_contested": (found.contested, "Configs that something else writes too; of the leader only."),
        "configs_refused": (found.refused, "Configs that cannot be made, or whose place is taken; of the leader only."),
    }
    for name, (count, words) in counts.items():
        yield GaugeMetricFamily(f"nthlayer_{name}", words, value=count)


def _configs(existing: Mapping[str, int]) -> Family:
    """By plugin: what the store counts by kind; its counts by owner have a colon."""
    plugins = Counter[str]()
    for scope, count in existing.items():
        if "/" in scope and ":" not in scope:
            plugins[scope.partition("/")[0]] += count
    return _labelled("nthlayer_configs", "Configs that stand live.", "plugin", plugins)


def _labelled(name: str, words: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family
