"""What SLO rules give for traffic that a simple rule gets wrong, and what the specs behind them are."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.model.units import Matcher
from nthlayer_sync.plugins.prometheus import Plugin, PrometheusSettings
from nthlayer_sync.plugins.prometheus.example import examples, takes
from nthlayer_sync.plugins.prometheus.slo_rules import generate, render
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.signals.alerts import alerts_of
from tests.plugins.prometheus.conftest import write

Promtool = Callable[..., subprocess.CompletedProcess[str]]


def words(**observability: Any) -> dict[str, Any]:
    return {"name": "payments", "tier": "1", "blueprint": {"observability": observability}}


def requests(code: str, values: str, **labels: str) -> dict[str, str]:
    more = "".join(f',{name}="{value}"' for name, value in labels.items())
    return {"series": f'http_requests_total{{service="payments",code="{code}"{more}}}', "values": values}


def check(promtool: Promtool, folder: Path, every: str, given: list[dict[str, str]], **expected: float) -> None:
    """Holds recorded shares (`window__time`) to values, within 2%."""

    def near(window: str, at: str, value: float) -> dict[str, Any]:
        recorded = f'sum(slo:error_ratio:rate{window}{{slo="availability"}})'
        expr = f"abs({recorded} / {value} - 1) < bool 0.02"
        return {"expr": expr, "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}]}

    checks = [near(*name.split("__"), value) for name, value in expected.items()]
    test = {"interval": "1m", "input_series": given, "promql_expr_test": checks}
    path = folder / "own.tests.yaml"
    path.write_text(yaml.safe_dump({"rule_files": ["slo.rules.yaml"], "evaluation_interval": every, "tests": [test]}))
    done = promtool("test", [path])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write(tmp_path, words(slo={"latency_p99": None}), "slo_rules")


def test_every_request_weighs_the_same_at_night_and_at_noon(promtool: Promtool, rules: Path) -> None:
    """Three busy hours without a failure, three quiet ones in which everything fails: 1%, not 50%."""
    busy, quiet = "0+990x180 178200+0x180", "0+0x180 10+10x180"
    given = [requests("200", busy), requests("500", quiet)]
    check(promtool, rules, "1m", given, **{"6h__6h": 0.01, "1h__6h": 1})
    check(promtool, rules, "30m", given, **{"1d__6h": 0.01})


def test_instances_are_added_up_and_restarts_do_not_count(promtool: Promtool, rules: Path) -> None:
    given = [
        requests("200", "0+90x60", pod="a"),
        requests("200", "0+90x30 90+90x28", pod="b"),
        requests("500", "0+10x60", pod="a"),
        requests("500", "0+10x30 10+10x28", pod="b"),
    ]
    check(promtool, rules, "1m", given, **{"5m__33m": 0.1, "1h__58m": 0.1, "30m__58m": 0.1})


def test_what_is_recorded_survives_another_owner_tier_and_target() -> None:
    before = render(next(iter(generate(service_from(words())))))
    other = {"tier": "2", "owner": {"ref": "group:default/other", "name": "other"}}
    slo = {"availability": 99.9, "latency_p99": "200ms", "latency_p95": None}
    after = render(next(iter(generate(service_from(words(slo=slo) | other)))))
    targets = ("slo:objective:ratio", "slo:error_budget:ratio", "slo:info")

    def recorded(text: str) -> list[Any]:
        rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"] if "record" in rule]
        return [rule for rule in rules if rule["record"] not in targets]

    assert before != after
    assert recorded(before) == recorded(after)


def test_a_spec_is_small_and_reads_back() -> None:
    plugin = Plugin(PrometheusSettings(), None)
    db = {"ref": "resource:default/db", "name": "db", "kind": "resource", "technology": "postgresql"}
    for config in plugin.generate_configs(service_from(words() | {"depends_on": [db]})):
        encoded = msgspec.json.encode(config.spec)
        assert len(encoded) < 2000
        assert msgspec.json.decode(encoded, type=type(config.spec)) == config.spec


def test_a_service_without_promises_has_no_slo_rules() -> None:
    slo = {"availability": None, "latency_p99": None}
    assert not list(generate(service_from(words(slo=slo))))


@pytest.mark.parametrize(
    ("observability", "field"),
    [
        ({"metrics": {"requests": "http requests"}}, "requests"),
        ({"metrics": {"requests": 'x{a="b"} or vector(1)'}}, "requests"),
        ({"metrics": {"duration": "0x"}}, "duration"),
        ({"metrics": {"saturation": "a-b"}}, "saturation"),
        ({"metrics": {"selector": {"a-b": "x"}}}, "selector"),
        ({"metrics": {"selector": {"service": "{who}"}}}, "selector"),
        ({"metrics": {"errors": 'code=~"5.." or vector(1)'}}, "errors"),
        ({"slo": {"availability": 100}}, "availability"),
        ({"slo": {"availability": "NaN"}}, "availability"),
        ({"metrics": {"selector": {"__name__": "x"}}}, "observability.metrics.selector"),
        ({"packs": {"selector": {"__name__": "x"}}}, "observability.packs.selector"),
        ({"metrics": {"rate": "2h"}}, "observability.metrics.rate"),
        ({"metrics": {"rate": "10m"}}, "observability.burn"),
        (
            {"burn": [{"long": "1h", "short": "5m", "factor": f, "severity": "page"} for f in (2, 3)]},
            "observability.burn",
        ),
        (
            {"alerts": [{"name": "TrafficDrop", "when": "p95 > 1s", "for": "1m", "severity": "page", "summary": "x"}]},
            "alerts",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(observability: dict[str, Any], field: str) -> None:
    db = {"ref": "resource:default/db", "name": "db", "kind": "resource", "technology": "postgresql"}
    with pytest.raises((InputError, PermanentError), match=field):
        alerts_of(service_from(words(**observability) | {"depends_on": [db]}))


@pytest.mark.parametrize(
    "text",
    [
        'code=~"5.."',
        'code!~"2..|3.."',
        'outcome="error"',
        'ok!="true"',
        'code=~"(5[0-9]{2}|429)"',
        r'c=~"E\\d+-\\w+"',
        'path=~"/v[12]/.*"',
        'grpc_code=~"Aborted|Unavailable|Internal"',
        'status=~"(?i)failed"',
        'code=~"[45].."',
    ],
)
def test_examples_of_a_matcher(text: str) -> None:
    matcher = Matcher.parse(text)
    taken, refused = examples(matcher)
    assert takes(matcher, taken)
    assert not takes(matcher, refused)


def alerted(**slo: Any) -> set[str]:
    [spec] = generate(service_from(words(slo={"latency_p99": None} | slo)))
    rules = [rule for group in yaml.safe_load(render(spec))["groups"] for rule in group["rules"]]
    recorded = {rule["labels"]["slo"] for rule in rules if rule.get("record") == "slo:burn_rate:ratio"}
    assert recorded == set(slo)
    return {rule["labels"]["slo"] for rule in rules if "alert" in rule}


@pytest.mark.parametrize(
    ("slo", "names"),
    [
        ({"availability": 99.95, "error_rate": "0.1%"}, {"availability"}),
        ({"availability": 99.9, "error_rate": "0.1%"}, {"availability"}),
        ({"availability": 99.5, "error_rate": "0.1%"}, {"error_rate"}),
        ({"availability": 99, "latency_p95": "1s", "latency_p99": "1s"}, {"availability", "latency_p99"}),
        (
            {"availability": 99, "latency_p95": "1s", "latency_p99": "2s"},
            {"availability", "latency_p95", "latency_p99"},
        ),
    ],
)
def test_of_two_objectives_on_the_same_requests_the_stricter_one_alerts(slo: dict[str, Any], names: set[str]) -> None:
    assert alerted(**slo) == names


@pytest.mark.parametrize("kind", ["library", "documentation"])
def test_what_does_not_run_has_no_rules(kind: str, tmp_path: Path) -> None:
    needed = [{"ref": "resource:default/db", "name": "db", "kind": "resource", "technology": "postgresql"}]
    own = [{"name": "Slow", "when": "p95 > 1s", "for": "1m", "severity": "page", "summary": "Slow"}]
    given = words(alerts=own) | {"type": kind, "depends_on": needed}
    assert not list(write(tmp_path, given).iterdir())


def test_links_are_whole_or_left_out(tmp_path: Path) -> None:
    def annotations(folder: Path) -> dict[str, str]:
        rules = yaml.safe_load((folder / "slo.rules.yaml").read_text())["groups"][0]["rules"]
        return next(rule["annotations"] for rule in rules if "alert" in rule)

    linked = annotations(write(tmp_path, words(), "slo_rules"))
    assert linked["runbook_url"] == (
        "https://backstage.example.com/docs/default/component/payments/runbook/#errorbudgetburn"
    )
    assert linked["dashboard"].startswith("https://grafana.example.com/d/nthlayer-")
    [config] = Plugin(PrometheusSettings(kinds=("slo_rules",)), None).generate_configs(service_from(words()))
    (tmp_path / "slo.rules.yaml").write_text(render(config.spec))
    assert set(annotations(tmp_path)) == {"summary", "description"}
    made = words() | {"annotations": {"grafana/overview-dashboard": "https://grafana.example.com/d/own"}}
    assert annotations(write(tmp_path, made, "slo_rules"))["dashboard"] == "https://grafana.example.com/d/own"
