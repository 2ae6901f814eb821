"""What YAML text means, in a form that can be compared, and what it should mean after an edit."""

from __future__ import annotations

from typing import TypeAlias, cast

from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.yaml.events import failure
from nthlayer_sync.yaml.layout import Path
from nthlayer_sync.yaml.syntax import shorten, templated
from nthlayer_sync.yaml.tree import Kind, Node

Meaning: TypeAlias = tuple[str, object]
"""A tag and anchor, and what they belong to: a dict or list of meanings, or the type and text of a scalar's value."""

_NULL: Meaning = ("", "NoneType: None")


def meaning(node: Node, text: str, file: str = "") -> Meaning:
    """What the text of `node` means. InputError where it is a template or a key stands twice in a mapping."""
    mark = f"{node.tag}&{node.anchor}" if node.tag or node.anchor else ""
    if node.kind is Kind.SEQUENCE:
        return mark, [meaning(entry.value, text, file) for entry in node.entries]
    if node.kind is not Kind.MAPPING:
        return mark, f"*{node.scalar}" if node.kind is Kind.ALIAS else of_scalar(node.value)
    entries: dict[str, Meaning] = {}
    for entry in node.entries:
        name = entry.name
        if name is None:
            assert entry.key is not None, "a mapping's entries have keys"
            if text.startswith("{{", node.start):
                raise failure(templated(file, node.line, node.column, "{{"))
            name = f"\0{meaning(entry.key, text, file)!r}"
        if name in entries:
            where = entry.key or node
            raise failure(
                Diagnosis(
                    code="duplicate-key",
                    message="the key stands here for the second time",
                    file=file,
                    line=where.line,
                    column=where.column,
                    found=shorten(name),
                    allowed=("each key once",),
                )
            )
        entries[name] = meaning(entry.value, text, file)
    return mark, entries


def of_scalar(value: object) -> str:
    """A scalar's value with its type, so that 1, 1.0, true and "1" differ."""
    return f"{type(value).__name__}: {value}"


def of_value(value: object) -> Meaning:
    """What `value` means when it has been written."""
    if isinstance(value, dict):
        return "", {key: of_value(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return "", [of_value(item) for item in cast("list[object]", value)]
    return "", of_scalar(value)


def with_value(old: Meaning, path: Path, value: object) -> Meaning:
    """`old` with `value` at `path`; what is missing on the way, or null, is made."""
    if not path:
        return of_value(value)
    mark, inner = old
    part, rest = path[0], path[1:]
    if inner == _NULL[1]:
        inner = cast("dict[str, Meaning]", {}) if isinstance(part, str) else cast("list[Meaning]", [])
    if isinstance(inner, dict):
        entries = cast("dict[str, Meaning]", inner)
        name = str(part)
        return mark, {**entries, name: with_value(entries.get(name, _NULL), rest, value)}
    items = list(cast("list[Meaning]", inner))
    position = int(part)
    if position < len(items):
        items[position] = with_value(items[position], rest, value)
    else:
        items.append(with_value(_NULL, rest, value))
    return mark, items


def without(old: Meaning, path: Path) -> Meaning:
    """`old` without what stands at `path`."""
    mark, inner = old
    part, rest = path[0], path[1:]
    if isinstance(inner, dict):
        entries = dict(cast("dict[str, Meaning]", inner))
        if rest:
            entries[str(part)] = without(entries[str(part)], rest)
        else:
            del entries[str(part)]
        return mark, entries
    items = list(cast("list[Meaning]", inner))
    if rest:
        items[int(part)] = without(items[int(part)], rest)
    else:
        del items[int(part)]
    return mark, items
