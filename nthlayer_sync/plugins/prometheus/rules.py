"""How rules are written: Prometheus' rule files, with every catalog value made literal.

Label values and annotations of an alert are Go templates; labels of a recording rule are not.
https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.quote import go_template, line
from nthlayer_sync.signals.alert import Alert, Unit
from nthlayer_sync.signals.promql import span
from nthlayer_sync.signals.watched import Watched
from nthlayer_sync.yaml.emit import dump

HEADER = f"Managed by {MARK}: change the blueprint, not this file."

_NOW: Mapping[Unit, str] = {
    "": "",
    "share": " Now: {{ $value | humanizePercentage }}.",
    "seconds": " Now: {{ $value | humanizeDuration }}.",
    "per second": " Now: {{ $value | humanize }} per second.",
    "count": " Now: {{ $value | humanize }}.",
}
_TEMPLATE = re.compile(r"\{\{ [^}]*\}\}")


def recording(record: str, expr: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """A recording rule."""
    return {"record": record, "expr": expr, "labels": dict(labels)}


def alerting(watched: Watched, alert: Alert) -> dict[str, Any]:
    """An alerting rule, labelled for routing."""
    hold = {"for": span(alert.hold)} if alert.hold else {}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **hold,
        "labels": {name: go_template(value) for name, value in labels(watched, alert).items()},
        "annotations": {name: go_template(text) for name, text in texts(watched, alert).items()}
        | {"description": go_template(alert.meaning) + _NOW[alert.unit]},
    }


def labels(watched: Watched, alert: Alert) -> dict[str, str]:
    """The labels that a rule gives its alert, in plain text."""
    return watched.labels | alert.labels | {"severity": alert.severity}


def texts(watched: Watched, alert: Alert, value: str = "") -> dict[str, str]:
    """What a person is told, in plain text, when the alert's value reads as `value`; no link that leads nowhere."""
    links = {"runbook_url": alert.runbook or watched.runbook(alert.name), "dashboard": watched.dashboard}
    return {
        "summary": line(alert.summary),
        "description": line(alert.meaning) + _TEMPLATE.sub(lambda _: value, _NOW[alert.unit]),
        **{name: line(address) for name, address in links.items() if address},
    }


def rule_file(groups: Mapping[str, Iterable[Mapping[str, Any]]], *notes: str) -> str:
    """A rule file: rules by the name of their group, below a header and `notes`."""
    content = {"groups": [{"name": name, "rules": list(rules)} for name, rules in groups.items()]}
    return dump(content, header="\n".join((HEADER, *notes)))
