"""What the golden signals and a service's own alerts compare: errors, latency, saturation, traffic."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from nthlayer_sync.model.service import Service
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.alert import Alert, Query, Unit
from nthlayer_sync.signals.promql import number, percent, promql_selector, promql_string, span
from nthlayer_sync.signals.slo import HOUR
from nthlayer_sync.signals.thresholds import ERRORS, LATENCY, SATURATION, TRAFFIC, Own, Thresholds, none_of, thresholds
from nthlayer_sync.signals.watched import Series, Watched, series, watched

# Annotations of the Kubernetes plugin of Backstage: https://backstage.io/docs/features/kubernetes/configuration
KUBERNETES_ID = "backstage.io/kubernetes-id"
KUBERNETES_NAMESPACE = "backstage.io/kubernetes-namespace"


_UNITS: dict[str, Unit] = {
    "availability": "share",
    "error_rate": "share",
    "saturation": "share",
    "traffic": "per second",
}


class Golden(msgspec.Struct, frozen=True):
    """All that decides the alerts on a service itself; `workload` and `namespace` name its Deployment."""

    watched: Watched
    series: Series
    workload: str
    namespace: str
    thresholds: Thresholds


def golden_of(service: Service, addresses: Addresses = NOWHERE) -> Golden:
    """What decides the alerts on a service itself: none where nothing of it runs. Kubernetes has no capitals."""
    asked = thresholds(service)
    return Golden(
        watched=watched(service, addresses),
        series=series(service),
        workload=(service.annotations.get(KUBERNETES_ID) or service.name).lower(),
        namespace=(service.annotations.get(KUBERNETES_NAMESPACE) or service.namespace).lower(),
        thresholds=asked if service.runs else none_of(asked),
    )


def alerts(golden: Golden) -> tuple[Alert, ...]:
    """The alerts on the golden signals, then the service's own."""
    asked = golden.thresholds
    found = list[Alert]()
    if asked.error_rate is not None and asked.error_rate < 1:
        found.append(_errors(golden, asked.error_rate))
    found += [_latency(golden, share, limit) for share, limit in asked.latency]
    if asked.saturation is not None:
        found.append(_saturation(golden, asked.saturation))
    if asked.traffic_drop is not None and asked.traffic_drop < 1:
        found.append(_traffic(golden, asked.traffic_drop))
    return (*found, *(_own(golden, own) for own in asked.own if own.reachable))


def unreachable(golden: Golden) -> tuple[str, ...]:
    """What is asked for that nothing could ever raise, such as an error rate above 100%."""
    asked = golden.thresholds
    high = (f"{ERRORS}: no error rate is above 100%",) if asked.error_rate == 1 else ()
    none = (f"{TRAFFIC}: traffic never drops by more than 100%",) if asked.traffic_drop == 1 else ()
    own = (f"{o.name}: {o.metric} {o.operator} {number(o.value)} never holds" for o in asked.own if not o.reachable)
    return (*high, *none, *own)


def error_ratio(series: Series) -> str:
    """PromQL of the share of failed requests; nothing when there are no requests."""
    return f"({series.failed(series.rate)}) / ({series.total(series.rate)} > 0)"


def saturation(golden: Golden) -> str:
    """PromQL of the share of the scarcest resource in use, by `resource` where that is known."""
    if golden.series.saturation:
        return f"max({golden.series.saturation}{golden.series.select()})"
    pods = f"pod=~{promql_string(_quoted(golden.workload) + '-[0-9a-z]+-[0-9a-z]{5}')}"
    where = {"namespace": golden.namespace}
    containers = promql_selector(where, pods, 'container!=""')
    shares = {
        "cpu": f"rate(container_cpu_usage_seconds_total{containers}[{span(golden.series.rate)}])",
        "memory": f"container_memory_working_set_bytes{containers}",
    }
    found = list[str]()
    for resource, used in shares.items():
        limits = promql_selector(where, pods, f'resource="{resource}"')
        share = f"sum by (pod) ({used}) / sum by (pod) (kube_pod_container_resource_limits{limits})"
        found.append(f'label_replace(max({share}), "resource", "{resource}", "", "")')
    return " or ".join(found)


def enough(golden: Golden, *, timed: bool = False, offset: str = "") -> str:
    """PromQL that gives a value when the last hour has had enough requests for a share of them to mean something."""
    return f"{golden.series.total(HOUR, timed=timed, offset=offset)} * 3600 >= {golden.thresholds.min_events}"


def _errors(golden: Golden, limit: Decimal) -> Alert:
    asked, series = golden.thresholds, golden.series
    failures = f"{series.requests}{series.select(series.errors)}[{span(series.rate)}]"
    return Alert(
        name=ERRORS,
        expr=f"{error_ratio(series)} > {number(limit)}\nand {enough(golden)}",
        hold=asked.hold,
        severity=asked.severity,
        unit="share",
        summary=f"{golden.watched.name}: more than {percent(limit)} of requests fail",
        meaning=f"More than {percent(limit)} of requests have failed for {span(asked.hold)}. Users see errors.",
        look=(
            Query("Share of failed requests", error_ratio(series)),
            Query("Failures by kind", f"sum by ({series.outcome}) (rate({failures}))"),
            Query("Failures by instance", f"sum by (instance) (rate({failures}))"),
        ),
        causes=("A new version fails.", "Something it depends on fails.", "It is overloaded and turns requests away."),
        remedy=(
            "If it began with a deployment, roll back.",
            "Look at the services and stores it depends on.",
            "When one instance stands out, take it out of rotation.",
        ),
    )


