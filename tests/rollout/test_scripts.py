"""The scripts that every pipeline runs, run by a real shell."""

import os
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from nthlayer_sync.model.service import Hours
from nthlayer_sync.rollout.commands import script
from nthlayer_sync.rollout.policy import window_variables

WINDOW = Hours("office", ("fri", "mon", "tue"), 9 * 60, 16 * 60 + 30, "UTC")


def run(
    name: Literal["window", "deliver", "roll_back"], folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **variables}
    return subprocess.run(
        ["/bin/sh", "-c", script(name)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def at(folder: Path, time: str) -> Path:
    """A machine on which it is `time`, as `date '+%u %H %M'` prints it."""
    (folder / "date").write_text(f'#!/bin/sh\n[ "$TZ" = UTC ] && [ "$1" = "+%u %H %M" ] && echo "{time}"\n')
    (folder / "date").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("time", "inside"),
    [
        ("1 09 00", True),
        ("1 08 59", False),
        ("5 16 29", True),
        ("5 16 30", False),
        ("3 12 00", False),
        ("7 12 00", False),
        ("2 09 08", True),
    ],
)
def test_window(tmp_path: Path, time: str, inside: bool) -> None:
    done = run("window", at(tmp_path, time), **window_variables(WINDOW))
    assert (done.returncode == 0) is inside
    assert ("inside the deployment window office" in done.stdout) is inside
    in_emergency = run("window", tmp_path, **window_variables(WINDOW), EMERGENCY="true")
    assert in_emergency.returncode == 0
    assert ("this is an emergency" in in_emergency.stdout) is not inside


def test_an_unknown_time_zone_is_not_taken_for_utc(tmp_path: Path) -> None:
    told = window_variables(WINDOW) | {"WINDOW_ZONE": "Nowhere/City"}
    done = run("window", at(tmp_path, "1 12 00"), **told)
    assert done.returncode == 1
    assert "does not know the time zone Nowhere/City" in done.stderr


def delivered(folder: Path, verify: str) -> tuple[int, list[str], list[str]]:
    """Exit code, what was called, and what was called after rolling back."""
    told = {
        "STEPS": "10 50 100",
        "BAKE_SECONDS": "0",
        "DEPLOY_COMMAND": 'echo "deploy $PERCENT" >> log',
        "VERIFY_COMMAND": f'echo "verify $PERCENT" >> log\n{verify}',
        "ROLL_BACK_COMMAND": "echo back >> log",
        "GITHUB_RUN_ID": "7",
    }
    done = run("deliver", folder, **told)
    before = (folder / "log").read_text().splitlines()
    assert run("roll_back", folder, **told).returncode == 0
    return done.returncode, before, (folder / "log").read_text().splitlines()[len(before) :]


def test_delivery_goes_step_by_step(tmp_path: Path) -> None:
    code, calls, _ = delivered(tmp_path, "true")
    assert code == 0
    assert calls == ["deploy 10", "verify 10", "deploy 50", "verify 50", "deploy 100", "verify 100"]


def test_delivery_stops_at_a_failing_step_and_is_taken_back(tmp_path: Path) -> None:
    code, calls, after = delivered(tmp_path, '[ "$PERCENT" = 10 ]\ntrue')
    assert code == 1
    assert calls == ["deploy 10", "verify 10", "deploy 50", "verify 50"]
    assert after == ["back"]


def test_nothing_is_taken_back_that_another_run_deployed(tmp_path: Path) -> None:
    told = {"ROLL_BACK_COMMAND": "echo back >> log", "CI_JOB_ID": "8"}
    assert run("roll_back", tmp_path, **told).returncode == 0
    delivered(tmp_path, "true")
    (tmp_path / "log").unlink()
    assert run("roll_back", tmp_path, **told).returncode == 0
    assert not (tmp_path / "log").exists()
