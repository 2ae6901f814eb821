"""What the daemon counts and measures while it works, for Prometheus.

Names begin with `nthlayer_` and end with their unit. No label names a service, a person or anything else that grows
with the organisation: a label's values are plugins, tools, sources, topics and the fixed words of this program.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from nthlayer_sync import __version__
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.run import Run
from nthlayer_sync.sdk.http.tool import Tool

NO_ROUTE = "none"
"""The route of requests for what is not there."""
_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds. 0.2 and 0.5 are latencies that the tier table promises: an objective needs a bucket exactly there."""
_LONG = (0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
"""Seconds: from one subject that settles at once to a full sync with writes to slow tools."""


class Metrics:
    """The counters of one daemon; `registry` holds all of them. `tools` are the ways to other systems now."""

    def __init__(self, tools: Callable[[], Iterable[Tool]]) -> None:
        disable_created_metrics()  # a third more series, for nothing
        self.tools = tools
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        built = Gauge("nthlayer_build_info", "The running program.", ["version", "python"], registry=registry)
        built.labels(__version__, platform.python_version()).set(1)
        self._lag = Histogram(
            "nthlayer_loop_lag_seconds",
            "How late the event loop comes to what is due.",
            buckets=_SHORT,
            registry=registry,
        )
        self._runs = Histogram(
            "nthlayer_run_duration_seconds", "Runs by how they ended.", ["state"], buckets=_LONG, registry=registry
        )
        self._plans = Histogram(
            "nthlayer_plan_duration_seconds", "Planning, until the plan is durable.", buckets=_SHORT, registry=registry
        )
        self._writes = Counter(
            "nthlayer_writes", "Writes of configs by plugin and outcome.", ["plugin", "outcome"], registry=registry
        )
        self._webhooks = Counter(
            "nthlayer_webhooks", "Webhooks by system and verdict.", ["system", "verdict"], registry=registry
        )
        self._requests = Counter(
            "nthlayer_http_requests", "Requests by route and status.", ["route", "code"], registry=registry
        )
        self._answers = Histogram(
            "nthlayer_http_request_duration_seconds", "Requests by route.", ["route"], buckets=_SHORT, registry=registry
        )
        self._dropped = Counter(
            "nthlayer_spans_dropped", "Steps that could not be handed to the collector of traces.", registry=registry
        )

        # A daemon that nobody asked anything yet is idle, and not one that is not measured.
        self._requests.labels(NO_ROUTE, "200")
        self._answers.labels(NO_ROUTE)

    def run_ended(self, run: Run, results: Iterable[Result]) -> None:
        """A run came to its end, and this became of its writes."""
        self._runs.labels(run.state).observe(max(run.ended - run.started, 0.0))
        for result in results:
            self._writes.labels(result.id.kind.partition("/")[0], result.outcome).inc()

    def planned(self, seconds: float) -> None:
        """Subjects were planned, and the plan is durable."""
        self._plans.observe(seconds)

    def webhook(self, system: str, verdict: str) -> None:
        """A webhook came; both are words of this program, never of who sent it."""
        self._webhooks.labels(system, verdict).inc()

    def request(self, route: str, status: int, seconds: float | None) -> None:
        """A request was answered; `route` is the pattern of its path. A stream has no `seconds`."""
        self._requests.labels(route, str(status)).inc()
        if seconds is not None:
            self._answers.labels(route).observe(seconds)

    def lagged(self, seconds: float) -> None:
        """The event loop was this late."""
        self._lag.observe(seconds)

    def dropped_spans(self, count: int) -> None:
        """So many steps will not be seen in traces."""
        self._dropped.inc(count)