def _latency(golden: Golden, share: Decimal, limit: Decimal) -> Alert:
    asked, series = golden.thresholds, golden.series
    return Alert(
        name=LATENCY,
        expr=f"{series.quantile(share)} > {number(limit)}\nand {enough(golden, timed=True)}",
        hold=asked.hold,
        severity=asked.severity,
        labels={"quantile": number(share)},
        unit="seconds",
        summary=f"{golden.watched.name}: {percent(1 - share)} of requests take longer than {number(limit)} s",
        meaning=(
            f"The slowest {percent(1 - share)} of requests have taken longer than {number(limit)} s for"
            f" {span(asked.hold)}. Needs a bucket above {number(limit)} s in {series.duration}."
        ),
        look=(
            Query("Latency", series.quantile(share)),
            Query("Latency by instance", series.quantile(share, "le, instance")),
            Query("Requests per second", series.total(series.rate)),
        ),
        causes=("Something it depends on is slow.", "It is short of CPU or connections.", "A new version is slower."),
        remedy=(
            "If it began with a deployment, roll back.",
            "Compare with the latency of what it depends on.",
            "If traffic rose with it, add copies.",
        ),
    )


def _saturation(golden: Golden, limit: Decimal) -> Alert:
    asked = golden.thresholds
    current = saturation(golden)
    return Alert(
        name=SATURATION,
        expr=f"({current}) > {number(limit)}",
        hold=asked.hold,
        severity=asked.cause_severity,
        unit="share",
        summary=f"{golden.watched.name}: its scarcest resource is more than {percent(limit)} used",
        meaning=(
            f"More than {percent(limit)} has been in use for {span(asked.hold)}."
            " When it is used up, requests wait or fail."
        ),
        look=(
            Query("Share in use", current),
            Query("Requests per second", golden.series.total(golden.series.rate)),
        ),
        causes=("More traffic than usual.", "A leak, or a new version that needs more.", "Limits that are too low."),
        remedy=(
            "Add copies.",
            "If it began with a deployment, roll back.",
            "If it grows without traffic, restart one copy.",
        ),
    )


def _traffic(golden: Golden, drop: Decimal) -> Alert:
    asked, series = golden.thresholds, golden.series
    before = series.total(series.rate, offset="1w")
    return Alert(
        name=TRAFFIC,
        expr=(
            f"({series.total(series.rate)} or vector(0)) < {number(1 - drop)} * {before}\n"
            f"and {enough(golden, offset='1w')}"
        ),
        hold=asked.hold,
        severity=asked.cause_severity,
        unit="per second",
        summary=f"{golden.watched.name}: {percent(drop)} less traffic than a week ago",
        meaning=(
            f"For {span(asked.hold)} there has been at least {percent(drop)} less traffic than at this time a week ago."
            " Requests may not reach it; when none at all arrive, nothing of it may be running."
        ),
        look=(
            Query("Requests per second", series.total(series.rate)),
            Query("The same a week ago", before),
            Query("Targets that are scraped", f"up{series.select()}"),
        ),
        causes=(
            "Nothing of it runs, or a load balancer, DNS or gateway in front of it fails.",
            "One of its callers fails.",
            "A public holiday, or an unusual week before.",
        ),
        remedy=(
            "Look whether it runs and answers.",
            "Follow a request from outside.",
            "Ask the owners of its callers.",
        ),
    )


def _own(golden: Golden, own: Own) -> Alert:
    unit = _UNITS.get(own.metric, "seconds")
    limit = percent(own.value) if unit == "share" else f"{number(own.value)}{' s' if unit == 'seconds' else ''}"
    current = measure(golden, own.metric)
    guard = f"\nand {enough(golden, timed=unit == 'seconds')}" if own.metric not in ("traffic", "saturation") else ""
    words = own.metric.replace("_", " ")
    return Alert(
        name=own.name,
        expr=f"({current}) {own.operator} {number(own.value)}{guard}",
        hold=own.hold,
        severity=own.severity,
        unit=unit,
        summary=own.summary,
        meaning=f"{own.summary.rstrip('.')}. It fires when {words} {own.operator} {limit} holds for {span(own.hold)}.",
        look=(Query(words.capitalize(), current),),
        remedy=(f"Follow {own.runbook}.",) if own.runbook else (),
        runbook=own.runbook,
    )


def measure(golden: Golden, metric: str) -> str:
    """PromQL of what a condition speaks of, by its name there."""
    series = golden.series
    if metric == "error_rate":
        return error_ratio(series)
    if metric == "availability":
        return f"1 - {error_ratio(series)}"
    if metric == "saturation":
        return saturation(golden)
    if metric == "traffic":
        return f"{series.total(series.rate)} or vector(0)"
    return series.quantile(Decimal(metric.removeprefix("latency_p")).scaleb(-2))


def _quoted(text: str) -> str:
    """A regular expression (RE2) that matches `text` itself."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
