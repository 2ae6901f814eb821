"""prometheus/alert_tests: proof that each of the other alerts fires in time and stays silent when it should.

Two files: `minutes` for nearly everything; `week` for the drop in traffic, which compares with the week before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.prometheus.alert_rules import PATH
from nthlayer_sync.plugins.prometheus.example import examples
from nthlayer_sync.plugins.prometheus.scenario import Phase, counter, firing, level, series, test_file, told
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.signals import golden as signals
from nthlayer_sync.signals import packs
from nthlayer_sync.signals.alert import Alert
from nthlayer_sync.signals.golden import ERRORS, LATENCY, SATURATION, TRAFFIC, Golden, Own
from nthlayer_sync.signals.packs import Instance
from nthlayer_sync.signals.packs.pack import Watch
from nthlayer_sync.signals.slo import HOUR
from nthlayer_sync.signals.watched import per_blueprint

Pace = Literal["minutes", "week"]

WEEK = 7 * 24 * HOUR
"""Milliseconds."""
LOOKBACK = 300_000
"""Milliseconds after which Prometheus forgets a series that has ended."""


class AlertTestsSpec(Spec):
    """Everything that decides the tests; `bad` and `good` are values of the label that tells failed requests."""

    golden: Golden
    instances: tuple[Instance, ...]
    pace: Pace
    bad: str
    good: str


class Demand(msgspec.Struct, frozen=True):
    """What a series does while all is well and while it is not: the level of a gauge, or the growth a second."""

    metric: str
    labels: dict[str, str]
    well: Decimal
    sick: Decimal
    counter: bool = False


@per_blueprint
def _outcomes(blueprint: Blueprint) -> tuple[str, str]:
    return examples(blueprint.observability.metrics.errors)


def generate(service: Service) -> Iterator[AlertTestsSpec]:
    """One or two for every service that has such alerts."""
    golden, instances = signals.golden_of(service), packs.instances_of(service)
    if golden.thresholds.any or instances:
        bad, good = _outcomes(service)
        yield AlertTestsSpec(golden=golden, instances=instances, pace="minutes", bad=bad, good=good)
        if golden.thresholds.traffic_drop is not None:
            yield AlertTestsSpec(golden=golden, instances=(), pace="week", bad=bad, good=good)


def render(spec: AlertTestsSpec) -> str:
    """A test file."""
    proof = Proof(spec)
    tests = proof.of_minutes() if spec.pace == "minutes" else [proof.traffic()]
    return test_file(PATH.rpartition("/")[2], proof.every, tests)


class Proof:
    """The tests of one file. Times are milliseconds."""

    def __init__(self, spec: AlertTestsSpec) -> None:
        self.spec, self.golden, self.watched = spec, spec.golden, spec.golden.watched
        self.asked, self.rate = spec.golden.thresholds, spec.golden.series.rate
        self.sample = max(self.rate // 5, 1)
        self.every = self.sample if spec.pace == "minutes" else self.rate
        # Requests a second, so many that the least number of requests is reached within one sample.
        self.traffic_rate = max(Decimal(10), Decimal(self.asked.min_events) * 1000 / self.sample)

    def of_minutes(self) -> Iterator[dict[str, Any]]:
        """Every alert but the drop in traffic."""
        own = {alert.name: alert for alert in self.asked.own}
        for alert in signals.alerts(self.golden):
            if alert.name in own:
                yield from self._of_own(alert, own[alert.name])
            elif alert.name != TRAFFIC:
                yield self._around(alert, self._of_golden(alert), self.golden.series.selector)
        for instance in self.spec.instances:
            yield from self._of_instance(instance)
        yield self.nothing_measured()
        yield from self.everything_fails()

    def traffic(self) -> dict[str, Any]:
        """A week of even traffic, then just enough of it, then too little, then as before."""
        drop, each = self.asked.traffic_drop or Decimal(0), self.traffic_rate
        enough, few = each * (1 - drop * Decimal("0.95")), each * (1 - min(drop * Decimal("1.05"), (1 + drop) / 2))
        start = WEEK + self._whole(self.asked.hold + self.rate) + self.every
        latest = start + self._whole(self.rate + self.asked.hold) + 2 * self.every
        clear = latest + self._whole(self.rate) + 2 * self.every
        spans = [(WEEK, each), (start - WEEK, enough), (latest - start, few), (clear - latest, each)]
        phases = [Phase(length // self.sample, value * self.sample / 1000) for length, value in spans]
        own = self.golden.series.selector | {self.golden.series.outcome: self.spec.good}
        lost = start + self._whole(self.rate + self.asked.hold) + 2 * self.every
        return {
            "name": "traffic drops",
            "interval": _span(self.sample),
            "input_series": [series(self.golden.series.requests, own, counter(phases))],
            "alert_rule_test": [],
            "promql_expr_test": [
                firing(WEEK - self.every, 0, alertname=TRAFFIC),
                firing(start, 0, alertname=TRAFFIC),
                firing(latest, 1, alertname=TRAFFIC),
                firing(clear, 0, alertname=TRAFFIC),
            ],
        }
