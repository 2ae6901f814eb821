"""openslo/slo: a service's objectives and the alerts on their budgets, as OpenSLO v1 documents.

Every objective is a ratio of bad to all requests, latency too, so that it says the same as the Prometheus rules: they
are made from the same expressions. OpenSLO has one window for a burn rate where the burn table has two; the short one
becomes the time for which the condition must hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, EntityRef, ref_parts
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.quote import line, slug
from nthlayer_sync.signals import slo
from nthlayer_sync.yaml.emit import dump_all

# Narrower than OpenSLO, which has `.`, `|` and `/` too: Nobl9 and Sloth take the names of Kubernetes.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SIMILAR = 54
"""Characters of the similar name; a hyphen and eight of a digest follow."""
_LONGEST_DESCRIPTION = 1050  # OpenSLO v1, parts/description
# Longest first; months, quarters and years have no fixed length, and there are no seconds.
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000))

Document = dict[str, Any]


class SloSpec(Spec, frozen=True):
    """The objectives of a service; `name` is its name in OpenSLO."""

    name: str
    title: str
    description: str
    slo: slo.Slo


def generate(service: Service) -> Iterator[SloSpec]:
    """One for every service that promises anything."""
    promised = slo.slo_of(service)
    if promised:
        yield SloSpec(
            name=object_name(service.ref),
            title=service.label,
            description=service.description,
            slo=promised,
        )


def render(spec: SloSpec) -> str:
    """The service, its objectives, their alert policies, and who is told."""
    promises = spec.slo.promises
    told = spec.slo.watched.owner or "nobody: the service has no owner"
    documents = [
        _document("Service", spec.name, _described(line(spec.description)), title=line(spec.title)),
        *(_objective(spec, objective) for objective in promises.objectives),
        *(_policy(spec, row) for row in promises.burn if any(row.reachable(o) for o in promises.alerted)),
        _document(
            "AlertNotificationTarget", f"{spec.name}-owner", {"target": "alertmanager", **_described(line(told))}
        ),
    ]
    return dump_all(documents, header=f"Managed by {MARK}: change the blueprint, not this file.")


@lru_cache(maxsize=100_000)
def object_name(ref: EntityRef) -> str:
    """The name of a service in OpenSLO: its own where that is legal, else a similar one that no other service has."""
    parts = ref_parts(ref)
    if parts.namespace == DEFAULT_NAMESPACE and _NAME.fullmatch(parts.name):
        return parts.name
    return f"{slug(parts.name)[:_SIMILAR] or 'service'}-{blake2b(ref.encode(), digest_size=4).hexdigest()}"


def duration(milliseconds: int) -> str:
    """A span in OpenSLO's notation: one number, one unit."""
    for unit, length in _UNITS:
        count, rest = divmod(milliseconds, length)
        if count and not rest:
            return f"{count}{unit}"
    raise PermanentError(f"OpenSLO has no duration of {milliseconds} ms: use whole minutes, hours, days or weeks")


def _objective(spec: SloSpec, objective: slo.Objective) -> Document:
    name = f"{spec.name}-{objective.name.replace('_', '-')}"
    series, rate = spec.slo.series, spec.slo.series.rate
    bad, total = slo.errors_rate(series, objective, rate), slo.events_rate(series, objective, rate)
    # Rates go up and down, so they are no counters.
    ratio = {"counter": False, "bad": _metric(bad), "total": _metric(total)}
    body: Document = {
        "description": f"{objective.promise[:1].upper()}{objective.promise[1:]}.",
        "service": spec.name,
        "indicator": {"metadata": {"name": f"{name}-ratio"}, "spec": {"ratioMetric": ratio}},
        "timeWindow": [{"duration": duration(spec.slo.promises.window), "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"displayName": objective.name, "target": float(objective.target)}],
    }
    promises = spec.slo.promises
    rows = promises.burn if objective in promises.alerted else ()
    policies = [_policy_name(spec, row) for row in rows if row.reachable(objective)]
    return _document("SLO", name, body | ({"alertPolicies": policies} if policies else {}))


def _policy(spec: SloSpec, row: slo.Burn) -> Document:
    name = _policy_name(spec, row)
    condition = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": float(row.factor),
        "lookbackWindow": duration(row.long),
        "alertAfter": duration(row.short),
    }
    return _document(
        "AlertPolicy",
        name,
        {
            "alertWhenNoData": False,
            "alertWhenResolved": True,
            "alertWhenBreaching": True,
            "conditions": [
                {
                    "kind": "AlertCondition",
                    "metadata": {"name": f"{name}-rate"},
                    "spec": {"severity": row.severity, "condition": condition},
                }
            ],
            "notificationTargets": [{"targetRef": f"{spec.name}-owner"}],
        },
    )


def _policy_name(spec: SloSpec, row: slo.Burn) -> str:
    return f"{spec.name}-burn-{duration(row.long)}-{duration(row.short)}"


def _metric(query: str) -> Document:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _described(text: str) -> Document:
    return {"description": text[:_LONGEST_DESCRIPTION]} if text else {}


def _document(kind: str, name: str, body: Document, *, title: str = "") -> Document:
    metadata = {"name": name, **({"displayName": title} if title else {})}
    return {"apiVersion": "openslo/v1", "kind": kind, "metadata": metadata, "spec": body}


SLO = FileKind(
    name="openslo/slo",
    version=1,
    summary="a service's objectives as OpenSLO v1 documents",
    subject=Service,
    spec=SloSpec,
    generate=generate,
    path=lambda service, spec: "openslo/slo.yaml",
    render=render,
)
