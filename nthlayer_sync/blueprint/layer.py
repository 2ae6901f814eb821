"""Values from one place, and how they are laid over each other.

Layers are combined as JSON Merge Patch (RFC 7386) says: maps merge, lists and plain values replace, null takes away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from nthlayer_sync.model.diagnosis import Diagnosis

Values = dict[str, Any]
"""What somebody wrote of a blueprint: maps, lists and plain values, not yet checked."""


class Layer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one place says about a blueprint.

    `origin` names the place for people: `tier 1`, `organisation`, `team group:default/payments`, `file nthlayer.yaml`,
    `annotation nthlayer.dev/tier`. `diagnoses` is what reading it found.
    """

    origin: str
    values: Values
    diagnoses: tuple[Diagnosis, ...] = ()


def as_map(value: object) -> Values | None:
    """The value when it is a map."""
    return cast("Values", value) if isinstance(value, dict) else None


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> Values:
    """`below` with `above` laid over it; neither is changed."""
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = overlay(as_map(result.get(key)) or {}, cast("Values", value))
        else:
            result[key] = value
    return result


def combine(layers: Iterable[Mapping[str, Any]]) -> Values:
    """All layers laid over each other, the weakest first."""
    result: Values = {}
    for values in layers:
        result = overlay(result, values)
    return result


def origins(layers: Iterable[Layer]) -> dict[str, str]:
    """Where each leaf of the combined layers comes from, by dotted path; a list is a leaf, a null too."""
    tree: Values = {}
    for layer in layers:
        _trace(tree, layer.values, layer.origin)
    return dict(_flat(tree, ""))


def _trace(tree: Values, values: Mapping[str, Any], origin: str) -> None:
    for key, value in values.items():
        below = as_map(tree.get(key))
        if inside := as_map(value):
            tree[key] = {} if below is None else below
            _trace(tree[key], inside, origin)
        elif value != {} or below is None:
            tree[key] = origin


def _flat(tree: Values, above: str) -> Iterable[tuple[str, str]]:
    for key, value in sorted(tree.items()):
        path = f"{above}.{key}" if above else key
        inside = as_map(value)
        if inside is None:
            yield path, value
        else:
            yield from _flat(inside, path)
