"""Reads one Cortex entity descriptor: an OpenAPI document whose `info` holds fields that begin with `x-cortex-`.

https://docs.cortex.io/ingesting-data-into-cortex/entities-overview/entities/entity-yaml
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.sources import formats
from nthlayer_sync.sources.shape import Path, Problem, dotted, list_of, mapping_of, short

KINDS = {"service": "Component", "domain": "Domain", "team": "Group"}
"""Backstage's kinds for Cortex's own types; of any other type it becomes a resource."""

_LISTS = (
    *("x-cortex-owners", "x-cortex-dependency", "x-cortex-groups", "x-cortex-service-groups", "x-cortex-link"),
    *("x-cortex-slos", "x-cortex-domain-parents", "x-cortex-parents", "x-cortex-children", "x-cortex-relationships"),
)
_MAPPINGS = ("x-cortex-team", "x-cortex-git", "x-cortex-oncall", "x-cortex-slack")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


class Descriptor(NamedTuple):
    """One Cortex entity. `info` is what was written, without what could not be used."""

    ref: EntityRef
    kind: str
    tag: str
    type: str
    info: dict[str, Any]
    place: Place | None = None
    document: int = 0


class Described(NamedTuple):
    """What came of one document."""

    descriptor: Descriptor | None
    problems: tuple[Problem, ...]


def read_descriptor(value: object, place: Place | None = None, document: int = 0) -> Described:
    """Read one document of a descriptor file, or one descriptor as the API gives it."""
    fields = mapping_of(value)
    info = mapping_of(fields.get("info")) if fields is not None else None
    if fields is None or info is None:
        keys = ", ".join(map(str, list(fields)[:5])) if fields else short(value)
        message = f"no Cortex descriptor: there is no info in it, but {short(keys)}"
        return Described(None, (Problem("document-foreign", message, severity=Severity.NOTE),))
    tag, kind = info.get("x-cortex-tag"), info.get("x-cortex-type", "service")
    if not isinstance(tag, str) or not formats.is_name(name_of(tag)):
        found = "nothing" if tag is None else short(tag)
        problem = Problem("cortex-tag", "the entity has no usable tag", _at("x-cortex-tag"), found, (formats.NAME,))
        return Described(None, (problem,))
    if not isinstance(kind, str) or not formats.is_name(kind):
        problem = Problem("cortex-type", "the entity has no usable type", _at("x-cortex-type"), short(kind))
        return Described(None, (problem,))
    too_large = tuple(_too_large(info))
    if too_large:
        return Described(None, too_large)
    problems: list[Problem] = []
    usable = {str(key): value for key, value in info.items()}
    for key, wanted in (*((key, list) for key in _LISTS), *((key, dict) for key in _MAPPINGS)):
        if usable.get(key) is not None and not isinstance(usable[key], wanted):
            problems.append(_wrong(_at(key), usable.pop(key), "a list" if wanted is list else "a mapping"))
    backstage = KINDS.get(kind.lower(), "Resource")
    ref = entity_ref(backstage, name_of(tag))
    return Described(Descriptor(ref, backstage, tag, kind, usable, place, document), tuple(problems))


def name_of(tag: str) -> str:
    """The tag as Backstage could write it: `@acme/pay` is `acme-pay`. What fits is left as it is."""
    return _UNFIT.sub("-", tag[:200]).strip("-_.")


def tags(info: dict[str, Any], key: str) -> Iterator[tuple[int, str]]:
    """The tags that a list of `{tag: …}` names, with their positions; those without a tag come as ""."""
    for index, item in enumerate(list_of(info.get(key)) or ()):
        tag = (mapping_of(item) or {}).get("tag", item)
        yield index, tag if isinstance(tag, str) else ""


def ignored(path: Path, value: object, allowed: str) -> Problem:
    """A part of a descriptor that cannot be used."""
    return _wrong(("info", *path), value, allowed)


def _too_large(info: dict[Any, Any]) -> Iterator[Problem]:
    for key, value in info.items():
        if isinstance(value, str) and len(value) > formats.LONGEST_TEXT:
            message = f"{short(key)} is longer than {formats.LONGEST_TEXT:,} characters"
            yield Problem("entity-too-large", message, _at(str(key)), f"{len(value):,} characters")
        elif len(list_of(value) or ()) > formats.MOST_REFERENCES:
            message = f"{short(key)} holds more than {formats.MOST_REFERENCES:,} entries"
            yield Problem("entity-too-large", message, _at(str(key)), f"{len(value):,} entries")


def _wrong(path: Path, value: object, allowed: str) -> Problem:
    message = f"{dotted(path)} is not {allowed}; it is left out"
    return Problem("cortex-field", message, path, short(value), (allowed,), Severity.WARNING)


def _at(key: str) -> Path:
    return ("info", key)
