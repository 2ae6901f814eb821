"""How each objective of a service is measured, and when its error budget burns too fast.

Recorded series carry only the service and the objective, never owner, tier or target: those may change without
breaking the history. Bad and all requests per second are read from the counters over two windows, the shortest that a
rate is taken over and an hour, so that the fastest alert is not late. Every other window divides averages of these two
rates: that weighs each moment by its traffic, where an average of ratios would count a failed request at night more
than one at noon; and it costs two series, where the counters would cost every series of every pod. Windows above six
hours add up whole hours, 720 samples in 30 days.

No request at all is a share of 0: nothing bad happened. No series is no share: nobody knows.

The target is a series of its own, which alerts compare with at the moment of evaluation. A changed target applies to
all windows at once; recorded ratios stay as they were, and recorded budget and burn rate keep what was true then.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.alert import Alert, Query
from nthlayer_sync.signals.promql import number, percent, promql_selector, span
from nthlayer_sync.signals.watched import Series, Watched, series, watched

OBJECTIVE = "slo:objective:ratio"
BUDGET = "slo:error_budget:ratio"
REMAINING = "slo:error_budget_remaining:ratio"
BURN_RATE = "slo:burn_rate:ratio"
INFO = "slo:info"

HOUR = 3_600_000
"""Milliseconds: the longer of the two windows that are read from the counters."""
HOURLY = 6 * HOUR
"""Milliseconds: longer windows are added up of whole hours."""
LEAST_RATE = "1e-9"
"""Requests per second, one in 30 years: what is divided by when there are none."""

BURN_ALERT = "ErrorBudgetBurn"
MISSING_ALERT = "SloMetricsMissing"


class Objective(msgspec.Struct, frozen=True):
    """One promise: `target` is a share of 1; with a `threshold`, in seconds, a good request is one answered in time."""

    name: str
    target: Decimal
    threshold: Decimal | None = None

    @property
    def budget(self) -> Decimal:
        """The share of requests that may be bad."""
        return 1 - self.target

    @property
    def promise(self) -> str:
        """The promise in words, such as `99.95% of requests succeed`."""
        if self.name == "error_rate":
            return f"at most {percent(self.budget)} of requests fail"
        share = percent(self.target)
        kept = "succeed" if self.threshold is None else f"are answered within {span(int(self.threshold * 1000))}"
        return f"{share} of requests {kept}"


class Burn(msgspec.Struct, frozen=True):
    """A row of the burn table; windows in milliseconds."""

    long: int
    short: int
    factor: Decimal
    severity: Literal["page", "ticket"]

    def threshold(self, objective: Objective) -> Decimal:
        """The share of bad requests above which the row alerts."""
        return self.factor * objective.budget

    @property
    def pace(self) -> str:
        """How fast the budget burns when the row alerts, in words."""
        if self.factor == 1:
            return "faster than its target allows"
        return f"more than {number(self.factor)} times as fast as its target allows"

    def reachable(self, objective: Objective) -> bool:
        """Whether any share of bad requests is above the threshold; a low target makes a high factor impossible."""
        return self.threshold(objective) < 1


class Promises(msgspec.Struct, frozen=True):
    """The part of a blueprint that decides the rules of its objectives; times in milliseconds."""

    objectives: tuple[Objective, ...]
    burn: tuple[Burn, ...]
    window: int
    min_events: int
    missing: int

    @property
    def alerted(self) -> tuple[Objective, ...]:
        """The objectives that have alerts of their own.

        Two may speak of the same requests, as availability and error rate do. The laxer one, or the later of two that
        ask the same, would only say again what the other has said before.
        """
        strictest: dict[Decimal | None, Objective] = {}
        for objective in self.objectives:
            known = strictest.get(objective.threshold)
            if known is None or objective.target > known.target:
                strictest[objective.threshold] = objective
        return tuple(objective for objective in self.objectives if strictest[objective.threshold] is objective)


class Slo(msgspec.Struct, frozen=True):
    """All that decides the rules of a service's objectives."""

    watched: Watched
    series: Series
    promises: Promises


