"""Dashboards, held to the schema of Grafana's foundation SDK and to promtool."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from nthlayer_sync.plugins.grafana import GrafanaSettings, Plugin
from nthlayer_sync.plugins.grafana.dashboard import generate, render
from nthlayer_sync.plugins.grafana.panels import literal
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.signals.watched import dashboard_uid
from nthlayer_sync.yaml.emit import dump

GOLDEN = sorted(Path(__file__).parent.glob("dashboard/*/then.json"))
# Grafana's own syntax: https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/
VARIABLE = re.compile(r"\$\w+|\$\{\w+|\[\[\w+")


def made(words: dict[str, Any]) -> dict[str, Any]:
    [spec] = generate(service_from(words))
    return json.loads(render(spec))


def texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    for below in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from texts(below)


def schema_of(shared: Path, name: str, definition: str) -> Draft7Validator:
    schema = json.loads((shared / f"specs/artefacts/grafana/foundation-sdk/{name}.jsonschema.json").read_text())
    return Draft7Validator({**schema, "$ref": f"#/definitions/{definition}"})


def check(dashboard: dict[str, Any], shared: Path) -> None:
    schema_of(shared, "dashboard", "Dashboard").validate(dashboard)
    query = schema_of(shared, "prometheus", "Dataquery")
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            schema_of(shared, panel["type"], "Options").validate(panel["options"])
        if "custom" in panel.get("fieldConfig", {}).get("defaults", {}):
            schema_of(shared, panel["type"], "FieldConfig").validate(panel["fieldConfig"]["defaults"]["custom"])
        for target in panel.get("targets", ()):
            query.validate(target)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_golden_cases_keep_the_schema(path: Path, shared: Path) -> None:
    check(json.loads(path.read_text()), shared)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_panels_fill_the_grid_without_overlap(path: Path) -> None:
    taken = set[tuple[int, int]]()
    panels = json.loads(path.read_text())["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    for panel in panels:
        grid = panel["gridPos"]
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_queries_are_promql(path: Path, accepted: Callable[..., str], tmp_path: Path) -> None:
    assert_promql(json.loads(path.read_text()), accepted, tmp_path)


def assert_promql(dashboard: dict[str, Any], accepted: Callable[..., str], folder: Path) -> None:
    exprs = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    rules = [{"record": f"q{number}", "expr": expr} for number, expr in enumerate(exprs)]
    (folder / "rules.yaml").write_text(dump({"groups": [{"name": "x", "rules": rules}]}))
    accepted("promtool", "check", "rules", folder / "rules.yaml")


def test_the_uid_is_that_of_the_links() -> None:
    dashboard = made({"name": "x" * 63, "namespace": "y" * 63})
    assert dashboard["uid"] == dashboard_uid(f"component:{'y' * 63}/{'x' * 63}")
    assert len(dashboard["uid"]) <= 40
    assert all(len(tag) <= 50 for tag in dashboard["tags"])


def test_the_runbook_is_linked_where_backstage_is_known() -> None:
    plugin = Plugin(GrafanaSettings(backstage="https://backstage.example.com/"))
    [config] = plugin.generate_configs(service_from({}))
    assert config.spec.runbook == "https://backstage.example.com/docs/default/component/payments/runbook/"
    [link] = json.loads(render(config.spec))["links"]
    assert (link["title"], link["url"]) == ("Runbook", config.spec.runbook)


def test_only_web_addresses_are_linked() -> None:
    links = [{"url": "javascript:alert(1)", "title": "x"}, {"url": "https://example.com/$x[[y]]", "title": "$x"}]
    [link] = made({"links": links})["links"]
    assert link["url"] == "https://example.com/%24x%5B%5By]]"


def test_hostile_values_stay_values(hostile: str, shared: Path, accepted: Callable[..., str], tmp_path: Path) -> None:
    neighbour = {"ref": f"component:default/{hostile}", "name": hostile, "kind": "component", "type": hostile}
    selector = hostile[:200].replace("{", "(").replace("}", ")")  # braces are placeholders, refused when unknown
    dashboard = made(
        {
            "name": hostile,
            "title": hostile,
            "links": [{"url": f"https://example.com/{hostile}", "title": hostile}],
            "depends_on": [{**neighbour, "owner": f"group:default/{hostile}", "availability": hostile}],
            "blueprint": {"observability": {"metrics": {"selector": {"app": selector}}}},
        }
    )
    check(dashboard, shared)
    assert_promql(dashboard, accepted, tmp_path)
    ordinary = made({"depends_on": [{**neighbour, "owner": "group:default/x"}]})
    assert [panel["type"] for panel in dashboard["panels"]] == [panel["type"] for panel in ordinary["panels"]]
    tags, found = dashboard.pop("tags"), set[str]()
    assert len(tags) == 3
    del dashboard["title"]  # the one text beside tags in which Grafana looks for no variable
    for text in texts(dashboard):
        found |= set(VARIABLE.findall(text))
    assert found == {"${datasource"}


@pytest.mark.parametrize(
    ("expr", "same"),
    [('x{a="$b"}', 'x{a="\\x24b"}'), ('x{a=~"[[:alpha:]]"}', 'x{a=~"[\\x5b:alpha:]]"}'), ("x[5m]", "x[5m]")],
)
def test_promql_holds_no_variable(expr: str, same: str) -> None:
    assert literal(expr) == same
