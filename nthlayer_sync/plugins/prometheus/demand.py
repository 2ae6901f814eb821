"""What series must do so that an alert fires, and so that it just does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from nthlayer_sync.signals.golden import Golden
from nthlayer_sync.signals.packs import Instance
from nthlayer_sync.signals.packs.pack import Sample, Watch
from nthlayer_sync.signals.promql import number
from nthlayer_sync.signals.thresholds import ERRORS, LATENCY, Own

NEAR = (Decimal("0.95"), Decimal("1.05"))
"""Just below and just above a threshold, as parts of it."""


class Demand(msgspec.Struct, frozen=True):
    """What a series does while all is well and while it is not: the level of a gauge, or the growth a second."""

    metric: str
    labels: dict[str, str]
    well: Decimal
    sick: Decimal
    counter: bool = False


class Outcomes(msgspec.Struct, frozen=True):
    """Values of the label that tells failed requests, and how many requests a second are enough to judge by."""

    bad: str
    good: str
    each: Decimal


def of_golden(golden: Golden, name: str, share: str, outcomes: Outcomes) -> list[Demand]:
    """Around the threshold of a golden signal; `share` is the quantile of a latency."""
    asked = golden.thresholds
    if name == ERRORS:
        return measured(golden, "error_rate", around(asked.error_rate or Decimal(0)), outcomes)
    if name == LATENCY:
        limit = next(limit for quantile, limit in asked.latency if number(quantile) == share)
        return measured(golden, f"latency_{share}", around(limit), outcomes)
    return measured(golden, "saturation", around(asked.saturation or Decimal(0)), outcomes)


def of_own(golden: Golden, own: Own, outcomes: Outcomes) -> list[Demand]:
    """Around the threshold of an alert of the service's own; empty when it can never be silent."""
    most = Decimal(1) if own.metric in ("availability", "error_rate") else own.value + 1
    values = [own.value * near for near in NEAR] + [(own.value + most) / 2, most, own.value / 2, Decimal(0), own.value]
    known = [value for value in values if 0 <= value <= max(most, own.value * 2) and (value or own.metric[0] != "l")]
    well = next((value for value in known if not own.holds(value)), None)
    sick = next((value for value in known if own.holds(value)), None)
    if well is None or sick is None:
        return []
    return measured(golden, own.metric, (well, sick), outcomes)


def of_watch(instance: Instance, watch: Watch) -> list[Demand]:
    """Around the threshold of a pack; without a threshold, what it compares is 0 when all is well and 1 when not."""
    well, sick = Decimal(0), Decimal(1)
    if watch.threshold:
        limit = instance.thresholds[watch.threshold]
        well, sick = around(limit)
        if watch.unit in ("", "count"):
            well, sick = limit, limit + 1
        if watch.below:
            well, sick = min(sick, (1 + limit) / 2), well
    return _linear(watch.samples, well, sick, instance.selector)


def around(limit: Decimal) -> tuple[Decimal, Decimal]:
    """Just below and just above a threshold; a share of all that is near 1 only reaches what lies between."""
    below, above = limit * NEAR[0], limit * NEAR[1]
    return (below, above) if limit else (limit, Decimal("0.05"))


def measured(golden: Golden, metric: str, values: tuple[Decimal, Decimal], outcomes: Outcomes) -> list[Demand]:
    """The series in which a condition's metric has the first value while all is well, the second while it is not."""
    names, own = golden.series, golden.series.selector
    good = {names.outcome: outcomes.good}
    if metric == "traffic":
        return _linear([Sample(names.requests, good, per=1, counter=True)], *values, own)
    if metric == "saturation":
        return _saturated(golden, *values)
    if metric.startswith("latency"):
        return _answered(golden, *values, outcomes.each)
    well, sick = (min(value, Decimal(1)) for value in values)
    if metric == "availability":
        well, sick = 1 - well, 1 - sick
    each = float(outcomes.each)
    samples = [
        Sample(names.requests, {names.outcome: outcomes.bad}, per=each, counter=True),
        Sample(names.requests, good, at=each, per=-each, counter=True),
    ]
    return _linear(samples, well, sick, own)


def _saturated(golden: Golden, well: Decimal, sick: Decimal) -> list[Demand]:
    """The service's own gauge, or the CPU of one of its pods against its limit."""
    if golden.series.saturation:
        return [Demand(golden.series.saturation, golden.series.selector, well, sick)]
    whole = Decimal(1)
    pod = {"namespace": golden.namespace, "pod": f"{golden.workload}-5d4f8c7b9-x7k2p"}
    return [
        Demand("container_cpu_usage_seconds_total", pod | {"container": "app"}, well, sick, counter=True),
        Demand("kube_pod_container_resource_limits", pod | {"container": "app", "resource": "cpu"}, whole, whole),
    ]


def _answered(golden: Golden, well: Decimal, sick: Decimal, each: Decimal) -> list[Demand]:
    """A histogram in which all requests take almost exactly the time that they should, or should not."""
    metric, own, zero = golden.series.duration, golden.series.selector, Decimal(0)
    bounds = sorted({well, well * Decimal("0.99"), sick, sick * Decimal("0.99")})
    buckets = [
        Demand(
            metric=f"{metric}_bucket",
            labels=own | {"le": number(bound)},
            well=each if well <= bound else zero,
            sick=each if sick <= bound else zero,
            counter=True,
        )
        for bound in bounds
    ]
    return [
        *buckets,
        Demand(f"{metric}_bucket", own | {"le": "+Inf"}, each, each, counter=True),
        Demand(f"{metric}_count", own, each, each, counter=True),
    ]


def _linear(samples: Iterable[Sample], well: Decimal, sick: Decimal, own: Mapping[str, str]) -> list[Demand]:
    return [
        Demand(
            metric=sample.series,
            labels=dict(own) | sample.labels,
            well=Decimal(str(sample.at)) + Decimal(str(sample.per)) * well,
            sick=Decimal(str(sample.at)) + Decimal(str(sample.per)) * sick,
            counter=sample.counter,
        )
        for sample in samples
    ]
