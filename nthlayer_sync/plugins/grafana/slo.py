"""grafana/slo: what a service promises, for the SLO pages of Grafana Cloud.

Grafana fills `$__rate_interval` with the windows that it needs. It raises no alerts from these: the burn-rate alerts
of `prometheus/slo_rules` do, and nobody is to be told twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.grafana.panels import literal, plain
from nthlayer_sync.plugins.grafana.tool import SLOS
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label
from nthlayer_sync.sdk.rest.paging import dig
from nthlayer_sync.signals.slo import Objective, slo_of
from nthlayer_sync.signals.watched import Series, bucket

WINDOW = "$__rate_interval"


class SloSpec(Spec, frozen=True):
    """One promise: PromQL of the share of good requests, a target of 1, and a window as Prometheus writes it."""

    name: str
    description: str
    type: str
    query: str
    target: float
    window: str
    source: str


def generate(service: Service, source: str = "") -> Iterator[SloSpec]:
    """One for each promise of a service that runs, where the data source `source` is named."""
    slo = slo_of(service)
    if slo is None or not source:
        return
    for objective in slo.promises.objectives:
        yield SloSpec(
            name=f"{label(service)} {objective.name}",
            description=f"{plain(service.label)[:200]}: {objective.promise}",
            type="freeform",
            query=_share(slo.series, objective),
            target=float(objective.target),
            window=_days(slo.promises.window),
            source=source,
        )


def _share(series: Series, objective: Objective) -> str:
    """PromQL of the share of good requests; a failure that never was counted does not exist, which is none."""
    if objective.threshold is not None:
        good = _rate(f"{series.duration}_bucket", series.select(bucket(objective.threshold)))
        return f"{good} / {_rate(f'{series.duration}_count', series.select())}"
    everything = _rate(series.requests, series.select())
    failed = _rate(series.requests, series.select(series.errors))
    return f"1 - ({failed} or 0 * {everything}) / {everything}"


def _rate(metric: str, selector: str) -> str:
    return f"sum(rate({metric}{literal(selector)}[{WINDOW}]))"


def _days(milliseconds: int) -> str:
    """Whole days, the only unit beside weeks that Grafana takes; more rather than less."""
    return f"{-(-milliseconds // 86_400_000)}d"


def encode(spec: SloSpec, account: Account, live: Json | None) -> Json:
    """As Grafana wants it."""
    return {
        "name": spec.name,
        "description": spec.description,
        "query": {"type": spec.type, "freeform": {"query": spec.query}},
        "objectives": [{"value": spec.target, "window": spec.window}],
        "destinationDatasource": {"uid": spec.source},
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    query, [objective] = body["query"], body["objectives"]
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "type": query["type"],
        "query": dig(query, "freeform.query") or "",
        "target": float(objective["value"]),
        "window": objective["window"],
        "source": dig(body, "destinationDatasource.uid") or "",
    }


SLO = RestKind(
    name="grafana/slo",
    version=1,
    summary="what a service promises, for Grafana's SLO pages",
    subject=Service,
    spec=SloSpec,
    generate=generate,
    name_of=lambda spec: spec.name.rpartition(" ")[2],
    collection=SLOS,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
)
