"""prometheus/alert_tests: proof that each of the other alerts fires in time and stays silent when it should.

Two files: `minutes` for nearly everything; `week` for the drop in traffic, which compares with the week before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.prometheus import demand
from nthlayer_sync.plugins.prometheus.alert_rules import PATH
from nthlayer_sync.plugins.prometheus.demand import NEAR, Demand, Outcomes
from nthlayer_sync.plugins.prometheus.example import examples
from nthlayer_sync.plugins.prometheus.scenario import Phase, counter, firing, gauge, series, tests_file, told
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.signals import golden as signals
from nthlayer_sync.signals import packs
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.alert import Alert
from nthlayer_sync.signals.golden import Golden
from nthlayer_sync.signals.packs import PACKS, Instance
from nthlayer_sync.signals.promql import span
from nthlayer_sync.signals.slo import HOUR
from nthlayer_sync.signals.thresholds import ERRORS, TRAFFIC

Pace = Literal["minutes", "week"]

WEEK = 7 * 24 * HOUR
LOOKBACK = 300_000
"""Milliseconds after which Prometheus forgets a series that has ended, unless it is told otherwise."""


class AlertTestsSpec(Spec, frozen=True):
    """Everything that decides the tests; `bad` and `good` are values of the label that tells failed requests."""

    golden: Golden
    instances: tuple[Instance, ...]
    pace: Pace
    bad: str
    good: str


@per_blueprint
def _outcomes(blueprint: Blueprint) -> tuple[str, str]:
    return examples(blueprint.observability.metrics.errors)


def generate(service: Service, addresses: Addresses = NOWHERE) -> Iterator[AlertTestsSpec]:
    """One or two for every service that has such alerts."""
    golden, instances = signals.golden_of(service, addresses), packs.instances_of(service)
    if golden.thresholds.any or instances:
        bad, good = _outcomes(service)
        yield AlertTestsSpec(golden=golden, instances=instances, pace="minutes", bad=bad, good=good)
        if golden.thresholds.traffic_drop is not None:
            yield AlertTestsSpec(golden=golden, instances=(), pace="week", bad=bad, good=good)


def render(spec: AlertTestsSpec) -> str:
    """A test file."""
    proof = Proof(spec)
    tests = proof.of_minutes() if spec.pace == "minutes" else proof.of_week()
    return tests_file(PATH.rpartition("/")[2], proof.every, tests)


class Proof:
    """The tests of one file. Times are milliseconds."""

    def __init__(self, spec: AlertTestsSpec) -> None:
        self.spec, self.golden, self.watched = spec, spec.golden, spec.golden.watched
        self.rate, self.hold = spec.golden.series.rate, spec.golden.thresholds.hold
        self.sample = max(self.rate // 5, 1)
        self.every = self.sample if spec.pace == "minutes" else max(self.rate, HOUR // 4)
        enough = Decimal(spec.golden.thresholds.min_events) * 1000 / self.sample
        self.outcomes = Outcomes(spec.bad, spec.good, max(Decimal(10), enough))

    def of_minutes(self) -> Iterator[dict[str, Any]]:
        """Every alert but the drop in traffic."""
        own = {alert.name: alert for alert in self.golden.thresholds.own}
        for alert in signals.alerts(self.golden):
            if alert.name in own:
                needed = demand.of_own(self.golden, own[alert.name], self.outcomes)
            elif alert.name != TRAFFIC:
                needed = demand.of_golden(self.golden, alert.name, alert.labels.get("quantile", ""), self.outcomes)
            else:
                continue
            if needed:
                yield self.around(alert, needed)
        for instance in self.spec.instances:
            yield from self.of_instance(instance)
        yield self.nothing_measured()
        if any(alert.name == ERRORS for alert in signals.alerts(self.golden)):
            yield self.everything_fails()

    def of_week(self) -> Iterator[dict[str, Any]]:
        """A week of even traffic, then just enough of it, then too little, then as before."""
        drop, each = self.golden.thresholds.traffic_drop, self.outcomes.each
        if drop is None or drop == 1:
            return
        enough, few = (each * (1 - part) for part in (drop * NEAR[0], min(drop * NEAR[1], (1 + drop) / 2)))
        start = WEEK + self._whole(self.hold + self.rate) + self.every
        latest = start + self._whole(self.rate + self.hold) + 2 * self.every
        clear = latest + self._whole(self.rate) + 2 * self.every
        spans = [(WEEK, each), (start - WEEK, enough), (latest - start, few), (clear - latest, each)]
        phases = [Phase(length // self.sample, value * self.sample / 1000) for length, value in spans]
        own = self.golden.series.selector | {self.golden.series.outcome: self.spec.good}
        moments = {WEEK - self.every: 0, start: 0, latest: 1, clear: 0}
        yield self._test(
            "traffic drops",
            [series(self.golden.series.requests, own, counter(phases))],
            [firing(at, count, alertname=TRAFFIC) for at, count in moments.items()],
        )
        gone = WEEK + HOUR
        end = gone + LOOKBACK + self._whole(self.rate + self.hold) + 2 * self.every
        ends = counter([Phase(gone // self.sample, each * self.sample / 1000)])
        yield self._test(
            "nothing is left of it",
            [series(self.golden.series.requests, own, ends)],
            [firing(gone, 0, alertname=TRAFFIC), firing(end, 1, alertname=TRAFFIC)],
        )

    def around(self, alert: Alert, needed: Sequence[Demand], others: Sequence[Demand] = ()) -> dict[str, Any]:
        """Just not, then just so that it fires, then just not; `others` do all the time what must not matter."""
        start = self._whole(2 * (alert.hold + self.rate))
        latest = start + self._whole(self.rate + alert.hold) + 2 * self.every
        clear = latest + self._whole(self.rate) + 2 * self.every
        spans = (start, latest - start, clear - latest)
        moments = {start: 0, latest: 1, clear: 0}
        if alert.hold > self.every:
            moments[start + alert.hold - self.every] = 0
        return self._test(
            f"{alert.name}: just below and just above",
            [_over(need, (need.well, need.sick, need.well), spans, self.sample) for need in needed]
            + [_over(other, (other.sick,), (clear,), self.sample) for other in others],
            [firing(at, count, **_matching(alert)) for at, count in sorted(moments.items())],
        )

    def of_instance(self, instance: Instance) -> Iterator[dict[str, Any]]:
        """Each watch of a pack while another instance is ill all the time, and the end of all its metrics."""
        alerts = {alert.name: alert for alert in packs.alerts(instance)}
        other = instance.selector | {label: f"{value}-other" for label, value in instance.selector.items()}
        for watch in packs.watches(instance):
            alert, needed = alerts[watch.name], demand.of_watch(instance, watch)
            foreign = [Demand(n.metric, n.labels | other, n.well, n.sick, n.counter) for n in needed]
            yield self.around(alert, needed, foreign)
        yield self.lost(instance, next(alert for name, alert in alerts.items() if name.endswith("MetricsLost")))

    def lost(self, instance: Instance, alert: Alert) -> dict[str, Any]:
        """The metrics of an instance end."""
        end = self._whole(2 * self.rate)
        late = self._whole(end + LOOKBACK + alert.hold) + 2 * self.every
        presence = series(PACKS[instance.technology].presence, instance.selector, gauge([_phase(end, self.sample)]))
        return self._test(
            f"{alert.name}: the metrics end",
            [presence],
            [firing(end, 0, **_matching(alert)), firing(late, 1, **_matching(alert))],
            [told(late, alert.name, self.watched, [(alert, {}, "")])],
        )

    def nothing_measured(self) -> dict[str, Any]:
        """No series at all: silent, save for an own alert that asks for traffic."""
        end = self._whole(HOUR + self.hold)
        idle = {own.name for own in self.golden.thresholds.own if own.metric == "traffic" and own.holds(Decimal(0))}
        alerts = [*signals.alerts(self.golden), *(a for i in self.spec.instances for a in packs.alerts(i))]
        names = dict.fromkeys(alert.name for alert in alerts if alert.name not in idle)
        return self._test("nothing is measured", [], [firing(end, 0, alertname=name) for name in names])

    def everything_fails(self) -> dict[str, Any]:
        """All requests fail, with every label and text of the alert that says so."""
        alert = next(alert for alert in signals.alerts(self.golden) if alert.name == ERRORS)
        needed = demand.measured(self.golden, "error_rate", (Decimal(1), Decimal(1)), self.outcomes)
        end = self._whole(HOUR + alert.hold)
        given = [_over(need, (need.sick,), (end,), self.sample) for need in needed]
        return self._test("every request fails", given, [], [told(end, ERRORS, self.watched, [(alert, {}, "100%")])])

    def _whole(self, time: int) -> int:
        """The next evaluation."""
        return -(-time // self.every) * self.every

    def _test(
        self,
        name: str,
        given: list[dict[str, str]],
        checks: list[dict[str, Any]],
        alerts: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        test: dict[str, Any] = {"name": name, "interval": span(self.sample), "input_series": given}
        return test | {"alert_rule_test": alerts or [], "promql_expr_test": checks}


def _matching(alert: Alert) -> Mapping[str, str]:
    return {"alertname": alert.name} | {label: line(value) for label, value in alert.labels.items()}


def _phase(length: int, sample: int) -> Phase:
    return Phase(length // sample, Decimal(1))


def _over(need: Demand, values: Sequence[Decimal], spans: Sequence[int], sample: int) -> dict[str, str]:
    """An input series that has each of `values` for a while."""
    scale = Decimal(sample) / 1000 if need.counter else Decimal(1)
    phases = [Phase(length // sample, value * scale) for value, length in zip(values, spans, strict=True)]
    return series(need.metric, need.labels, (counter if need.counter else gauge)(phases))


ALERT_TESTS = FileKind(
    name="prometheus/alert_tests",
    version=1,
    summary="promtool tests of the other alerts",
    subject=Service,
    spec=AlertTestsSpec,
    generate=generate,
    name_of=lambda spec: spec.pace,
    requires=("prometheus/alert_rules",),
    path=lambda service, spec: f"prometheus/alerts.{spec.pace}.tests.yaml",
    render=render,
)
