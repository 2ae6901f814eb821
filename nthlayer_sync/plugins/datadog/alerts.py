"""What Datadog is to watch of a service, as queries in its own language.

Burn rates are Datadog's own, of the SLO; golden signals and the service's own alerts compare its metrics over the time
for which a threshold must be crossed, and no less than the shortest window that a rate is taken over.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.datadog.slo import measured, slo_key, timeframe_of
from nthlayer_sync.plugins.datadog.words import part, scope
from nthlayer_sync.signals.promql import number, percent, span
from nthlayer_sync.signals.slo import HOUR, promises
from nthlayer_sync.signals.thresholds import Own, thresholds

LONGEST = 48 * HOUR
"""Milliseconds: Datadog measures no burn rate over more (docs.datadoghq.com/service_level_objectives/burn_rate)."""
_MINUTE = 60_000


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One alert: `name` tells it apart, `query` is compared with `limit` by `operator`; `slo` is an SLO's key."""

    name: str
    type: str = "query alert"
    query: str
    operator: str = ">"
    limit: Decimal
    severity: str
    sentences: tuple[str, ...]
    runbook: str = ""


def watches(service: Service) -> Iterator[Watch]:
    """All alerts of a service of which anything runs, as far as its metrics are known."""
    if service.runs:
        yield from _burns(service)
        yield from _golden(service)
        for own in thresholds(service).own:
            yield from _own(service, own)


def _burns(service: Service) -> Iterator[Watch]:
    promised = promises(service)
    for objective in promised.alerted:
        if not measured(service, objective):
            continue
        for row in promised.burn:
            if row.long > LONGEST or not row.reachable(objective):
                continue
            windows = f'.over("{timeframe_of(service)}").long_window("{_clock(row.long)}")'
            yield Watch(
                name=f"{objective.name}-{span(row.long)}",
                type="slo alert",
                query=f'burn_rate("{slo_key(service, objective)}"){windows}.short_window("{_clock(row.short)}")',
                limit=row.factor,
                severity=row.severity,
                sentences=(
                    f"The error budget of {objective.name} burns {row.pace}.",
                    f"The promise is that {objective.promise} over {span(promised.window)}.",
                ),
            )


def _golden(service: Service) -> Iterator[Watch]:
    asked, metrics = thresholds(service), service.blueprint.observability.datadog
    hold, chosen = _held(service, asked.hold), scope(service)
    if asked.error_rate is not None and asked.error_rate < 1 and metrics.requests and metrics.errors:
        share = percent(asked.error_rate)
        yield Watch(
            name="errors",
            query=f"sum({hold}):{_share(service)}",
            limit=asked.error_rate,
            severity=asked.severity,
            sentences=(f"More than {share} of requests fail.",),
        )
    for quantile, limit in asked.latency if metrics.duration else ():
        name = f"p{number(quantile * 100)}"
        yield Watch(
            name=f"latency-{name}",
            query=f"avg({hold}):{name}:{metrics.duration}{chosen}",
            limit=limit,
            severity=asked.severity,
            sentences=(f"{percent(1 - quantile)} of requests take longer than {number(limit)} s.",),
        )
    if asked.saturation is not None and metrics.saturation:
        yield Watch(
            name="saturation",
            query=f"avg({hold}):max:{metrics.saturation}{chosen}",
            limit=asked.saturation,
            severity=asked.cause_severity,
            sentences=(f"Its scarcest resource is more than {percent(asked.saturation)} used.",),
        )
    if asked.traffic_drop is not None and asked.traffic_drop < 1 and metrics.requests:
        yield Watch(
            name="traffic",
            query=f"pct_change(sum({hold}),last_1w):sum:{metrics.requests}{chosen}.as_count()",
            operator="<",
            limit=-100 * asked.traffic_drop,
            severity=asked.cause_severity,
            sentences=(f"{percent(asked.traffic_drop)} less traffic than a week ago.",),
        )


def _own(service: Service, own: Own) -> Iterator[Watch]:
    """One alert of the service's own, where the metric is known that it speaks of."""
    metrics, hold, chosen = service.blueprint.observability.datadog, _held(service, own.hold), scope(service)
    counted = metrics.requests and metrics.errors
    queries = {
        "error_rate": counted and f"sum({hold}):{_share(service)}",
        "availability": counted and f"sum({hold}):{_share(service, good=True)}",
        "traffic": metrics.requests and f"avg({hold}):sum:{metrics.requests}{chosen}.as_rate()",
        "saturation": metrics.saturation and f"avg({hold}):max:{metrics.saturation}{chosen}",
    }
    quantile = own.metric.removeprefix("latency_")
    query = queries.get(own.metric, metrics.duration and f"avg({hold}):{quantile}:{metrics.duration}{chosen}")
    if query and own.reachable:
        yield Watch(
            name=part(own.name),
            query=query,
            operator=own.operator,
            limit=own.value,
            severity=own.severity,
            sentences=(own.summary,),
            runbook=own.runbook,
        )


def _share(service: Service, *, good: bool = False) -> str:
    """The share of failed requests, or of good ones, of all over a span of time."""
    metrics, chosen = service.blueprint.observability.datadog, scope(service)
    everything = f"sum:{metrics.requests}{chosen}.as_count()"
    failed = f"sum:{metrics.errors}{chosen}.as_count()"
    return f"({everything} - {failed}) / {everything}" if good else f"{failed} / {everything}"


def _held(service: Service, hold: int) -> str:
    """The span of time that a monitor looks at, in whole minutes."""
    least = service.blueprint.observability.metrics.rate.milliseconds
    return f"last_{-(-max(hold, least) // _MINUTE)}m"


def _clock(milliseconds: int) -> str:
    return f"{milliseconds // HOUR}h" if milliseconds % HOUR == 0 else f"{milliseconds // _MINUTE}m"
