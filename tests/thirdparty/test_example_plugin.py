"""The example plugin is a package like any other: installed, found by its entry point, used from the command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / "example-plugin"

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments
  annotations: {nthlayer.dev/tier: "1"}
spec: {type: service, lifecycle: production, owner: team}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team, title: "The Team"}
spec: {type: team, children: []}
"""
SETTINGS = """\
organisation: acme
sources: [{type: directory, path: catalog}]
landing: {central: central.git}
plugins: {example: {}}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the plugin is installed in."""
    below = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(EXAMPLE, below / "source", ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--target", str(below / "site"), str(source)],
        check=True, timeout=100,
    )  # fmt: skip
    return below / "site"


def run(installed: Path, folder: Path, *words: str, code: int = 0) -> str:
    script = "from nthlayer_sync.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def organisation(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/catalog-info.yaml").write_text(CATALOG)
    (tmp_path / "nthlayer-sync.yaml").write_text(SETTINGS)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", "central.git"], cwd=tmp_path, check=True)
    return tmp_path


def test_it_is_found_and_used(installed: Path, organisation: Path) -> None:
    kinds = json.loads(run(installed, organisation, "kinds", "--format", "json"))
    assert "example/contact" in json.dumps(kinds)
    assert "example/contact" in run(installed, organisation, "plan", code=2)
    run(installed, organisation, "apply", "--yes")
    shown = subprocess.run(
        ["git", "show", "nthlayer-sync:default/payments/contact.yaml"], cwd=organisation / "central.git", check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert shown == (
        "# Managed by nthlayer-sync: change the blueprint, not this file.\n"
        "service: component:default/payments\n"
        'tier: "1"\n'
        "contact:\n"
        "  owner: The Team\n"
    )
    run(installed, organisation, "plan")


def test_without_the_package_the_settings_are_refused_with_what_is_there(organisation: Path) -> None:
    script = "from nthlayer_sync.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "plan"], cwd=organisation, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "there is no plugin 'example'; these are installed: " in done.stderr


def test_its_own_tests_pass_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tests)],
        cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False,
        env=os.environ | {"PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_template_names_its_own_files() -> None:
    readme = (EXAMPLE / "README.md").read_text()
    for name in ("pyproject.toml", "__init__.py", "contact.py", "README.md", "tests/test_conformance.py"):
        assert name in readme
    assert not list(EXAMPLE.rglob("*.egg-info"))
