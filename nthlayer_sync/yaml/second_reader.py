"""A second opinion on edited text, from a parser that shares nothing with the first and reads by YAML 1.2."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

from nthlayer_sync.yaml.layout import Path
from nthlayer_sync.yaml.meaning import Meaning, of_scalar, with_value, without
from nthlayer_sync.yaml.scalars import plain_value

# Where YAML 1.1 and 1.2, or two parsers, may differ: everything but lines of `key: value`, items and comments.
_UNUSUAL = re.compile(r"[\t\x85\u2028\u2029\ufeff{}\[\]&*!%?]|\r(?!\n)")
_LONGEST = 200_000  # it reads about 300 kB a second


def agrees(before: str, after: str, path: Path, value: object) -> bool:
    """Whether the other parser, too, reads `after` as `before` with `value` at `path` (None: without what was there).

    Asked only about text that leaves room for two opinions and is not so long that the answer takes seconds. It has
    none about text that it cannot read in the first place: it knows fewer legal places for tabs.
    """
    if len(after) > _LONGEST or not _UNUSUAL.search(after):
        return True
    try:
        old = _read(before)
    except YAMLError:
        return True
    try:
        new = _read(after)
    except YAMLError:
        return False
    return new == (without(old, path) if value is None else with_value(old, path, value))


def _read(text: str) -> Meaning:
    node: Any = YAML(pure=True).compose(StringIO(text))  # pyright: ignore[reportUnknownMemberType]
    return _meaning(node, set())


def _meaning(node: Any, seen: set[int]) -> Meaning:
    """What a node of the other parser means; it has no types."""
    if id(node) in seen:
        return "", f"*{node.anchor}"
    seen.add(id(node))
    mark = f"&{node.anchor}" if node.anchor else ""
    value: Any = node.value
    if isinstance(node, SequenceNode):
        items = cast("list[object]", value)
        return mark, [_meaning(item, seen) for item in items]
    if isinstance(node, MappingNode):
        entries: dict[str, Meaning] = {}
        for key, item in cast("list[tuple[Any, object]]", value):
            name = str(key.value) if key.id == "scalar" else f"\0{_meaning(key, seen)!r}"
            entries[name] = _meaning(item, seen)
        return mark, entries
    return mark, of_scalar(value if node.style else plain_value(value))
