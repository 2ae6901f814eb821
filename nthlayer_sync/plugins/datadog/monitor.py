"""datadog/monitor: what wakes people, or opens tickets, when a service does not do as it promises."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.datadog.alerts import watches
from nthlayer_sync.plugins.datadog.tool import MONITORS, SLOS, inside
from nthlayer_sync.plugins.datadog.words import Notify, key, message, plain, tagged, tags_of
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label
from nthlayer_sync.signals.promql import number

_SLO = re.compile(r'(?<=burn_rate\(")[^"]+(?="\))')
_GIVEN = frozenset({"aggregation", "device_ids", "silenced"})
"""Options that Datadog tells and does not take."""


class MonitorSpec(Spec, frozen=True):
    """One monitor; in its query an SLO stands by its key."""

    name: str
    type: str
    query: str
    critical: float
    message: str
    tags: tuple[str, ...]


def generate(service: Service, notify: Notify | None = None) -> Iterator[MonitorSpec]:
    """One for every burn rate, golden signal and alert of its own."""
    for watch in watches(service):
        yield MonitorSpec(
            name=plain(f"{label(service)}: {watch.sentences[0].rstrip('.')}", 200),
            type=watch.type,
            query=f"{watch.query} {watch.operator} {number(watch.limit)}",
            critical=float(watch.limit),
            message=message(service, notify or Notify(), watch.severity, *watch.sentences, runbook=watch.runbook),
            tags=tags_of(service, alert=watch.name, severity=watch.severity),
        )


def encode(spec: MonitorSpec, account: Account, live: Json | None) -> Json:
    """As Datadog wants it; options that people chose stay."""
    options = {name: value for name, value in inside(live, "options").items() if name not in _GIVEN}
    return {
        "name": spec.name,
        "type": spec.type,
        "query": _SLO.sub(lambda found: account.id("slos", found[0]), spec.query),
        "message": spec.message,
        "tags": list(spec.tags),
        "options": options | {"thresholds": inside(options, "thresholds") | {"critical": spec.critical}},
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {
        "name": body["name"],
        "type": "query alert" if body["type"] == "metric alert" else body["type"],
        "query": _SLO.sub(lambda found: account.key("slos", found[0]), body["query"]),
        "critical": float(body["options"]["thresholds"]["critical"]),
        "message": body.get("message") or "",
        "tags": sorted(body.get("tags") or ()),
    }


MONITOR = RestKind(
    name="datadog/monitor",
    version=1,
    summary="burn rates, golden signals and own alerts of a service",
    subject=Service,
    spec=MonitorSpec,
    generate=generate,
    name_of=lambda spec: tagged(spec.tags, "alert"),
    requires=("datadog/slo",),
    collection=MONITORS,
    key=lambda service, spec: key(service, tagged(spec.tags, "alert")),
    encode=encode,
    decode=decode,
    needs=(SLOS,),
)
