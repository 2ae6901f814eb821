"""Fixtures of the plugins' tests: real programs, and values that try to break out of what they are written into."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HOSTILE = (
    'a"b',
    "a'b",
    "a\\b",
    "a\nb: c",
    "a\r\nb",
    "a: b # c",
    "- a",
    "{{ .Labels }}",
    "a}}{{b",
    "${{ github.token }}",
    "$(id)",
    "`id`",
    "${datasource}",
    "$__interval [[datasource]]",
    "a|b",
    "]]>",
    "<script>alert(1)</script>",
    "a\u202eb\u2066c",
    "\u0000\u001b[31m",
    "é漢😀",
    "%s %d",
    "../../etc/passwd",
    "*",
    "#channel",
    "!tag",
    "true",
    "0x10",
    "---",
    "x" * 5000,
)


@pytest.fixture(params=HOSTILE, ids=[ascii(value)[:24] for value in HOSTILE])
def hostile(request: pytest.FixtureRequest) -> str:
    """A value that tries to break out."""
    return request.param


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Finds a program by its name: one that a Python package brings along, or one of the machine."""

    def find(name: str) -> str:
        beside = Path(sys.executable).parent / name
        found = str(beside) if beside.exists() else shutil.which(name)
        if found:
            return found
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {name}")
        pytest.skip(f"{name} is not installed")

    return find


@pytest.fixture(scope="session")
def accepted(tool: Callable[[str], str]) -> Callable[..., str]:
    """Runs a program and gives what it printed; fails with that when the program does not end well."""

    def run(name: str, *arguments: str | Path, folder: Path | None = None) -> str:
        done = subprocess.run(
            [tool(name), *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
