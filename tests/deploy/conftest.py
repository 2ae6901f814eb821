"""What the tests of deploy/ share."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SETS = sorted(path.stem for path in Path(__file__).with_name("values").iterdir())


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder deploy/."""
    return ROOT / "deploy"


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
        pytest.skip(f"{name} is not on this machine")

    return find


@pytest.fixture(params=SETS)
def each_set(request: pytest.FixtureRequest) -> str:
    """The name of each set of values for the chart."""
    return request.param


@pytest.fixture(scope="session")
def helm(deploy: Path) -> Callable[..., dict[str, Any]]:
    """Asks Helm: for `values`, or to `package`; of the chart in deploy/, or of another."""

    def ask(**request: Any) -> dict[str, Any]:
        whole = {"chart": str(deploy / "helm/nthlayer-sync")} | request
        command = [sys.executable, Path(__file__).with_name("helm.py")]
        told = subprocess.run(command, input=json.dumps(whole), capture_output=True, text=True, timeout=60, check=True)
        return json.loads(told.stdout)

    return ask


@pytest.fixture(scope="session")
def values_of() -> Callable[..., dict[str, Any]]:
    """A set of values by its name, some of them replaced."""

    def values(name: str, **others: Any) -> dict[str, Any]:
        return yaml.safe_load(Path(__file__).with_name("values").joinpath(f"{name}.yaml").read_text()) | others

    return values


@pytest.fixture(scope="session")
def render(helm: Callable[..., Any], values_of: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """The objects that Helm makes of a set of values, by kind; the one for Backstage is `Sidecar`."""

    def rendered(name: str, **others: Any) -> dict[str, Any]:
        found = dict[str, Any]()
        for path, text in helm(values=values_of(name, **others))["made"].items():
            for item in yaml.safe_load_all("" if path.endswith(".txt") else text):
                if item:
                    kind = "Sidecar" if item["metadata"]["name"].endswith("-sidecar") else item["kind"]
                    assert kind not in found
                    found[kind] = item
        return found

    return rendered
