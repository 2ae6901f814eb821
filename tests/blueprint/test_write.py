"""Values are written into a blueprint file, and everything else in it stays."""

import pytest

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.blueprint.write import write_blueprint
from nthlayer_sync.errors import InputError

TIERS = load_tiers(None)
FILE = """\
# Ours
service:
  name: pay
  observability:
    slo: {availability: 99.95, latency_p99: 200ms}  # promised
    alerts:
      - name: Slow
        when: p95 > 500ms  # measured
        for: 10m
        severity: ticket
        summary: slow
      - {name: Late, when: p99 > 2s, for: 5m, severity: page, summary: late}
  deployment:
    canary_percent: [10, 50, 100]
  cost:
    autoscaling:
      min: 3 # two zones
"""
SLOW = {"name": "Slow", "when": "p95 > 500ms", "for": "10m", "severity": "ticket", "summary": "slow"}
LATE = {"name": "Late", "when": "p99 > 2s", "for": "5m", "severity": "page", "summary": "late"}


def write(data: str | None, values: dict) -> str:
    before = None if data is None else data.encode()
    return write_blueprint(before, values, file="nthlayer.yaml", name="pay", tiers=TIERS).decode()


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"cost": {"autoscaling": {"min": 5}}}, "min: 3 #", "min: 5 #"),
        ({"cost": {"autoscaling": {"max": 9}}}, "# two zones\n", "# two zones\n      max: 9\n"),
        ({"cost": {"autoscaling": {"memory": None}}}, "", ""),
        ({"observability": {"slo": {"availability": 99.9}}}, "99.95", "99.9"),
        ({"deployment": {"canary_percent": [10, 100]}}, "10, 50, 100", "10, 100"),
        ({"deployment": {"canary_percent": [20, 50, 75, 100]}}, "10, 50, 100", "20, 50, 75, 100"),
        ({"observability": {"alerts": [{**SLOW, "for": "15m"}, LATE]}}, "for: 10m\n", "for: 15m\n"),
        ({"observability": {"alerts": [LATE]}}, FILE[FILE.index("      - name") : FILE.index("      - {")], ""),
        ({"documentation": {"runbook": False}}, "# two zones\n", "# two zones\n  documentation:\n    runbook: false\n"),
    ],
)
def test_only_what_differs_is_changed(values, old, new):
    assert write(FILE, values) == FILE.replace(old, new, 1)


def test_a_new_file_says_it_alone():
    assert write(None, {"cost": {"autoscaling": {"min": 5, "memory": None}}}).partition("\n")[2] == (
        "service:\n  cost:\n    autoscaling:\n      min: 5\n      memory: null\n"
    )


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (FILE, {"cost": {"autoscaling": {"min": "many"}}}),
        (FILE.replace("name: pay", "name: shop"), {"cost": {"autoscaling": {"min": 5}}}),
        (FILE + "---\na: b\n", {"cost": {"autoscaling": {"min": 5}}}),
        ("service: {{ cookiecutter }}\n", {"cost": {"autoscaling": {"min": 5}}}),
        ("service: text\n", {"cost": {"autoscaling": {"min": 5}}}),
        ("- a\n", {"cost": {"autoscaling": {"min": 5}}}),
        ("", {"cost": {"autoscaling": {"min": 5}}}),
        (None, {"cost": {"autoscaling": {"min": "many"}}}),
    ],
)
def test_what_would_be_no_blueprint_is_refused(data, values):
    with pytest.raises(InputError):
        write(data, values)
