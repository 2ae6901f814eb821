"""Which fields an object has, and who manages them: the part of server-side apply that other managers notice.

https://kubernetes.io/docs/reference/using-api/server-side-apply/. A field is the path to it. Maps are merged key by
key, save for those that the API declares atomic; lists are atomic in the objects that are held here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from nthlayer_sync.sandbox.collection import Item

Path = tuple[str, ...]

_ATOMIC = frozenset({"podSelector", "roleRef", "scopeSelector"})
"""Maps with `x-kubernetes-map-type: atomic`."""
_IDENTITY = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"}
)


def fields(item: Item) -> dict[Path, Any]:
    """Every field with its value, but for what says which object it is."""
    rest = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "status")}
    metadata = cast(Item, rest.get("metadata") or {})
    rest["metadata"] = {key: value for key, value in metadata.items() if key not in _IDENTITY}
    return dict(_leaves(rest, ()))


def _leaves(value: Item, above: Path) -> Iterator[tuple[Path, Any]]:
    for key, each in value.items():
        path = (*above, key)
        if isinstance(each, dict) and each and key not in _ATOMIC:
            yield from _leaves(cast(Item, each), path)
        elif each is not None and path != ("metadata",):
            yield path, each


@dataclass
class Manager:
    """One entry of `managedFields`."""

    name: str
    operation: str
    api: str
    time: str
    owned: set[Path] = field(default_factory=set[Path])

    def shown(self) -> Item:
        """As `metadata.managedFields` has it."""
        tree: Item = {}
        for path in sorted(self.owned):
            below = tree
            for name in path:
                below = below.setdefault(f"f:{name}", {})
        entry: Item = {"manager": self.name, "operation": self.operation, "apiVersion": self.api, "time": self.time}
        return entry | {"fieldsType": "FieldsV1", "fieldsV1": tree}


def conflicts(managers: list[Manager], own: Manager, before: Item, wanted: Item) -> list[tuple[str, Path]]:
    """Fields that another manager has and to which `wanted` gives another value: manager and field."""
    live = fields(before)
    return [
        (manager.name, path)
        for path, value in fields(wanted).items()
        for manager in managers
        if manager is not own and path in manager.owned and live.get(path) != value
    ]


def applied(managers: list[Manager], own: Manager, before: Item, wanted: Item) -> Item:
    """The object after an apply: what `own` no longer names goes, unless another manager has it, too."""
    after = copy.deepcopy(before)
    given, live = fields(wanted), fields(before)
    for path in own.owned - given.keys():
        if not any(path in other.owned for other in managers if other is not own):
            _drop(after, path)
    for path, value in given.items():
        _put(after, path, copy.deepcopy(value))
        if live.get(path) != value:
            for other in managers:
                if other is not own:
                    other.owned.discard(path)
    own.owned = set(given)
    return after


def updated(managers: list[Manager], own: Manager, before: Item, after: Item) -> None:
    """Whoever changes a field without apply has it from then on, alone."""
    old, new = fields(before), fields(after)
    changed = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    for manager in managers:
        manager.owned -= changed
    own.owned |= changed & new.keys()


def merged(before: Item, patch: Item) -> Item:
    """JSON Merge Patch, RFC 7386."""
    after = dict(before)
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, dict):
            below = after.get(key)
            after[key] = merged(cast(Item, below) if isinstance(below, dict) else {}, cast(Item, value))
        else:
            after[key] = value
    return after


def _put(item: Item, path: Path, value: Any) -> None:
    for name in path[:-1]:
        item = item.setdefault(name, {})
    if value == {}:  # whoever applies an empty map asks for the map, and leaves alone what others have in it
        item.setdefault(path[-1], {})
    else:
        item[path[-1]] = value


def _drop(item: Item, path: Path) -> None:
    for name in path[:-1]:
        item = item.get(name) or {}
    item.pop(path[-1], None)
