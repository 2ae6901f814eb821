"""The Dockerfile: what a linter and we ask of it, and what it is given."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import dockerfile
import pytest
from docker.utils.build import exclude_paths
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Instructions = list[tuple[str, tuple[str, ...], tuple[str, ...]]]


@pytest.fixture
def instructions(deploy: Path) -> Instructions:
    """Instruction, flags and words of each, as the builder itself reads them."""
    return [(each.cmd.upper(), each.flags, each.value) for each in dockerfile.parse_file(str(deploy / "Dockerfile"))]


@pytest.fixture
def final(instructions: Instructions) -> Instructions:
    """The stage that becomes the image."""
    last = max(index for index, (name, _, _) in enumerate(instructions) if name == "FROM")
    return instructions[last:]


def test_a_linter_finds_nothing(deploy: Path, tool: Callable[[str], str]) -> None:
    command = [tool("hadolint"), "--no-color", "--failure-threshold", "style", deploy / "Dockerfile"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout


def test_the_base_is_one_and_can_be_pinned(instructions: Instructions) -> None:
    (base,) = (words[0] for name, _, words in instructions if name == "ARG" and words[0].startswith("BASE="))
    assert re.fullmatch(r"BASE=python:3\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    assert [words[0] for name, _, words in instructions if name == "FROM"] == ["${BASE}", "${BASE}"]


def test_nobody_is_root_and_nothing_is_secret(final: Instructions) -> None:
    names = [name for name, _, _ in final]
    assert [words for name, _, words in final if name == "USER"] == [("10001:10001",)]
    assert "RUN" not in names[names.index("USER") :]
    said = " ".join(" ".join(words) for name, _, words in final if name in ("ENV", "ARG", "LABEL"))
    assert not re.search(r"(?i)password|token|secret|api_?key", said)


def test_it_stops_when_told_to(final: Instructions) -> None:
    """In the exec form: a shell as the first process would keep the signal to itself."""
    by_name = {name: words for name, _, words in final}
    assert by_name["STOPSIGNAL"] == ("SIGTERM",)
    assert by_name["ENTRYPOINT"] == ("tini", "--", "nthlayer-sync")
    assert by_name["CMD"] == ("serve",)
    assert by_name["HEALTHCHECK"][:2] == ("CMD", "python")


def test_nothing_comes_from_elsewhere_unchecked(instructions: Instructions) -> None:
    assert not [words for name, _, words in instructions if name == "ADD"]
    for name, _, (script, *_) in instructions:
        if name != "RUN":
            continue
        assert not re.search(r"\b(curl|wget)\b|https?://", script)
        for command in re.split(r"&&|\|\|?|;", script):
            words = shlex.split(command)
            if "pip" in command and "install" in words:
                assert "--require-hashes" in words or {"--no-deps", "--no-index"} <= set(words), command
            if words[:2] == ["apt-get", "install"]:
                assert "--no-install-recommends" in words
                assert all("=" in word for word in words[2:] if not word.startswith("-")), command


def test_it_is_given_what_it_copies_and_little_else(deploy: Path, instructions: Instructions) -> None:
    root = deploy.parent
    patterns = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    given = {path for path in exclude_paths(str(root), patterns) if (root / path).is_file()} - {".dockerignore"}
    copied = set[str]()
    for name, flags, words in instructions:
        if name == "COPY" and not any(flag.startswith("--from") for flag in flags):
            for source in words[:-1]:
                found = {path for path in given if path == source or path.startswith(f"{source}/")}
                assert found, f"{source} is not given to the builder"
                copied |= found
    assert given == copied
    assert not [path for path in given if "__pycache__" in path or path.startswith((".", "tests/"))]


def pins(path: Path) -> dict[str, set[str]]:
    """Versions by distribution; each has a hash."""
    found = dict[str, set[str]]()
    for line in path.read_text().replace("\\\n", " ").splitlines():
        if not line.strip().startswith("#"):
            requirement, hash_, _ = line.partition(" --hash=sha256:")
            assert hash_, line
            parsed = Requirement(requirement)
            found.setdefault(canonicalize_name(parsed.name), set()).add(str(parsed.specifier).removeprefix("=="))
    return found


def test_the_image_holds_every_extra_at_the_version_that_is_tested(deploy: Path) -> None:
    root = deploy.parent
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    pinned, tested = pins(deploy / "requirements.txt"), pins(root / "requirements-dev.txt")
    needs = [*project["dependencies"], *(need for more in project["optional-dependencies"].values() for need in more)]
    for text in needs:
        need = Requirement(text)
        versions = pinned.get(canonicalize_name(need.name))
        assert versions, f"{text} is not in deploy/requirements.txt: make lock"
        assert all(need.specifier.contains(version) for version in versions), f"{text}: make lock"
    assert not {name: found for name, found in pinned.items() if not found <= tested.get(name, found)}
