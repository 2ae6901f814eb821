"""Reads dependency manifests just far enough to tell the language of a service and the packages it names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from xml.parsers import expat

import msgspec

from nthlayer_sync.sources.shape import list_of, mapping_of

LARGEST = 2 << 20
"""Bytes of one manifest; those that people write have a hundredth of it."""

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_GO = re.compile(r"^[ \t]*(?:require[ \t]+)?([a-z0-9.-]+/\S+)[ \t]+v\d", re.MULTILINE | re.IGNORECASE)
_GRADLE = re.compile(r"""["'][\w.-]+:([\w.-]+):[^"'\s]*["']|["'][\w.-]+:([\w.-]+)["']""")
_GEM = re.compile(r"""^[ \t]*gem[ \t(]+["']([\w.-]+)["']""", re.MULTILINE)


class Manifest(NamedTuple):
    """What a manifest tells."""

    language: str
    packages: tuple[str, ...]


class ManifestError(Exception):
    """A manifest is not what its name promises."""


def read_manifest(name: str, data: bytes) -> Manifest:
    """Read the manifest called `name`. Raises ManifestError when it is broken or too large."""
    if len(data) > LARGEST:
        raise ManifestError(f"it has {len(data):,} bytes; at most {LARGEST:,} are read")
    reader = _reader(name)
    assert reader, name
    language, read = reader
    try:
        return Manifest(language, tuple(sorted({package.lower() for package in read(data.decode("utf-8-sig"))})))
    except (ValueError, RecursionError, expat.ExpatError, msgspec.DecodeError) as error:
        raise ManifestError(str(error)) from None


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a dependency manifest."""
    return _reader(name) is not None


def _package_json(text: str) -> Iterator[str]:
    document = _mapping(msgspec.json.decode(text))
    for table in ("dependencies", "optionalDependencies"):
        yield from (mapping_of(document.get(table)) or {})


def _composer(text: str) -> Iterator[str]:
    yield from (mapping_of(_mapping(msgspec.json.decode(text)).get("require")) or {})


def _pyproject(text: str) -> Iterator[str]:
    document = tomllib.loads(text)
    project = mapping_of(document.get("project")) or {}
    optional = mapping_of(project.get("optional-dependencies")) or {}
    for group in (project.get("dependencies"), *optional.values()):
        for requirement in list_of(group) or ():
            yield from _requirements(str(requirement))
    poetry = mapping_of((mapping_of(document.get("tool")) or {}).get("poetry")) or {}
    yield from (mapping_of(poetry.get("dependencies")) or {})


def _requirements(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.lstrip().startswith(("#", "-")) and (found := _REQUIREMENT.match(line)):
            yield re.sub(r"[-_.]+", "-", found[1])


def _go_mod(text: str) -> Iterator[str]:
    if not re.search(r"^module[ \t]+\S", text, re.MULTILINE):
        raise ValueError("it names no module")
    yield from (found[1] for found in _GO.finditer(text))


def _cargo(text: str) -> Iterator[str]:
    document = tomllib.loads(text)
    for table in (document, mapping_of(document.get("workspace")) or {}):
        for package, wanted in (mapping_of(table.get("dependencies")) or {}).items():
            yield str(package)
            # One crate drives several databases: its features tell which.
            for feature in list_of((mapping_of(wanted) or {}).get("features")) or ():
                yield f"{package}-{feature}"


def _gradle(text: str) -> Iterator[str]:
    yield from (found[1] or found[2] for found in _GRADLE.finditer(text))


def _gemfile(text: str) -> Iterator[str]:
    yield from (found[1] for found in _GEM.finditer(text))


def _pom(text: str) -> Iterator[str]:
    for path, _, content in _elements(text):
        if path == ("dependency", "artifactId"):
            yield content.strip()


def _csproj(text: str) -> Iterator[str]:
    for path, attributes, _ in _elements(text):
        if path[-1] == "PackageReference":
            yield attributes.get("Include", "")


def _elements(text: str) -> list[tuple[tuple[str, ...], dict[str, str], str]]:
    """Each element of an XML text: the end of its path, attributes, own text. It may declare no entities."""
    found: list[tuple[tuple[str, ...], dict[str, str], str]] = []
    path: list[str] = []
    open_elements: list[tuple[dict[str, str], list[str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name.rpartition(":")[2])
        open_elements.append((attributes, []))

    def end(_: str) -> None:
        attributes, parts = open_elements.pop()
        found.append((tuple(path[-2:]), attributes, "".join(parts)))
        path.pop()

    def characters(data: str) -> None:
        if open_elements:
            open_elements[-1][1].append(data)

    def refuse(*_: Any) -> None:
        raise ValueError("it declares entities of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refuse
    parser.Parse(text, True)
    return found


def _mapping(value: object) -> dict[Any, Any]:
    mapping = mapping_of(value)
    if mapping is None:
        raise ValueError("it is no JSON object")
    return mapping


_READERS: dict[str, tuple[str, Callable[[str], Iterator[str]]]] = {
    "package.json": ("javascript", _package_json),
    "pyproject.toml": ("python", _pyproject),
    "go.mod": ("go", _go_mod),
    "pom.xml": ("java", _pom),
    "build.gradle": ("java", _gradle),
    "build.gradle.kts": ("java", _gradle),
    "Cargo.toml": ("rust", _cargo),
    "Gemfile": ("ruby", _gemfile),
    "composer.json": ("php", _composer),
}


def _reader(name: str) -> tuple[str, Callable[[str], Iterator[str]]] | None:
    if name in _READERS:
        return _READERS[name]
    if name.startswith("requirements") and name.endswith(".txt"):
        return "python", _requirements
    if name.endswith(".csproj"):
        return "csharp", _csproj
    return None
