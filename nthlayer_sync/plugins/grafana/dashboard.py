"""grafana/dashboard: a service's objectives, golden signals, dependencies and alerts on one page.

Objectives are read from the series that prometheus/slo_rules records, everything else from the service's own. The uid
follows from the entity reference alone, so links to the page stay right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.entity import Link
from nthlayer_sync.model.service import Neighbour, Service
from nthlayer_sync.plugins.grafana.panels import (
    Panel,
    Query,
    arranged,
    literal,
    plain,
    section,
    stat,
    table,
    text,
    time_series,
)
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.quote import line, markdown
from nthlayer_sync.signals import golden, slo
from nthlayer_sync.signals.promql import percent, promql_selector
from nthlayer_sync.signals.watched import dashboard_path, dashboard_uid, runbook_path

SCHEMA = 39
"""Version of the dashboard model: Grafana 10.4. Later ones read it, too."""

_LONGEST_TAG = 50  # Grafana's table dashboard_tag
_QUANTILES = ("latency_p50", "latency_p95", "latency_p99")


class DashboardSpec(Spec, frozen=True):
    """Everything that decides a dashboard; `runbook` is an address, "" when there is none to link to."""

    title: str
    golden: golden.Golden
    promises: slo.Promises
    dependencies: tuple[Neighbour, ...]
    links: tuple[Link, ...]
    runbook: str


def generate(service: Service, backstage: str = "") -> Iterator[DashboardSpec]:
    """One for every service of which anything runs."""
    if not service.runs:
        return
    yield DashboardSpec(
        title=service.label,
        golden=golden.golden_of(service),
        promises=slo.promises(service),
        dependencies=service.depends_on,
        links=service.links,
        runbook=backstage and f"{backstage}{runbook_path(service.ref, '').rstrip('#')}",
    )


def render(spec: DashboardSpec) -> str:
    """A dashboard as a file."""
    return msgspec.json.format(msgspec.json.encode(model(spec)), indent=2).decode() + "\n"


def model(spec: DashboardSpec) -> dict[str, Any]:
    """A dashboard. https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/"""
    watched = spec.golden.watched
    return {
        "uid": dashboard_uid(watched.ref),
        "title": f"{plain(spec.title)} ({watched.ref})",
        "description": f"Managed by {MARK}: change the blueprint, not this file.",
        "tags": [MARK, watched.ref[:_LONGEST_TAG], f"tier {watched.tier}"],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "schemaVersion": SCHEMA,
        "templating": {"list": [_source()]},
        "annotations": {"list": []},
        "links": _links(spec),
        "panels": arranged([*_objectives(spec), *_golden(spec), *_dependencies(spec), *_alerts(spec)]),
    }


def _source() -> Panel:
    """Every organisation calls its Prometheus differently, so whoever looks chooses; the default one comes first."""
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "current": {"text": "default", "value": "default"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
    }


def _links(spec: DashboardSpec) -> list[Panel]:
    runbook = [Link(spec.runbook, "Runbook")] if spec.runbook else []
    return [
        {
            "title": plain(link.title) or plain(link.url),
            "type": "link",
            "url": line(link.url).replace("$", "%24").replace("[", "%5B"),
            "icon": "external link",
            "tooltip": "",
            "tags": [],
            "asDropdown": False,
            "targetBlank": True,
            "includeVars": False,
            "keepTime": False,
        }
        for link in (*runbook, *spec.links)
        if link.url.startswith(("https://", "http://"))
    ]


def _objectives(spec: DashboardSpec) -> Iterator[tuple[int, Sequence[Panel]]]:
    watched, promises, rate = spec.golden.watched, spec.promises, spec.golden.series.rate
    if not promises.objectives:
        return
    yield 1, [section("Objectives")]
    chosen = {objective.name: literal(slo.select(watched, objective)) for objective in promises.objectives}
    yield (
        4,
        [
            stat(
                f"{objective.name}: error budget that remains",
                Query(f"{slo.REMAINING}{chosen[objective.name]}", percent(objective.target)),
                unit="percentunit",
            )
            for objective in promises.objectives
        ],
    )
    bad = [Query(f"{slo.ratio_name(rate)}{selector}", name) for name, selector in chosen.items()]
    budgets = [Query(f"{slo.BUDGET}{selector}", f"{name}: allowed") for name, selector in chosen.items()]
    burning = [Query(f"{slo.BURN_RATE}{selector}", name) for name, selector in chosen.items()]
    yield (
        8,
        [
            time_series("Share of bad requests", bad + budgets, unit="percentunit"),
            time_series("Burn rate of the error budget", burning, unit="none"),
        ],
    )


def _golden(spec: DashboardSpec) -> Iterator[tuple[int, Sequence[Panel]]]:
    signals, asked = spec.golden, spec.golden.thresholds
    quantiles = [Query(literal(golden.measure(signals, name)), name.removeprefix("latency_")) for name in _QUANTILES]
    promised = [o.threshold for o in spec.promises.objectives if o.threshold is not None]
    total = literal(signals.series.total(signals.series.rate))
    failed = literal(golden.error_ratio(signals.series))
    used = literal(golden.saturation(signals))
    yield 1, [section("Golden signals")]
    yield (
        8,
        [
            time_series("Requests", [Query(total, "requests")], unit="reqps"),
            time_series("Errors", [Query(failed, "failed")], unit="percentunit", limits=_given(asked.error_rate)),
        ],
    )
    yield (
        8,
        [
            time_series("Latency", quantiles, unit="s", limits=promised),
            time_series(
                "Saturation", [Query(used, "{{resource}}")], unit="percentunit", limits=_given(asked.saturation)
            ),
        ],
    )


def _dependencies(spec: DashboardSpec) -> Iterator[tuple[int, Sequence[Panel]]]:
    if not spec.dependencies:
        return
    services = [neighbour for neighbour in spec.dependencies if neighbour.kind == "component"]
    watched = [(n, literal(promql_selector({"entity": n.ref}))) for n in services]
    budgets = [Query(f"{slo.REMAINING}{selector}", f"{plain(n.name)} {{{{slo}}}}") for n, selector in watched]
    panels = [text("What it depends on", _table(spec.dependencies))]
    if budgets:
        panels.append(time_series("Their error budgets that remain", budgets, unit="percentunit"))
    yield 1, [section("Dependencies")]
    yield 8, panels


def _table(dependencies: Sequence[Neighbour]) -> str:
    rows = ["| what | kind | tier | promises | owner |", "|---|---|---|---|---|"]
    for neighbour in dependencies:
        linked = neighbour.kind == "component" and neighbour.known and not neighbour.external
        name = markdown(neighbour.name)
        cells = (
            f"[{name}]({dashboard_path(neighbour.ref)})" if linked else name,
            markdown(neighbour.technology or neighbour.type or neighbour.kind),
            markdown(neighbour.tier) or "–",
            f"{markdown(neighbour.availability.removesuffix('%'))} %" if neighbour.availability else "–",
            markdown(neighbour.owner or "") or "–",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _alerts(spec: DashboardSpec) -> Iterator[tuple[int, Sequence[Panel]]]:
    selector = promql_selector({"entity": spec.golden.watched.ref, "alertstate": "firing"})
    yield 1, [section("Alerts")]
    yield 8, [table("Firing now", Query(f"ALERTS{literal(selector)}", ""))]


def _given(limit: Decimal | None) -> tuple[Decimal, ...]:
    return () if limit is None else (limit,)


DASHBOARD = FileKind(
    name="grafana/dashboard",
    version=1,
    summary="objectives, golden signals, dependencies and alerts of a service",
    subject=Service,
    spec=DashboardSpec,
    generate=generate,
    path=lambda service, spec: "grafana/dashboard.json",
    render=render,
)
