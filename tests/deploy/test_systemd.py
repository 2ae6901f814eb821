"""The systemd unit, held to systemd itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nthlayer_sync.settings.serve import ServeSettings

MOST_EXPOSED = 15
"""Tenths: systemd rates from 0 to 10 how much of the machine a unit can reach; one on a network has 1 at least."""


@pytest.fixture
def unit(deploy: Path) -> Path:
    return deploy / "systemd/nthlayer-sync.service"


@pytest.fixture
def lines(unit: Path) -> dict[str, list[str]]:
    """The values of each key."""
    found = dict[str, list[str]]()
    for line in unit.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_systemd_understands_every_line(unit: Path, tool: Callable[[str], str], tmp_path: Path) -> None:
    """The program is not installed here; another one stands for it."""
    text = unit.read_text()
    program = "/opt/nthlayer-sync/bin/nthlayer-sync"
    assert program in text
    (tmp_path / unit.name).write_text(text.replace(program, "/bin/true"))
    command = [tool("systemd-analyze"), "verify", "--man=no", tmp_path / unit.name]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    about_it = [line for line in (told.stdout + told.stderr).splitlines() if unit.name in line]
    assert (told.returncode, about_it) == (0, [])


def test_it_reaches_little_of_the_machine(unit: Path, tool: Callable[[str], str]) -> None:
    command = [tool("systemd-analyze"), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", unit]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout


def test_it_stops_the_daemon_alone_and_leaves_it_time(lines: dict[str, list[str]]) -> None:
    assert lines["KillSignal"] == ["SIGTERM"]
    assert lines["KillMode"] == ["mixed"]
    (stop,) = lines["TimeoutStopSec"]
    assert int(stop.removesuffix("s")) > ServeSettings().grace.seconds


def test_it_waits_for_no_word_that_the_daemon_does_not_say(lines: dict[str, list[str]]) -> None:
    assert lines["Type"] == ["exec"]
    assert "WatchdogSec" not in lines


def test_its_secrets_are_not_in_its_environment(lines: dict[str, list[str]]) -> None:
    assert lines["LoadCredential"] == ["secrets:/etc/nthlayer-sync/secrets"]
    names = {word.split("=")[0] for line in lines["Environment"] for word in line.split()}
    assert names == {"HOME", "PYTHONDONTWRITEBYTECODE"}
    assert "EnvironmentFile" not in lines
