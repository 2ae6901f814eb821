"""The files with which nthlayer-sync itself is watched: made by its own kinds, current, and true."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from nthlayer_sync.daemon.telemetry.scrape import Scrape
from tests.daemon.telemetry.organisation import small

HERE = Path(__file__).parents[3] / "deploy" / "monitoring"


def test_what_is_generated_is_current(tmp_path: Path):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for name in ("catalog-info.yaml", "nthlayer.yaml", "nthlayer-sync.yaml"):
        shutil.copy(HERE / name, inputs)
    subprocess.run(["git", "init", "-q"], cwd=inputs, check=True)
    command = [
        sys.executable,
        "-c",
        "from nthlayer_sync.cli import main; main()",
        "generate",
        "--out",
        str(tmp_path / "out"),
    ]
    subprocess.run(command, cwd=inputs, check=True, capture_output=True, timeout=60)
    assert _files(tmp_path / "out") == _files(HERE / "generated"), (
        "see deploy/monitoring/README.md for how to renew them"
    )


def _files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_prometheus_takes_every_rule_and_every_alert_fires_when_it_should(promtool: str):
    rules = sorted(map(str, HERE.rglob("*.rules.yaml")))
    tests = sorted(map(str, HERE.rglob("*.tests.yaml")))
    assert len(rules) == 3
    subprocess.run([promtool, "check", "rules", *rules], check=True, capture_output=True, timeout=60)
    done = subprocess.run([promtool, "test", "rules", *tests], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_of_the_daemon_is_shown_to_fire_and_to_be_silent():
    rules = yaml.safe_load((HERE / "daemon.rules.yaml").read_text())["groups"][0]["rules"]
    tests = yaml.safe_load((HERE / "daemon.tests.yaml").read_text())["tests"]
    shown = {(case["alertname"], bool(case["exp_alerts"])) for test in tests for case in test["alert_rule_test"]}
    assert shown == {(rule["alert"], fires) for rule in rules for fires in (True, False)}


async def test_the_daemon_shows_every_series_that_its_rules_read(tmp_path: Path):
    async with small(tmp_path) as daemon:
        daemon.health.leading = True
        text = (await Scrape(daemon.metrics, daemon.health, daemon.store, daemon.engine.graph).text()).decode()
    shown = set[str]()
    for family in text_string_to_metric_families(text):
        counted = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        shown |= {family.name + suffix for suffix in counted}
    rules = "\n".join(_expressions())
    assert set(re.findall(r"\b(?:nthlayer|process)_[a-z_]+", rules)) <= shown
    # An objective on latency needs a bucket exactly at its threshold.
    for bound in re.findall(r'nthlayer_http_request_duration_seconds_bucket\{[^}]*le="([0-9.]+)"', rules):
        assert f'nthlayer_http_request_duration_seconds_bucket{{le="{bound}"' in text


def _expressions() -> Iterator[str]:
    for file in HERE.rglob("*.rules.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


@pytest.fixture
def promtool(tool: Callable[[str], str]) -> str:
    return tool("promtool")
