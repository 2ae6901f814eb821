"""What a blueprint asks for of the golden signals, and the alerts of a service's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.service import per_blueprint
from nthlayer_sync.model.units import Duration, Percent
from nthlayer_sync.signals.slo import BURN_ALERT, MISSING_ALERT, promises_of

ERRORS, LATENCY, SATURATION, TRAFFIC = "ErrorRateHigh", "LatencyHigh", "SaturationHigh", "TrafficDrop"
RESERVED = frozenset({ERRORS, LATENCY, SATURATION, TRAFFIC, BURN_ALERT, MISSING_ALERT})
"""Names that no alert of a service's own may have: their runbook sections are written."""

Severity = Literal["page", "ticket"]


class Own(msgspec.Struct, frozen=True):
    """An alert of the service's own; `value` is a share of 1, seconds, or requests per second, `hold` milliseconds."""

    name: str
    metric: str
    operator: str
    value: Decimal
    hold: int
    severity: Severity
    summary: str
    runbook: str

    def holds(self, value: Decimal) -> bool:
        """Whether it would be raised at this value."""
        compare = {
            ">": value > self.value,
            ">=": value >= self.value,
            "<": value < self.value,
            "<=": value <= self.value,
        }
        return compare[self.operator]

    @property
    def reachable(self) -> bool:
        """Whether any value raises it: no measure is below 0, no share of requests above 1."""
        most = Decimal(1) if self.metric in ("availability", "error_rate") else self.value + 1
        return self.holds(Decimal(0)) or self.holds(most)


class Thresholds(msgspec.Struct, frozen=True):
    """The part of a blueprint that decides these alerts: shares of 1, seconds; None where nothing is asked for."""

    error_rate: Decimal | None
    latency: tuple[tuple[Decimal, Decimal], ...]
    """Share of requests and the time it must not exceed."""
    saturation: Decimal | None
    traffic_drop: Decimal | None
    hold: int
    severity: Severity
    cause_severity: Severity
    """Of the alerts on saturation and traffic, which users may not feel."""
    min_events: int
    own: tuple[Own, ...]

    @property
    def any(self) -> bool:
        """Whether any alert is asked for."""
        golden = (self.error_rate, self.saturation, self.traffic_drop)
        return bool(self.latency or self.own) or any(value is not None for value in golden)


@per_blueprint
def thresholds(blueprint: Blueprint) -> Thresholds:
    """What the blueprint asks for; PermanentError when an alert of its own has the name of a generated one."""
    section = blueprint.observability
    golden, factor = section.golden, section.golden.latency_factor
    if taken := sorted(RESERVED & {alert.name for alert in section.alerts}):
        raise PermanentError(f"observability.alerts: {taken[0]} is the name of a generated alert; choose another")
    return Thresholds(
        error_rate=golden.error_rate.ratio if golden.error_rate else None,
        latency=tuple(
            (promise.target, promise.threshold * factor)
            for promise in promises_of(blueprint).objectives
            if promise.threshold is not None and factor is not None
        ),
        saturation=golden.saturation.ratio if golden.saturation else None,
        traffic_drop=golden.traffic_drop.ratio if golden.traffic_drop else None,
        hold=golden.for_.milliseconds,
        severity=golden.severity,
        cause_severity=golden.cause_severity,
        min_events=section.slo.min_events,
        own=tuple(
            Own(
                name=alert.name,
                metric=alert.when.metric,
                operator=alert.when.operator,
                value=plain(alert.when.value),
                hold=alert.for_.milliseconds,
                severity=alert.severity,
                summary=alert.summary,
                runbook=alert.runbook or "",
            )
            for alert in section.alerts
        ),
    )


def none_of(asked: Thresholds) -> Thresholds:
    """The same without any alert."""
    return msgspec.structs.replace(asked, error_rate=None, latency=(), saturation=None, traffic_drop=None, own=())


def plain(value: Duration | Percent | Decimal | int) -> Decimal:
    """A threshold in the unit that Prometheus measures in: seconds, a share of 1, or the number itself."""
    if isinstance(value, Duration):
        return Decimal(value.milliseconds).scaleb(-3)
    return value.ratio if isinstance(value, Percent) else Decimal(value)
