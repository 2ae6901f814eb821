"""The objects that the stand-in holds, and the managers of their fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nthlayer_sync.sandbox.collection import Item, Touched
from nthlayer_sync.sandbox.vendors.kubernetes.fields import Manager
from nthlayer_sync.sandbox.vendors.kubernetes.sorts import Sort

Key = tuple[str, str, str]
"""Plural, namespace and name."""


@dataclass
class Held:
    """One object, without its `managedFields`."""

    item: Item
    managers: list[Manager]

    def shown(self) -> Item:
        """As the server shows it."""
        entries = [manager.shown() for manager in self.managers if manager.owned]
        return {**self.item, "metadata": {**self.item["metadata"], **({"managedFields": entries} if entries else {})}}


class Objects:
    """Every object, by its key; each change takes the next resource version of the whole cluster."""

    def __init__(self, note: Callable[[Touched], None], new_uid: Callable[[int], str]) -> None:
        self.version = 1
        self._note = note
        self._new_uid = new_uid
        self._held: dict[Key, Held] = {}

    def get(self, key: Key) -> Held | None:
        """The object with this key."""
        return self._held.get(key)

    def listed(self, plural: str, namespace: str) -> list[tuple[Key, Held]]:
        """Those of a sort, in one namespace or ("") in all, as etcd orders them."""
        return sorted(
            ((key, held) for key, held in self._held.items() if key[0] == plural and namespace in ("", key[1])),
            key=lambda pair: pair[0],
        )

    def keep(self, sort: Sort, key: Key, held: Held, time: str) -> None:
        """Make or replace one."""
        self.version += 1
        metadata = held.item["metadata"]
        metadata.setdefault("uid", self._new_uid(self.version))
        metadata.setdefault("creationTimestamp", time)
        metadata |= {"name": key[2], "namespace": key[1], "resourceVersion": str(self.version)}
        self._held[key] = held
        self._note(Touched(sort.plural, metadata["uid"], key[2]))

    def drop(self, key: Key) -> None:
        """Take one away."""
        self.version += 1
        held = self._held.pop(key)
        self._note(Touched(key[0], held.item["metadata"]["uid"], key[2]))

    def snapshot(self) -> dict[str, list[Item]]:
        """Every object, by plural."""
        found: dict[str, list[Item]] = {}
        for key, held in sorted(self._held.items()):
            found.setdefault(key[0], []).append(held.shown())
        return found

    def clear(self, plural: str = "") -> None:
        """Forget the objects of one sort, or all, without a note."""
        self._held = {key: held for key, held in self._held.items() if plural and key[0] != plural}
