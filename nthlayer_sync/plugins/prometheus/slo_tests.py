"""prometheus/slo_tests: proof that each SLO alert fires in time and stays silent when it should.

Two files: `minutes` for the rows of the burn table with a long window of at most an hour, evaluated often, and for all
that has nothing to do with a row; `hours` for the slow rows, evaluated seldom so that days pass in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.prometheus.example import examples
from nthlayer_sync.plugins.prometheus.scenario import Phase, counter, firing, gives, series, tests_file, told
from nthlayer_sync.plugins.prometheus.slo_rules import PATH
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.signals import slo as signals
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.promql import number, span
from nthlayer_sync.signals.slo import BURN_ALERT, HOUR, HOURLY, MISSING_ALERT, Burn, Objective, Slo

Pace = Literal["minutes", "hours"]


class SloTestsSpec(Spec, frozen=True):
    """Everything that decides the tests; `bad` and `good` are values of the label that tells failed requests."""

    slo: Slo
    pace: Pace
    bad: str
    good: str


@per_blueprint
def _outcomes(blueprint: Blueprint) -> tuple[str, str]:
    return examples(blueprint.observability.metrics.errors)


def generate(service: Service, addresses: Addresses = NOWHERE) -> Iterator[SloTestsSpec]:
    """One or two for every service that promises something."""
    slo = signals.slo_of(service, addresses)
    if slo is not None:
        bad, good = _outcomes(service)
        yield SloTestsSpec(slo=slo, pace="minutes", bad=bad, good=good)
        if any(row.long > HOUR for row in slo.promises.burn):
            yield SloTestsSpec(slo=slo, pace="hours", bad=bad, good=good)


def render(spec: SloTestsSpec) -> str:
    """A test file."""
    proof = Proof(spec)
    tests = [*proof.of_rows(), *(proof.of_measuring() if spec.pace == "minutes" else ())]
    return tests_file(PATH.rpartition("/")[2], proof.every, tests)


class Proof:
    """The tests of one file. Times are milliseconds; traffic is `events` requests in each sample."""

    def __init__(self, spec: SloTestsSpec) -> None:
        self.spec, self.slo = spec, spec.slo
        self.rate = spec.slo.series.rate
        self.sample = max(self.rate // 5, 1)
        self.every = self.sample if spec.pace == "minutes" else HOUR // 2
        self._objectives, self._alerted = spec.slo.promises.objectives, spec.slo.promises.alerted
        # Until every rate in use is over what has happened, not over the time before the first sample.
        self.lead = self.rate if spec.pace == "minutes" else HOUR
        self.rows = [r for r in spec.slo.promises.burn if (r.long <= HOUR) == (spec.pace == "minutes")]
        self.events = Decimal(max(60, spec.slo.promises.min_events))

    def of_rows(self) -> Iterator[dict[str, Any]]:
        """Each row fires and falls silent at its moment."""
        pairs = [(objective, row) for objective in self._alerted for row in self.rows if row.reachable(objective)]
        if pairs:
            yield self.outage(pairs)
        for objective, row in pairs:
            yield self.around_the_factor(objective, row)
        if self.slo.promises.min_events > 1:
            for row in dict.fromkeys(row for _, row in pairs):
                yield self.low_traffic(row)

    def outage(self, pairs: Sequence[tuple[Objective, Burn]]) -> dict[str, Any]:
        """A healthy service fails completely, then recovers: each row fires when its share of the budget has gone."""
        start = self._whole(max(row.long for _, row in pairs) + self.lead)
        latest = {(o, row): start + self._latest(row, row.threshold(o)) for o, row in pairs}
        end = max(latest.values())
        clear = {(o, row): end + self._clear(row) for o, row in pairs}
        stop = max(clear.values())
        return self._test(
            "a full outage, then recovery",
            self._every_series([(start, Decimal(0)), (end - start, Decimal(1)), (stop - end, Decimal(0))]),
            [
                self._burns(at, objective, row, count)
                for objective, row in pairs
                for at, count in ((start, 0), (latest[objective, row], 1), (clear[objective, row], 0))
            ],
        )

    def around_the_factor(self, objective: Objective, row: Burn) -> dict[str, Any]:
        """The budget burns just below the row's factor, then just above it, then not at all."""
        threshold = row.threshold(objective)
        below = threshold * Decimal("0.95")
        above = min(threshold * Decimal("1.05"), (1 + threshold) / 2)
        start = self._whole(row.long + self.lead)
        latest = start + self._latest(row, (threshold - below) / (above - below))
        clear = latest + self._clear(row)
        return self._test(
            f"{objective.name}: just below and just above {number(row.factor)} times over {span(row.long)}",
            self._series(objective, [(start, below), (latest - start, above), (clear - latest, Decimal(0))]),
            [
                self._burns(self._whole(row.long // 2), objective, row, 0),
                self._burns(start, objective, row, 0),
                self._burns(latest, objective, row, 1),
                self._burns(clear, objective, row, 0),
            ],
        )

    def low_traffic(self, row: Burn) -> dict[str, Any]:
        """All of a few requests fail, too few for their share to mean anything."""
        few = Decimal(self.slo.promises.min_events) * self.sample / row.long / 2
        end = self._whole(row.long // 4) + self._whole(self.lead)
        moments = (self._whole(end // 2), end)
        return self._test(
            f"too few requests over {span(row.long)} to judge by",
            self._every_series([(end, Decimal(1))], events=few.quantize(Decimal("1e-9"))),
            [self._burns(at, o, row, 0) for o in self._objectives for at in moments],
        )

    def of_measuring(self) -> Iterator[dict[str, Any]]:
        """What a service may look like to Prometheus, and every label and text of its alerts."""
        yield self.idle()
        yield self.restart()
        yield self.vanished()
        yield self.nothing_measured()
        yield self.everything_fails()

    def idle(self) -> dict[str, Any]:
        """Counters that stand still: nothing is bad, and no share is 0/0."""
        end = self._whole(HOUR + self.rate)
        shares = [signals.ratio_name(window) for window in signals.windows(self.slo.promises, self.rate)]
        zero = [gives(end, f"sum({share}{self._recorded(o)})", 0) for o in self._objectives for share in shares]
        whole = [gives(end, f"sum({signals.REMAINING}{self._recorded(o)})", 1) for o in self._objectives]
        given = self._every_series([(end, Decimal(0))], events=Decimal(0))
        return self._test("no traffic", given, [firing(end, 0), *zero, *whole])

    def restart(self) -> dict[str, Any]:
        """One of two instances restarts, so that its counters begin again, and a scrape is lost."""
        before, gap, after = HOUR // 2, self.sample, HOUR // 2
        known = [row.threshold(objective) for row in self.slo.promises.burn for objective in self._objectives]
        share = min([*known, Decimal(1)]) / 2
        steady = self._every_series([(before + gap + after, share)], instance="a")
        restarted = self._every_series([(before, share), (gap, None), (after, share)], instance="b", restart=True)
        moments = [*(before + self.sample * n for n in range(5)), before + gap + after]
        errors = [f"sum({signals.ratio_name(self.rate)}{self._recorded(objective)})" for objective in self._objectives]
        return self._test(
            "an instance restarts and a scrape is lost",
            steady + restarted,
            [
                *(firing(at, 0) for at in moments),
                *(gives(at, f"abs({e} - {number(share)}) < bool 1e-6", 1) for at in moments for e in errors),
            ],
        )

    def vanished(self) -> dict[str, Any]:
        """No request ever failed, so that no counter of failures exists; then all series end.

        Nobody is woken, and a ticket says that nothing is known any more.
        """
        end = HOUR // 2
        late = self._whole(end + self.rate + self.slo.promises.missing) + self.every
        failures = series(self.slo.series.requests, self._failing(self.slo.series.selector), "")["series"]
        given = [entry for entry in self._every_series([(end, Decimal(0))]) if entry["series"] != failures]
        return self._test(
            "no request ever failed, then all series vanish",
            given,
            [
                *(gives(end, f"sum({signals.ratio_name(self.rate)}{self._recorded(o)})", 0) for o in self._objectives),
                firing(end + self.sample, 0),
                firing(late, 0, severity="page"),
                *(firing(late, 1, alertname=MISSING_ALERT, severity="ticket", slo=o.name) for o in self._alerted),
            ],
        )

    def nothing_measured(self) -> dict[str, Any]:
        """No series at all, from the start; with every label and text of the alert that says so."""
        late = self._whole(self.slo.promises.missing) + self.every
        alerts = [a for a in signals.alerts(self.slo) if a.name == MISSING_ALERT]
        return self._test(
            "nothing is measured",
            [],
            [firing(0, 0), firing(late, 0, severity="page"), firing(late, len(alerts))],
            [told(late, MISSING_ALERT, self.slo.watched, [(alert, {}, "") for alert in alerts])],
        )

    def everything_fails(self) -> dict[str, Any]:
        """All requests are bad from the start; with every label and text of the alerts that say so."""
        end = self._whole(HOUR + self.rate)
        alerts = [a for a in signals.alerts(self.slo) if a.name == BURN_ALERT]
        return self._test(
            "every request is bad",
            self._every_series([(end, Decimal(1))]),
            [],
            [told(end, BURN_ALERT, self.slo.watched, [(alert, {}, "100%") for alert in alerts])],
        )

    def _latest(self, row: Burn, fraction: Decimal) -> int:
        """How long after a change a row fires at the latest, when `fraction` of its window must lie after the change.

        Rates ramp up over their own window, whole hours become known at their end, and rules look once an evaluation.
        """
        after = 0
        for window in (row.long, row.short):
            rate = 0 if window in (self.rate, HOUR) else HOUR if window > HOURLY else self.rate
            after = max(after, int(fraction * (window + max(rate, self.every))) + rate)
        return self._whole(after) + 2 * self.every

    def _clear(self, row: Burn) -> int:
        """How long after recovery a row falls silent at the latest: when its short window is clean."""
        return self._whole(row.short + (HOUR if row.short > HOURLY else self.rate)) + 2 * self.every

    def _whole(self, time: int) -> int:
        """The next evaluation."""
        return -(-time // self.every) * self.every

    def _burns(self, at: int, objective: Objective, row: Burn, count: int) -> dict[str, Any]:
        return firing(at, count, alertname=BURN_ALERT, severity=row.severity, slo=objective.name, window=span(row.long))

    def _failing(self, own: dict[str, str]) -> dict[str, str]:
        return own | {self.slo.series.outcome: self.spec.bad}

    def _recorded(self, objective: Objective) -> str:
        return signals.select(self.slo.watched, objective)

    def _every_series(
        self,
        shares: Sequence[tuple[int, Decimal | None]],
        *,
        events: Decimal | None = None,
        instance: str = "",
        restart: bool = False,
    ) -> list[dict[str, str]]:
        """The counters of all objectives, which share some."""
        given: dict[str, dict[str, str]] = {}
        for objective in self._objectives:
            found = self._series(objective, shares, events=events, instance=instance, restart=restart)
            given |= {entry["series"]: entry for entry in found}
        return list(given.values())

    def _series(
        self,
        objective: Objective,
        shares: Sequence[tuple[int, Decimal | None]],
        *,
        events: Decimal | None = None,
        instance: str = "",
        restart: bool = False,
    ) -> list[dict[str, str]]:
        """An objective's counters while given shares of its requests are bad, each for a while; None: not scraped."""
        each = self.events if events is None else events

        def count(part: Callable[[Decimal], Decimal]) -> str:
            phases = (Phase(length // self.sample, None if s is None else each * part(s)) for length, s in shares)
            return counter(phases, restart=restart)

        names, own = self.slo.series, dict(self.slo.series.selector)
        if instance:
            own[next(label for label in ("instance", "pod", "replica") if label not in own)] = instance
        if objective.threshold is None:
            return [
                series(names.requests, own | {names.outcome: self.spec.good}, count(lambda share: 1 - share)),
                series(names.requests, self._failing(own), count(lambda share: share)),
            ]
        return [
            series(f"{names.duration}_count", own, count(lambda _: Decimal(1))),
            series(f"{names.duration}_bucket", own | {"le": "+Inf"}, count(lambda _: Decimal(1))),
            series(
                f"{names.duration}_bucket", own | {"le": number(objective.threshold)}, count(lambda share: 1 - share)
            ),
        ]

    def _test(
        self,
        name: str,
        given: list[dict[str, str]],
        checks: list[dict[str, Any]],
        alerts: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        test: dict[str, Any] = {"name": name, "interval": span(self.sample), "input_series": given}
        return test | {"alert_rule_test": alerts or [], "promql_expr_test": checks}


SLO_TESTS = FileKind(
    name="prometheus/slo_tests",
    version=1,
    summary="promtool tests of the SLO rules",
    subject=Service,
    spec=SloTestsSpec,
    generate=generate,
    name_of=lambda spec: spec.pace,
    requires=("prometheus/slo_rules",),
    path=lambda service, spec: f"prometheus/slo.{spec.pace}.tests.yaml",
    render=render,
)