def promises_of(blueprint: Blueprint) -> Promises:
    """What the blueprint promises; PermanentError when a window is shorter than what rates are taken over."""
    section = blueprint.observability
    rate = section.metrics.rate
    if rate.milliseconds > HOUR:
        raise PermanentError(f"observability.metrics.rate: {rate} is longer than an hour, which is always measured")
    longs = [row.long for row in section.burn]
    if twice := [long for long in longs if longs.count(long) > 1]:
        raise PermanentError(
            f"observability.burn: two rows have the long window {twice[0]}; alerts are told apart by it"
        )
    if short := [row.short for row in section.burn if row.short < rate]:
        raise PermanentError(f"observability.burn: {short[0]} is shorter than observability.metrics.rate, {rate}")
    return Promises(
        objectives=tuple(
            Objective(o.name, o.target.ratio, Decimal(o.threshold.milliseconds).scaleb(-3) if o.threshold else None)
            for o in section.slo.objectives
        ),
        burn=tuple(Burn(b.long.milliseconds, b.short.milliseconds, b.factor, b.severity) for b in section.burn),
        window=section.slo.window.milliseconds,
        min_events=section.slo.min_events,
        missing=section.slo.missing.milliseconds,
    )


promises = per_blueprint(promises_of)
"""What the blueprint of a service promises."""


def slo_of(service: Service, addresses: Addresses = NOWHERE) -> Slo | None:
    """What decides the rules of the service's objectives; None when it promises nothing, or nothing of it runs."""
    asked = promises(service)
    return Slo(watched(service, addresses), series(service), asked) if asked.objectives and service.runs else None


def events_rate(series: Series, objective: Objective, window: int) -> str:
    """PromQL of all requests per second, from the counters."""
    return series.total(window, timed=objective.threshold is not None)


def errors_rate(series: Series, objective: Objective, window: int) -> str:
    """PromQL of bad requests per second, from the counters; absent exactly when it cannot be known."""
    return series.failed(window) if objective.threshold is None else series.late(objective.threshold, window)


def identity(watched: Watched, objective: Objective) -> dict[str, str]:
    """Labels of everything that is recorded for an objective."""
    return watched.identity | {"slo": objective.name}


def select(watched: Watched, objective: Objective) -> str:
    """A selector of what is recorded for an objective."""
    return promql_selector({"entity": watched.ref, "slo": objective.name})


def errors_name(window: int) -> str:
    """The recorded bad requests per second, for the two windows that are read from the counters."""
    return f"slo:errors:rate{span(window)}"


def events_name(window: int) -> str:
    """The recorded requests per second, likewise."""
    return f"slo:events:rate{span(window)}"


def ratio_name(window: int) -> str:
    """The recorded share of bad requests over a window."""
    return f"slo:error_ratio:rate{span(window)}"


def windows(promises: Promises, rate: int) -> tuple[int, ...]:
    """Every window that is recorded, in milliseconds, shortest first.

    Those of the burn table, the objectives' own, and the two that are read from the counters.
    """
    return tuple(sorted({rate, HOUR, promises.window, *(w for row in promises.burn for w in (row.short, row.long))}))


def errors_over(slo: Slo, objective: Objective, window: int) -> str:
    """PromQL of bad requests per second over a window, from what is recorded."""
    return _over(errors_name, slo, objective, window)


def events_over(slo: Slo, objective: Objective, window: int) -> str:
    """PromQL of all requests per second over a window, from what is recorded."""
    return _over(events_name, slo, objective, window)


def _over(name: Callable[[int], str], slo: Slo, objective: Objective, window: int) -> str:
    rate, chosen = slo.series.rate, select(slo.watched, objective)
    if window in (rate, HOUR):
        return f"{name(window)}{chosen}"
    if window > HOURLY:
        return f"avg_over_time({name(HOUR)}{chosen}[{span(window)}:{span(HOUR)}])"
    return f"avg_over_time({name(rate)}{chosen}[{span(window)}])"


