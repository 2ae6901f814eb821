"""promtool accepts every rule and runs every generated test: golden cases, a matrix of services, hostile values."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.conftest import HOSTILE
from tests.plugins.prometheus.conftest import write

HERE = Path(__file__).parent
TECHNOLOGIES = ("postgresql", "mysql", "mongodb", "redis", "memcached", "kafka", "rabbitmq", "elasticsearch")
OWN_METRICS = {
    "requests": "grpc_server_handled_total",
    "errors": 'grpc_code!~"OK|NotFound|Canceled"',
    "duration": "grpc_server_handling_seconds",
    "saturation": "worker_pool_in_use_ratio",
    "rate": "2m",
    "selector": {"service": None, "job": "{namespace}/{name}", "instance": "only"},
}
OWN_ALERTS = [
    {"name": "Slow", "when": "p95 > 300ms", "for": "10m", "severity": "ticket", "summary": "Slow {{ $value }}"},
    {"name": "Quiet", "when": "traffic < 5", "for": "10m", "severity": "ticket", "summary": "Quiet"},
    {"name": "Unavailable", "when": "availability <= 99%", "for": "0s", "severity": "page", "summary": "Down"},
    {"name": "Full", "when": "saturation >= 70%", "for": "2m", "severity": "page", "summary": "Full"},
    {"name": "AnyError", "when": "error_rate > 0%", "for": "1m", "severity": "ticket", "summary": "An error"},
]

FAST = [{"long": "1h", "short": "5m", "factor": 14.4, "severity": "page"}]


def service(tier: str, **observability: Any) -> dict[str, Any]:
    return {"name": "payments", "tier": tier, "blueprint": {"observability": observability}}


def depending(*technologies: str) -> list[dict[str, str]]:
    return [
        {"ref": f"resource:default/{name}-1", "name": f"{name}-1", "kind": "resource", "technology": name}
        for name in technologies
    ]


@pytest.mark.parametrize("when", sorted(HERE.glob("*/*/when.yaml")), ids=lambda path: "-".join(path.parts[-3:-1]))
def test_golden_cases(when: Path, tmp_path: Path, proved: Callable[..., None]) -> None:
    sort = when.parts[-3].partition("_")[0]
    proved([write(tmp_path, yaml.safe_load(when.read_text()), f"{sort}_rules", f"{sort}_tests")])


@pytest.mark.parametrize(
    "words",
    [
        service("2", slo={"error_rate": "0.5%", "latency_p95": None, "latency_p50": "1s"}),
        service("1", metrics=OWN_METRICS, alerts=OWN_ALERTS, burn=FAST),
        service("3", metrics=OWN_METRICS, slo={"latency_p99": "3s", "window": "7d"}),
        service("3") | {"depends_on": depending(*TECHNOLOGIES)},
    ],
    ids=["tier2-objectives", "tier1-own-metrics", "tier3-own-metrics", "tier3-packs"],
)
def test_a_matrix_of_services(words: dict[str, Any], tmp_path: Path, proved: Callable[..., None]) -> None:
    proved([write(tmp_path, words)])


def small(**observability: Any) -> dict[str, Any]:
    """A service with one objective and one golden signal, whose tests run fast."""
    golden = {"latency_factor": None, "saturation": None, "traffic_drop": None, "for": "1m"}
    slo = {"availability": 99, "latency_p99": None, "latency_p95": None, "missing": "2m"}
    return service("1", **{"golden": golden, "slo": slo, "burn": [], **observability})


@pytest.mark.parametrize("field", ["name", "owner", "dependency", "summary"])
def test_hostile_values_stay_values(field: str, tmp_path: Path, proved: Callable[..., None]) -> None:
    """The tests compare every label and text with the plain value, and find the series by it."""
    folders = list[Path]()
    for number, value in enumerate(value for value in HOSTILE if value.strip("\x00")):
        words = small()
        match field:
            case "name":
                words |= {"name": value, "ref": f"component:default/{value}", "namespace": value}
            case "owner":
                words |= {"owner": {"ref": f"group:default/{value}", "name": value}}
            case "dependency":
                words |= {"depends_on": [depending("kafka")[0] | {"ref": f"resource:{value}/{value}", "name": value}]}
            case _:
                alert = {"name": "Own", "when": "error_rate > 1%", "for": "1m", "severity": "page"}
                words = small(alerts=[alert | {"summary": value[:500]}])
        folders.append(write(tmp_path / str(number), words))
    proved(folders)


@pytest.mark.parametrize(
    "label",
    ['x"} or vector(1) #', "x\\", 'x\\"', "x\ny", "{{ $value }}", "{name}{namespace}", "a,b=c", "'", "`", "é\u202e"],
)
def test_hostile_selectors_select(label: str, tmp_path: Path, proved: Callable[..., None]) -> None:
    words = small() | {"name": label}
    folder = write(tmp_path, words)
    proved([folder])
    rules = yaml.safe_load((folder / "slo.rules.yaml").read_text())["groups"]
    assert len(rules) == 1
    assert {rule["labels"]["service"] for rule in rules[0]["rules"] if "record" in rule} == {label}


shares = st.decimals("0.01", "99.99", places=2)
spans = st.integers(1, 240)


@st.composite
def blueprints(draw: st.DrawFn) -> dict[str, Any]:
    longs = draw(st.lists(st.sampled_from([20, 30, 60, 90, 150, 300, 420]), min_size=1, max_size=2, unique=True))
    burn = [
        {
            "long": f"{long}m",
            "short": f"{draw(st.integers(5, long - 5))}m",
            "factor": str(draw(st.decimals("0.5", "30", places=1))),
            "severity": draw(st.sampled_from(["page", "ticket"])),
        }
        for long in longs
    ]
    slo = {"latency_p99": None, "latency_p95": None, "latency_p50": None, "window": "7d"}
    slo["availability"] = str(draw(shares))
    if draw(st.booleans()):
        slo["latency_p95"] = f"{draw(st.integers(1, 20000))}ms"
    slo["min_events"] = draw(st.integers(0, 100_000))
    slo["missing"] = f"{draw(spans)}m"
    golden = {
        "error_rate": str(draw(shares)),
        "latency_factor": str(draw(st.decimals("0.1", "10", places=1))),
        "saturation": str(draw(shares)),
        "traffic_drop": None,
        "for": f"{draw(st.integers(0, 30))}m",
    }
    return {"burn": burn, "slo": slo, "golden": golden}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(blueprints(), min_size=4, max_size=4))
def test_any_thresholds(
    batch: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory, proved: Callable[..., None]
) -> None:
    folder = tmp_path_factory.mktemp("thresholds")
    proved([write(folder / str(n), service("1", **observability)) for n, observability in enumerate(batch)])


MUTATIONS = {
    "a row that fires too late": ("14.4 * slo:error_budget", "15.5 * slo:error_budget"),
    "a row that fires too early": ("14.4 * slo:error_budget", "13.5 * slo:error_budget"),
    "no look at the short window": ("and slo:error_ratio:rate5m", "or slo:error_ratio:rate5m"),
    "no guard for low traffic": ("* 3600 >= 100", "* 3600 >= 0"),
    "0/0 in idle services": (", 1e-9)", ", 0)"),
    "failures that never happened are unknown": (" or 0 * sum(", " or -1 * sum("),
    "the wrong bucket": ('le="0.2"', 'le="0.25"'),
    "another service's series": ('http_requests_total{service="payments"', 'http_requests_total{service="orders"'),
    "no ticket for missing metrics": ("absent(slo:errors:rate5m", "absent(slo:objective:ratio"),
    "a ticket that comes too late": ("for: 15m", "for: 25m"),
    "a restart that counts": ("sum(rate(", "sum(deriv("),
    "another severity": ("severity: page", "severity: ticket"),
    "another team": ("team: payments-team", "team: other-team"),
    "another text": ("burns more than", "is quite well"),
    "another budget": ("vector(0.0005)", "vector(0.0006)"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_broken_rules_are_found(
    name: str, tmp_path: Path, promtool: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """The generated tests fail when the rules are broken in any of these ways."""
    before, after = MUTATIONS[name]
    folder = write(tmp_path, service("1", burn=FAST), "slo_rules", "slo_tests")
    rules, tests = folder / "slo.rules.yaml", folder / "slo.minutes.tests.yaml"
    text = rules.read_text()
    assert before in text
    rules.write_text(text.replace(before, after))
    done = promtool("test", [tests])
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr


ALERT_MUTATIONS = {
    "a limit that is too high": ("> 0.8", "> 0.9"),
    "a limit that is too low": ("> 30", "> 20"),
    "it fires too soon": ("for: 10m", "for: 2m"),
    "it fires too late": ("for: 10m", "for: 20m"),
    "every instance instead of its own": ('pg_up{service="postgresql-1"}', "pg_up"),
    "up taken for down": ("== 0", "== 1"),
    "lost metrics are not told": ("unless", "and"),
    "no guard for low traffic": ("* 3600 >= 100", "* 3600 < 100"),
    "another dependency": ("dependency: resource:default/postgresql-1", "dependency: other"),
}


@pytest.mark.parametrize("name", ALERT_MUTATIONS)
def test_broken_alerts_are_found(
    name: str, tmp_path: Path, promtool: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    before, after = ALERT_MUTATIONS[name]
    words = service("3") | {"depends_on": depending("postgresql")}
    folder = write(tmp_path, words, "alert_rules", "alert_tests")
    rules = folder / "alerts.rules.yaml"
    text = rules.read_text()
    assert before in text
    rules.write_text(text.replace(before, after))
    assert promtool("test", [folder / "alerts.minutes.tests.yaml"]).returncode != 0


def test_no_example_is_needed_for_what_cannot_fire(tmp_path: Path, proved: Callable[..., None]) -> None:
    alerts = [{"name": "Never", "when": "error_rate > 100%", "for": "1m", "severity": "page", "summary": "Never"}]
    folder = write(tmp_path, small(alerts=alerts))
    proved([folder])
    text = (folder / "alerts.rules.yaml").read_text()
    assert "# Left out: Never: error_rate > 1 never holds." in text
    assert "alert: Never" not in text
