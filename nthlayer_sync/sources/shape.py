"""The outer form of a catalog entity: the types of its fields, and what to say when they are not met.

The rules are those of Backstage's schemas Entity and EntityMeta (@backstage/catalog-model) and of its policy that no
other fields may stand at the root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import msgspec

from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Link

Path = tuple[str | int, ...]
"""The way to a value inside a document."""

ROOT_FIELDS = ("apiVersion", "kind", "metadata", "spec", "relations", "status")


class Problem(NamedTuple):
    """One finding inside a document, before it is known where the document stands."""

    code: str
    message: str
    path: Path = ()
    found: str = ""
    allowed: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR

    def diagnosis(self, *, entity: str = "", file: str = "", at: tuple[int, int] = (0, 0), row: str = "") -> Diagnosis:
        """The finding with its place: line and column, and the row of a list of documents that it stands in."""
        return Diagnosis(
            code=self.code,
            message=self.message,
            severity=self.severity,
            file=file,
            line=at[0],
            column=at[1],
            entity=entity,
            field=f"{row}.{dotted(self.path)}".strip("."),
            found=self.found,
            allowed=self.allowed,
        )


class Metadata(msgspec.Struct, gc=False):
    """What stands under `metadata`."""

    name: str
    namespace: str = "default"
    title: str = ""
    description: str = ""
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    uid: str = ""
    etag: str = ""


class WireRelation(msgspec.Struct, gc=False):
    """A relation as the catalog API gives it; older releases named the target in parts instead."""

    type: str
    targetRef: str = ""


class Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A catalog entity as it is written, or as the catalog API gives it."""

    apiVersion: str
    kind: str
    metadata: Metadata
    spec: dict[str, Any] = {}
    relations: tuple[WireRelation, ...] | None = None
    status: Any = None


def short(value: object, limit: int = 80) -> str:
    """A value for a message: on one line and not endless."""
    text = value if isinstance(value, str) else repr(value) if _is_small(value) else f"a {type(value).__name__}"
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: limit + 1]).split())
    return f"{text[:limit]}…" if len(text) > limit else text


def _is_small(value: object) -> bool:
    return not isinstance(value, dict | list) or len(cast(list[object], value)) < 5


def mapping_of(value: object) -> dict[Any, Any] | None:
    """The value if it is a mapping."""
    return cast(dict[Any, Any], value) if isinstance(value, dict) else None


def list_of(value: object) -> list[Any] | None:
    """The value if it is a list."""
    return cast(list[Any], value) if isinstance(value, list) else None


def is_placeholder(value: object) -> bool:
    """Whether Backstage replaces this mapping by the text of another file: `$text`, `$json`, `$yaml`, `$openapi` …"""
    mapping = mapping_of(value)
    return mapping is not None and len(mapping) == 1 and str(next(iter(mapping))).startswith("$")


def misshapen(value: dict[Any, Any]) -> Iterator[Problem]:
    """What keeps a mapping from being an `Envelope`."""
    for key in value:
        if key not in ROOT_FIELDS:
            yield Problem("entity-field-foreign", f"{short(key)!r} may not stand at the root", (key,), "", ROOT_FIELDS)
    yield from _text(value, "apiVersion", (), required=True)
    yield from _text(value, "kind", (), required=True)
    yield from _typed(value, "spec", (), dict, "a mapping")
    yield from _each(value, "relations", (), _relation)
    metadata = mapping_of(value.get("metadata"))
    if metadata is None:
        written = value.get("metadata")
        yield _wrong(("metadata",), written, "a mapping with a name") if "metadata" in value else _missing("metadata")
        return
    yield from _text(metadata, "name", ("metadata",), required=True)
    for name in ("namespace", "title", "description", "uid", "etag"):
        yield from _text(metadata, name, ("metadata",))
    for name in ("annotations", "labels"):
        yield from _typed(metadata, name, ("metadata",), dict, "a mapping")
        for key, text in (mapping_of(metadata.get(name)) or {}).items():
            if not isinstance(key, str):
                yield _wrong(("metadata", name), key, "text in quotes as key")
            elif not isinstance(text, str):
                yield _wrong(("metadata", name, key), text, "text in quotes")
    yield from _each(metadata, "tags", ("metadata",), _tag)
    yield from _each(metadata, "links", ("metadata",), _link)


def _tag(value: object, path: Path) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(path, value, "text in quotes")


def _link(value: object, path: Path) -> Iterator[Problem]:
    link = mapping_of(value)
    if link is None:
        yield _wrong(path, value, "a mapping with a url")
        return
    yield from _text(link, "url", path, required=True)
    for name in ("title", "icon", "type"):
        yield from _text(link, name, path)


def _relation(value: object, path: Path) -> Iterator[Problem]:
    relation = mapping_of(value)
    if relation is None:
        yield _wrong(path, value, "a mapping with type and targetRef")
        return
    yield from _text(relation, "type", path, required=True)
    yield from _text(relation, "targetRef", path)


def _each(
    parent: dict[Any, Any], name: str, path: Path, check: Callable[[object, Path], Iterator[Problem]]
) -> Iterator[Problem]:
    yield from _typed(parent, name, path, list, "a list")
    for index, value in enumerate(list_of(parent.get(name)) or ()):
        yield from check(value, (*path, name, index))


def _text(parent: dict[Any, Any], name: str, path: Path, required: bool = False) -> Iterator[Problem]:
    if name not in parent:
        if required:
            yield _missing(".".join(map(str, (*path, name))), path)
    elif not isinstance(parent[name], str):
        yield _wrong((*path, name), parent[name], "text")


def _typed(parent: dict[Any, Any], name: str, path: Path, kind: type, allowed: str) -> Iterator[Problem]:
    if name in parent and not isinstance(parent[name], kind):
        yield _wrong((*path, name), parent[name], allowed)


def _missing(field: str, path: Path = ()) -> Problem:
    return Problem("entity-field-missing", f"{field} is missing", path)


def _wrong(path: Path, value: object, allowed: str) -> Problem:
    found = "nothing" if value is None else short(value)
    return Problem("entity-field-type", f"{dotted(path)} is not {allowed}", path, found, (allowed,))


def dotted(path: Path) -> str:
    """A path as people write it: `metadata.links[0].url`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
