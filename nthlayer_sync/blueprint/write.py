"""Writes values into a blueprint file that people wrote, or into a new one; every other byte stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from nthlayer_sync.blueprint.document import read_blueprint
from nthlayer_sync.blueprint.layer import Values, as_map
from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.yaml.emit import dump
from nthlayer_sync.yaml.layout import Path
from nthlayer_sync.yaml.read import read_documents
from nthlayer_sync.yaml.splice import edit, value_at

_HEADER = "What this service asks for, where it differs from its tier."


def write_blueprint(data: bytes | None, values: Values, *, file: str, name: str, tiers: Tiers) -> bytes:
    """The blueprint file of the entity `name` with `values` laid over what it says; None where there is no file yet.

    Lists stand whole in `values`, and of one that is there only what differs is changed. InputError where the result
    would be no blueprint, would not say what it should, or cannot be edited safely.
    """
    if data is None:
        written = dump({"service": values}, header=_HEADER).encode()
    else:
        documents, _ = read_documents(data, file=file)
        document = documents[0].index if documents else 0
        written = edit(data, document, dict(_changes(data, document, ("service",), values)), file=file)
    layer = read_blueprint(written, file=file, name=name, tiers=tiers)
    if wrong := tuple(each for each in layer.diagnoses if each.severity is Severity.ERROR):
        raise InputError(f"{file} would be no blueprint any more: {wrong[0]}", wrong)
    if not _says(layer.values, values):
        raise InputError(f"{file} cannot be made to say this; please change it by hand")
    return written


def _changes(data: bytes, document: int, path: Path, values: Values) -> Iterator[tuple[Path, object]]:
    for key, value in values.items():
        below = (*path, key)
        yield from _difference(value_at(data, document, below), value, below)


def _difference(old: object, new: object, path: Path) -> Iterator[tuple[Path, object]]:
    """The edits that take what stands at `path` to what should stand there."""
    if isinstance(old, dict) and isinstance(new, dict):
        there = cast("Mapping[str, object]", old)
        for key, value in cast("Mapping[str, object]", new).items():
            yield from _difference(there.get(key), value, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(cast("list[object]", old), cast("list[object]", new), path)
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield path, new


def _items(old: Sequence[object], new: Sequence[object], path: Path) -> Iterator[tuple[Path, object]]:
    """The edits of a list: where it becomes shorter, what is alike at its end stays."""
    kept = 0
    while len(new) < len(old) and kept < len(new) and old[-1 - kept] == new[-1 - kept]:
        kept += 1
    same = len(new) - kept
    for at in range(same):
        if at < len(old):
            yield from _difference(old[at], new[at], (*path, at))
        else:
            yield (*path, at), new[at]
    for at in range(same, len(old) - kept):
        yield (*path, at), None


def _says(layer: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether everything of `values` stands in `layer`; what is null there may as well be absent."""
    for key, value in values.items():
        inner, found = as_map(value), layer.get(key)
        if inner is not None:
            if not _says(as_map(found) or {}, inner):
                return False
        elif found != value:
            return False
    return True
