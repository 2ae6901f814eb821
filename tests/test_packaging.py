"""The package: what is in it, what it needs, and that the pinned requirements say the same."""

import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path, PurePath
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nthlayer_sync

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SAMPLES = (
    "py.typed",
    "blueprint/tiers.yaml",
    "demo/organisation/shop/.github/CODEOWNERS",
    "demo/organisation/shop/services/cart/catalog-info.yaml",
    "plugins/kubernetes/README.md",
    "plugins/opa/rules/taxonomy.rego",
    "plugins/techdocs/templates/runbook.md.j2",
    "rollout/scripts/deliver.sh",
    "state/sqlite/schema/0001_memory.sql",
)


def build(target: str, source: Path, into: Path) -> Path:
    """Build a wheel or an sdist, without a network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", into],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def contents(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_version_is_the_same_everywhere() -> None:
    assert version("nthlayer-sync") == nthlayer_sync.__version__
    assert re.search(
        rf"^## {re.escape(nthlayer_sync.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )


def test_the_command_is_the_command_line() -> None:
    (command,) = entry_points(group="console_scripts", name="nthlayer-sync")
    assert command.value == "nthlayer_sync.cli:main"


def test_the_installed_command_tells_its_version() -> None:
    command = Path(sys.executable).with_name("nthlayer-sync")
    told = subprocess.run([command, "--version"], check=True, capture_output=True, text=True, timeout=60)
    assert nthlayer_sync.__version__ in told.stdout


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    package = ROOT / "nthlayer_sync"
    files = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not {f"nthlayer_sync/{sample}" for sample in SAMPLES} - files.keys()
    about = f"nthlayer_sync-{nthlayer_sync.__version__}.dist-info"
    held = contents(wheel)
    assert {name: held[name] for name in held if not name.startswith(f"{about}/")} == files
    assert held[f"{about}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_needs_what_the_project_names(wheel: Path) -> None:
    (metadata,) = (text.decode() for name, text in contents(wheel).items() if name.endswith("dist-info/METADATA"))
    needs = re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE)
    project = PROJECT["project"]
    extras = [
        f'{need}; extra == "{extra}"' for extra, more in project["optional-dependencies"].items() for need in more
    ]
    assert {Requirement(need) for need in needs} == set(map(Requirement, (*project["dependencies"], *extras)))


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    assert contents(build("wheel", source, tmp_path / "wheel")) == contents(wheel)


def pins(name: str) -> dict[tuple[str, str], str]:
    """The pinned version by distribution and marker; each has a hash."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    found = dict[tuple[str, str], str]()
    for line in text.splitlines():
        if not line.strip().startswith("#"):
            requirement, hash_, _ = line.partition(" --hash=sha256:")
            assert hash_, line
            parsed = Requirement(requirement)
            found[canonicalize_name(parsed.name), str(parsed.marker or "")] = str(parsed.specifier)
    return found


def wanted(group: str) -> set[str]:
    """What a dependency group names, with the groups that it includes; `project` is what the package itself needs."""
    if group == "project":
        return set(PROJECT["project"]["dependencies"])
    found = set[str]()
    for entry in PROJECT["dependency-groups"][group]:
        found |= {entry} if isinstance(entry, str) else wanted(entry["include-group"])
    return found


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("requirements.txt", ["project"]),
        ("requirements-build.txt", ["build"]),
        ("requirements-test.txt", ["project", "test"]),
        ("requirements-dev.txt", ["project", "dev"]),
    ],
)
def test_the_requirements_are_pinned_and_current(name: str, groups: list[str]) -> None:
    pinned = pins(name)
    for text in sorted(set[str]().union(*map(wanted, groups))):
        requirement = Requirement(text)
        versions = [
            pin for (distribution, _), pin in pinned.items() if distribution == canonicalize_name(requirement.name)
        ]
        assert versions, f"{text} is not in {name}: make lock"
        for pin in versions:
            assert requirement.specifier.contains(pin.removeprefix("==")), f"{text} is old in {name}: make lock"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt", "requirements-test.txt"])
def test_the_requirements_agree(name: str) -> None:
    """A version that one file pins is that of the others: tests run on what is installed."""
    every = {(distribution, pin) for (distribution, _), pin in pins("requirements-dev.txt").items()}
    assert {(distribution, pin) for (distribution, _), pin in pins(name).items()} <= every


@pytest.mark.parametrize("path", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_the_requirements_name_no_place(path: str) -> None:
    """Where packages come from is decided by who installs them."""
    assert not re.search(r"://|^\s*-[^-]|^\s*--(?!hash)", (ROOT / PurePath(path)).read_text(), re.MULTILINE)
