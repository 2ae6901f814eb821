"""Tests of rules as promtool runs them: what series say over time, and which alerts must fire at which moment.

https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from nthlayer_sync.plugins.prometheus.rules import HEADER, labels, texts
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.signals.alert import Alert
from nthlayer_sync.signals.promql import number, promql_selector, span
from nthlayer_sync.signals.watched import Watched
from nthlayer_sync.yaml.emit import dump


class Phase(msgspec.Struct, frozen=True):
    """A stretch of samples: a counter grows by `by` in each, a gauge has that value; None: it is not scraped."""

    samples: int
    by: Decimal | None


def counter(phases: Iterable[Phase], *, restart: bool = False) -> str:
    """The samples of a counter that starts at 0. While it is not scraped it stands still, or restarts."""
    value, parts = Decimal(0), ["0"]
    for phase in phases:
        if not phase.samples:
            continue
        if phase.by is None:
            parts.append(f"_x{phase.samples}")
            value = Decimal(0) if restart else value
        else:
            parts.append(f"{number(value + phase.by)}+{number(phase.by)}x{phase.samples - 1}")
            value += phase.by * phase.samples
    return " ".join(parts)


def gauge(phases: Iterable[Phase]) -> str:
    """The samples of a gauge that has the value of each phase, from its moment 0 on."""
    known = [phase for phase in phases if phase.samples and phase.by is not None]
    first = [f"{number(known[0].by or Decimal(0))}"] if known else []
    return " ".join([*first, *(f"{number(phase.by or Decimal(0))}+0x{phase.samples - 1}" for phase in known)])


def series(metric: str, selector: Mapping[str, str], values: str) -> dict[str, str]:
    """An input series."""
    return {"series": metric + promql_selector(selector), "values": values}


def firing(at: int, count: int, **matching: str) -> dict[str, Any]:
    """That so many alerts with these labels fire at a moment, in milliseconds."""
    return gives(at, f"count(ALERTS{promql_selector({'alertstate': 'firing'} | matching)})", count or None)


def gives(at: int, expr: str, value: float | None) -> dict[str, Any]:
    """That an expression gives one value without labels at a moment; None: nothing."""
    samples = [] if value is None else [{"labels": "{}", "value": value}]
    return {"expr": expr, "eval_time": span(at), "exp_samples": samples}


def told(
    at: int, name: str, watched: Watched, alerts: Sequence[tuple[Alert, Mapping[str, str], str]]
) -> dict[str, Any]:
    """That exactly these alerts called `name` fire at a moment, with every label and text.

    Each comes with the labels that its expression gives, and with the value as the description shows it.
    """
    return {
        "eval_time": span(at),
        "alertname": name,
        "exp_alerts": [
            {
                "exp_labels": {key: line(text) for key, text in ({**given} | labels(watched, alert)).items()},
                "exp_annotations": texts(watched, alert, value),
            }
            for alert, given, value in alerts
        ],
    }


def tests_file(rules: str, every: int, tests: Iterable[Mapping[str, Any]]) -> str:
    """A test file for the rule file that stands beside it, evaluated every so many milliseconds."""
    content = {"rule_files": [rules], "evaluation_interval": span(every), "tests": list(tests)}
    return dump(content, header=HEADER)
