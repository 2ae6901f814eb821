"""datadog/slo: what a service promises, counted in requests."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint.metrics import Datadog
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.datadog.tool import SLOS, inside
from nthlayer_sync.plugins.datadog.words import key, plain, scope, tagged, tags_of
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label
from nthlayer_sync.signals.promql import number, span
from nthlayer_sync.signals.slo import Objective, promises

# https://docs.datadoghq.com/api/latest/service-level-objectives: the spans of time that an SLO can be kept over.
TIMEFRAMES = {604_800_000: "7d", 2_592_000_000: "30d", 7_776_000_000: "90d"}


class ThresholdSpec(Spec, frozen=True):
    """A target in percent over a span of time."""

    timeframe: str
    target: float
    warning: float | None = None


class SloSpec(Spec, frozen=True):
    """One promise: queries of good requests and of all."""

    name: str
    description: str
    type: str
    good: str
    all: str
    thresholds: tuple[ThresholdSpec, ...]
    tags: tuple[str, ...]


def generate(service: Service) -> Iterator[SloSpec]:
    """One for each promise of a service that runs, where its metrics are known."""
    promised = promises(service)
    if not service.runs or not promised.objectives:
        return
    timeframe = timeframe_of(service)
    for objective in promised.objectives:
        queries = _queries(service.blueprint.observability.datadog, objective, scope(service))
        if queries is None:
            continue
        yield SloSpec(
            name=plain(f"{label(service)}: {objective.name}", 200),
            description=f"The promise is that {objective.promise} over {span(promised.window)}.",
            type="metric",
            good=queries[0],
            all=queries[1],
            thresholds=(ThresholdSpec(timeframe=timeframe, target=float(objective.target * 100)),),
            tags=tags_of(service, slo=objective.name),
        )


def timeframe_of(service: Service) -> str:
    """The span of time that promises are kept over; PermanentError when Datadog has none like it."""
    window = service.blueprint.observability.slo.window
    if window.milliseconds not in TIMEFRAMES:
        known = ", ".join(TIMEFRAMES.values())
        raise PermanentError(f"observability.slo.window: {window} is no span of an SLO in Datadog, which has {known}")
    return TIMEFRAMES[window.milliseconds]


def slo_key(service: Service, objective: Objective) -> str:
    """What the SLO of an objective is called in our mark."""
    return key(service, objective.name)


def measured(service: Service, objective: Objective) -> bool:
    """Whether the metrics are known that the objective is counted in."""
    return _queries(service.blueprint.observability.datadog, objective, "") is not None


def _queries(metrics: Datadog, objective: Objective, chosen: str) -> tuple[str, str] | None:
    """Good requests and all. https://docs.datadoghq.com/metrics/distributions/#threshold-queries"""
    if objective.threshold is not None:
        if metrics.duration is None:
            return None
        named = f"{metrics.duration}{chosen}.as_count()"
        return f"count(v: v<={number(objective.threshold)}):{named}", f"count:{named}"
    if metrics.requests is None or metrics.errors is None:
        return None
    everything = f"sum:{metrics.requests}{chosen}.as_count()"
    return f"{everything} - sum:{metrics.errors}{chosen}.as_count()", everything


def encode(spec: SloSpec, account: Account, live: Json | None) -> Json:
    """As Datadog wants it."""
    thresholds = [
        {"timeframe": each.timeframe, "target": each.target}
        | ({} if each.warning is None else {"warning": each.warning})
        for each in spec.thresholds
    ]
    return {
        "name": spec.name,
        "description": spec.description,
        "type": spec.type,
        "query": {"numerator": spec.good, "denominator": spec.all},
        "thresholds": thresholds,
        "tags": list(spec.tags),
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it, without how Datadog shows the targets."""
    query = inside(body, "query")
    thresholds = [
        {
            "timeframe": each["timeframe"],
            "target": float(each["target"]),
            "warning": None if each.get("warning") is None else float(each["warning"]),
        }
        for each in body["thresholds"]
    ]
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "type": body["type"],
        "good": query.get("numerator", ""),
        "all": query.get("denominator", ""),
        "thresholds": thresholds,
        "tags": sorted(body.get("tags") or ()),
    }


SLO = RestKind(
    name="datadog/slo",
    version=1,
    summary="what a service promises, counted in requests",
    subject=Service,
    spec=SloSpec,
    generate=generate,
    name_of=lambda spec: tagged(spec.tags, "slo"),
    collection=SLOS,
    key=lambda service, spec: key(service, tagged(spec.tags, "slo")),
    encode=encode,
    decode=decode,
)
