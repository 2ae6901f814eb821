"""prometheus/slo_rules: multi-window, multi-burn-rate rules for every objective of a service.

After Google's Site Reliability Workbook, chapter 5, alert 6. What is recorded and why: `nthlayer_sync.signals.slo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.prometheus.rules import alerting, recording, rule_file
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.signals import slo as signals
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.promql import number, span
from nthlayer_sync.signals.slo import Objective, Slo

PATH = "prometheus/slo.rules.yaml"


class SloSpec(Spec, frozen=True):
    """Everything that decides the SLO rules of a service, and their tests."""

    slo: Slo


def generate(service: Service, addresses: Addresses = NOWHERE) -> Iterator[SloSpec]:
    """One for every service that promises something."""
    slo = signals.slo_of(service, addresses)
    if slo is not None:
        yield SloSpec(slo=slo)


def render(spec: SloSpec) -> str:
    """A rule file with one group for each objective, so that none waits for another."""
    slo = spec.slo
    groups = {f"{slo.watched.ref} {o.name}": _group(slo, o) for o in slo.promises.objectives}
    return rule_file(groups, *_left_out(slo))


def _group(slo: Slo, objective: Objective) -> list[dict[str, Any]]:
    """Rules in the order they build on each other; alerts come before the longest window, which they can do without."""
    rate, window, chosen = slo.series.rate, slo.promises.window, signals.select(slo.watched, objective)
    budget = f"{signals.BUDGET}{chosen}"
    before = [w for w in signals.windows(slo.promises, rate) if w != window]
    names = signals.identity(slo.watched, objective)
    return [
        recording(signals.OBJECTIVE, f"vector({number(objective.target)})", names),
        recording(signals.BUDGET, f"vector({number(objective.budget)})", names),
        recording(signals.INFO, "vector(1)", slo.watched.labels | {"slo": objective.name, "window": span(window)}),
        *(rule for w in dict.fromkeys((rate, signals.HOUR)) for rule in _counted(slo, objective, w)),
        *(_share(slo, objective, w) for w in before),
        *(alerting(slo.watched, alert) for alert in signals.alerts(slo) if alert.labels["slo"] == objective.name),
        _share(slo, objective, window),
        recording(signals.BURN_RATE, f"{signals.ratio_name(signals.HOUR)}{chosen} / {budget}", names),
        recording(signals.REMAINING, f"1 - {signals.ratio_name(window)}{chosen} / {budget}", names),
    ]


def _counted(slo: Slo, objective: Objective, window: int) -> list[dict[str, Any]]:
    names = signals.identity(slo.watched, objective)
    return [
        recording(signals.errors_name(window), signals.errors_rate(slo.series, objective, window), names),
        recording(signals.events_name(window), signals.events_rate(slo.series, objective, window), names),
    ]


def _share(slo: Slo, objective: Objective, window: int) -> dict[str, Any]:
    bad, total = signals.errors_over(slo, objective, window), signals.events_over(slo, objective, window)
    expr = f"{bad} / clamp_min({total}, {signals.LEAST_RATE})"
    return recording(signals.ratio_name(window), expr, signals.identity(slo.watched, objective))


def _left_out(slo: Slo) -> list[str]:
    """What is asked for but cannot be: a promise may be so modest that no outage burns its budget that fast."""
    promises = slo.promises
    return [
        f"Left out: {objective.name} {row.pace}, over {span(row.long)}; if every request is bad it burns"
        f" {number((1 / objective.budget).quantize(row.factor))} times as fast."
        for objective in promises.alerted
        for row in promises.burn
        if not row.reachable(objective)
    ] + [
        f"Left out: alerts on {objective.name}; another objective is as strict or stricter with the same requests."
        for objective in promises.objectives
        if objective not in promises.alerted
    ]


SLO_RULES = FileKind(
    name="prometheus/slo_rules",
    version=1,
    summary="SLO recording rules, error budget and burn-rate alerts",
    subject=Service,
    spec=SloSpec,
    generate=generate,
    path=lambda service, spec: PATH,
    render=render,
)