def alerts(slo: Slo) -> tuple[Alert, ...]:
    """The burn-rate alerts of every objective that has its own, and one for its metrics being gone."""
    found = list[Alert]()
    for objective in slo.promises.alerted:
        found += [_burn(slo, objective, row) for row in slo.promises.burn if row.reachable(objective)]
        found.append(_missing(slo, objective))
    return tuple(found)


def _burn(slo: Slo, objective: Objective, row: Burn) -> Alert:
    chosen, rate = select(slo.watched, objective), slo.series.rate
    factor = number(row.factor)
    limit = f"{factor} * {BUDGET}{chosen}"
    events = f"{events_over(slo, objective, row.long)} * {row.long // 1000}"
    gone = number((row.factor * row.long / slo.promises.window * 100).quantize(Decimal("0.01")))
    return Alert(
        name=BURN_ALERT,
        expr=(
            f"{ratio_name(row.long)}{chosen} > {limit}\n"
            f"and {ratio_name(row.short)}{chosen} > {limit}\n"
            f"and {events} >= {slo.promises.min_events}"
        ),
        severity=row.severity,
        labels={"slo": objective.name, "window": span(row.long)},
        unit="share",
        summary=f"{slo.watched.name}: the error budget of {objective.name} burns {row.pace}",
        meaning=(
            f"The promise is that {objective.promise} over {span(slo.promises.window)}. Over {span(row.long)}, and"
            f" still in the last {span(row.short)}, so many requests break it that {gone}% of the budget has gone."
        ),
        look=(
            Query("Share of bad requests", f"{ratio_name(rate)}{chosen}"),
            Query("Error budget that remains", f"{REMAINING}{chosen}"),
            _worst(slo.series, objective),
        ),
        causes=_causes(objective),
        remedy=(
            "Find out whether it began with a deployment; if so, roll back first and ask later.",
            "Compare with the services and stores it depends on: whatever became bad first is where to look.",
            "When one instance stands out, take it out of rotation.",
        ),
    )


def _missing(slo: Slo, objective: Objective) -> Alert:
    metric = slo.series.requests if objective.threshold is None else f"{slo.series.duration}_bucket"
    at = "" if objective.threshold is None else f", or the histogram has no bucket at {number(objective.threshold)} s"
    return Alert(
        name=MISSING_ALERT,
        expr=f"absent({errors_name(slo.series.rate)}{select(slo.watched, objective)})",
        hold=slo.promises.missing,
        severity="ticket",
        labels={"slo": objective.name},
        summary=f"{slo.watched.name}: nothing is measured for {objective.name}",
        meaning=(
            f"The promise is that {objective.promise}, and nobody can tell: there is no {metric}{slo.series.select()}"
            f"{at}. Alerts on this objective cannot fire."
        ),
        look=(
            Query("Targets that are scraped", f"up{slo.series.select()}"),
            Query("The series themselves", f"{metric}{slo.series.select()}"),
        ),
        causes=(
            "Nothing of the service runs, or Prometheus cannot scrape it.",
            "The metric has another name or labels than observability.metrics in the blueprint says.",
            "No request came since the last start, and the library shows no counter before the first.",
        ),
        remedy=(
            "Look whether the service runs and its targets are up.",
            "Correct observability.metrics in the blueprint, or what the service exports.",
        ),
    )


def _worst(series: Series, objective: Objective) -> Query:
    if objective.threshold is None:
        failures = f"{series.requests}{series.select(series.errors)}[{span(series.rate)}]"
        return Query("Failures by kind", f"sum by ({series.outcome}) (rate({failures}))")
    return Query("Latency by instance", series.quantile(objective.target, "le, instance"))


def _causes(objective: Objective) -> tuple[str, ...]:
    if objective.threshold is None:
        return ("A new version fails.", "Something it depends on fails.", "It is overloaded and turns requests away.")
    return ("Something it depends on is slow.", "It is short of CPU or connections.", "A new version is slower.")
