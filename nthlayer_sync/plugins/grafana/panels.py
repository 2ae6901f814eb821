"""The panels that dashboards are made of: dictionaries in Grafana's own form, on a grid of 24 columns.

Written by hand: a dozen short functions are easier to read than the generated builders of Grafana's foundation SDK,
which is marked experimental and would be one more dependency. The output is held to that SDK's schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from nthlayer_sync.sdk.quote import line

COLUMNS = 24

Panel = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Query(NamedTuple):
    """PromQL and the name of its curve; `{{label}}` in a legend is a label's value."""

    expr: str
    legend: str


def literal(expr: str) -> str:
    """PromQL in which Grafana finds no variable. Outside its strings PromQL has neither `$` nor `[[`."""
    return expr.replace("$", "\\x24").replace("[[", "[\\x5b")


def plain(words: str) -> str:
    """One line for a title or legend, in which Grafana finds neither a variable nor a label."""
    return line(words).replace("$", "\uff04").replace("{{", "{ {").replace("[[", "[ [")


def time_series(title: str, queries: Iterable[Query], *, unit: str, limits: Sequence[Decimal] = ()) -> Panel:
    """Curves over time; `limits` are drawn as lines."""
    steps: list[Panel] = [{"value": None, "color": "green"}]
    steps += [{"value": float(limit), "color": "red"} for limit in sorted(limits)]
    custom: Panel = {"thresholdsStyle": {"mode": "line"}} if limits else {}
    return {
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "targets": _targets(queries),
        "fieldConfig": _fields(unit, steps, custom),
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def stat(title: str, query: Query, *, unit: str) -> Panel:
    """The last value in large figures, red below zero."""
    return {
        "type": "stat",
        "title": title,
        "datasource": SOURCE,
        "targets": _targets([query]),
        "fieldConfig": _fields(unit, [{"value": None, "color": "red"}, {"value": 0, "color": "green"}], {}),
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "textMode": "auto",
            "orientation": "auto",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
        },
    }


def table(title: str, query: Query) -> Panel:
    """The labels of every series that a query gives now."""
    return {
        "type": "table",
        "title": title,
        "datasource": SOURCE,
        "targets": [target | {"format": "table", "instant": True, "range": False} for target in _targets([query])],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {"frameIndex": 0, "showHeader": True},
    }


def text(title: str, markdown: str) -> Panel:
    """Markdown that is shown as it stands: a `$` in it begins no variable."""
    content = markdown.replace("\\$", "&#36;").replace("$", "&#36;")
    return {"type": "text", "title": title, "options": {"mode": "markdown", "content": content}}


def section(title: str) -> Panel:
    """A heading over the panels that follow."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def arranged(rows: Iterable[tuple[int, Sequence[Panel]]]) -> list[Panel]:
    """Panels numbered and put on the grid: each row has a height, and its panels share the width."""
    placed: list[Panel] = []
    top = 0
    for height, panels in rows:
        width = COLUMNS // len(panels)
        for column, panel in enumerate(panels):
            grid = {"h": height, "w": width, "x": column * width, "y": top}
            placed.append({"id": len(placed) + 1, "gridPos": grid, **panel})
        top += height
    return placed


def _targets(queries: Iterable[Query]) -> list[Panel]:
    return [
        {
            "refId": f"Q{number}",
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "legendFormat": query.legend,
            "range": True,
            "instant": False,
        }
        for number, query in enumerate(queries, start=1)
    ]


def _fields(unit: str, steps: list[Panel], custom: Panel) -> Panel:
    defaults: Panel = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}
    return {"defaults": defaults | ({"custom": custom} if custom else {}), "overrides": []}
