"""What is in an account, by name and by the vendor's id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.rest.collection import Json

BY_ID = "id:"
"""How an object is called that is there, and that nobody here knows by name."""


@dataclass
class Found:
    """One live object. `key` is the one in our mark where it bears it, else the name that people know it by."""

    id: str
    key: str
    body: Json
    """Without our mark."""
    ours: bool
    mark: str = ""
    """Whose mark it bears, "" for nobody's."""
    whole: bool = True
    """Whether the body is all of it, or a summary."""


@dataclass
class Shelf:
    """The objects of one collection, as they were when it was read."""

    read_at: float
    by_key: dict[str, Found] = field(default_factory=dict[str, Found])
    by_id: dict[str, Found] = field(default_factory=dict[str, Found])
    doubles: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Keys that several objects claim, with their ids."""

    def put(self, found: Found) -> None:
        """Add an object; ours comes before one that only has the same name."""
        if (old := self.by_id.get(found.id)) is not None:
            self._drop_key(old)
        self.by_id[found.id] = found
        other = self.by_key.get(found.key)
        if other is None or found.ours > other.ours:
            self.by_key[found.key] = found
            self.doubles.pop(found.key, None)
        elif found.ours == other.ours:
            self.doubles.setdefault(found.key, [other.id]).append(found.id)

    def take(self, id: str) -> None:
        """Remove an object."""
        if (found := self.by_id.pop(id, None)) is not None:
            self._drop_key(found)

    def _drop_key(self, found: Found) -> None:
        if self.by_key.get(found.key) is found:
            del self.by_key[found.key]

    def __iter__(self) -> Iterator[Found]:
        return iter(self.by_key.values())


class Account:
    """Names for ids and ids for names, for kinds that refer to other objects; `now` is the time of the account."""

    def __init__(self, name: str, shelves: Mapping[str, Shelf], now: datetime) -> None:
        self._name = name
        self._shelves = shelves
        self.now = now

    def id(self, collection: str, key: str) -> str:
        """The vendor's id of an object; PermanentError where there is none of this name, or several."""
        if key.startswith(BY_ID):
            return key.removeprefix(BY_ID)
        shelf = self._shelves[collection]
        found = shelf.by_key.get(key) or shelf.by_key.get(key.lower())
        if found is None:
            raise PermanentError(f"{self._name} has no {key!r} among its {collection}")
        if key in shelf.doubles:
            raise PermanentError(
                f"{self._name} has several {key!r} among its {collection}: {', '.join(shelf.doubles[key])}"
            )
        return found.id

    def knows(self, collection: str, key: str) -> bool:
        """Whether there is an object of this name."""
        shelf = self._shelves[collection]
        return key in shelf.by_key or key.lower() in shelf.by_key

    def key(self, collection: str, id: str) -> str:
        """What an object is called; `id:` and its id where nobody here knows it."""
        found = self._shelves[collection].by_id.get(id)
        return found.key if found and found.key else f"{BY_ID}{id}"

    def body(self, collection: str, id: str) -> Json | None:
        """What is live at an id."""
        found = self._shelves[collection].by_id.get(id)
        return found.body if found else None
