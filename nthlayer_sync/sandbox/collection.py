"""The objects of one kind that a tool holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias, cast

from nthlayer_sync.sandbox.ids import IdMaker

Item: TypeAlias = dict[str, Any]
"""One object of a tool, as its JSON."""


def part(item: Item, name: str) -> Item:
    """An object inside another; empty where there is none."""
    value = item.get(name)
    return cast(Item, value) if isinstance(value, dict) else {}


def parts(item: Item, name: str) -> list[Any]:
    """A list inside an object; empty where there is none."""
    value = item.get(name)
    return cast(list[Any], value) if isinstance(value, list) else []


class TakenError(Exception):
    """Another object of the collection has the same value in a unique field."""

    def __init__(self, field: str, value: str, holder: str) -> None:
        super().__init__(f"{field} {value!r} is taken by {holder}")
        self.field = field
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Touched:
    """A change of one object: what it is called and which it is."""

    collection: str
    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is particular to a collection.

    Attributes:
        name: What the collection is called in the ledger and the admin API.
        new_id: The id of the n-th object.
        key: The field that holds the id.
        title: The field that says what an object is called.
        unique: Fields of which no two objects (in one scope) may share the value; letter case does not count.
        sort: The order in lists; None keeps the order of creation.
    """

    name: str
    new_id: IdMaker
    key: str = "id"
    title: str = "name"
    unique: tuple[str, ...] = ()
    sort: Callable[[Item], Any] | None = None


@dataclass
class _Held:
    item: Item
    scope: str
    made: float


@dataclass
class _Scope:
    ids: dict[str, None] = field(default_factory=dict[str, None])
    ordered: list[str] | None = None


class Collection:
    """Objects by id, by unique field and in order. A scope is the parent they belong to, "" where there is none."""

    def __init__(self, shape: Shape, clock: Callable[[], float], note: Callable[[Touched], None]) -> None:
        self.shape = shape
        self.lag = 0.0
        """Seconds until a new object shows in lists; by its id it is there at once."""
        self._clock = clock
        self._note = note
        self._counter = count()
        self._held: dict[str, _Held] = {}
        self._scopes: dict[str, _Scope] = {}
        self._by_value: dict[tuple[str, str, str], str] = {}

    def __len__(self) -> int:
        return len(self._held)

    def new_id(self) -> str:
        """An id that no object had yet."""
        return self.shape.new_id(next(self._counter))

    def add(self, item: Item, scope: str = "") -> Item:
        """Keep `item`, under the id in it or a new one; raises TakenError and then keeps nothing."""
        shape = self.shape
        id = item.get(shape.key)
        if id is None:
            id = item[shape.key] = self.new_id()
        id = str(id)
        if id in self._held:
            raise TakenError(shape.key, id, id)
        self._claim(id, item, scope)
        self._held[id] = _Held(item, scope, self._clock())
        self._scope(scope).ids[id] = None
        self._note(Touched(shape.name, id, self.title(item)))
        return item

    def get(self, id: str, scope: str | None = None) -> Item | None:
        """The object with this id, of any scope when none is named."""
        held = self._held.get(id)
        return held.item if held and (scope is None or held.scope == scope) else None

    def find(self, field: str, value: str, scope: str = "") -> Item | None:
        """The object with this value in a unique field, compared as the tool compares."""
        id = self._by_value.get((scope, field, value.casefold()))
        return self._held[id].item if id is not None else None

    def scope(self, id: str) -> str:
        """The scope of an object that is held."""
        return self._held[id].scope

    def replace(self, id: str, item: Item) -> Item:
        """Put `item` in the place of the object with this id; raises TakenError and then changes nothing."""
        held = self._held[id]
        self._claim(id, item, held.scope)
        self._release(id, held, item)
        held.item = item
        self._scope(held.scope).ordered = None
        self._note(Touched(self.shape.name, id, self.title(item)))
        return item

    def remove(self, id: str) -> Item:
        """Delete an object that is held."""
        held = self._held.pop(id)
        self._release(id, held, {})
        scope = self._scope(held.scope)
        del scope.ids[id]
        scope.ordered = None
        self._note(Touched(self.shape.name, id, self.title(held.item)))
        return held.item

    def listed(self, scope: str = "") -> list[Item]:
        """What a list shows now, in its order."""
        inside = self._scope(scope)
        if inside.ordered is None:
            inside.ordered = list(inside.ids)
            if sort := self.shape.sort:
                inside.ordered.sort(key=lambda id: sort(self._held[id].item))
        if not self.lag:
            return [self._held[id].item for id in inside.ordered]
        before = self._clock() - self.lag
        return [held.item for id in inside.ordered if (held := self._held[id]).made <= before]

    def everything(self) -> Iterable[Item]:
        """Every object of every scope, shown in lists or not yet."""
        return (held.item for held in self._held.values())

    def clear(self) -> None:
        """Forget all objects, without a note: nobody asked for it over the API."""
        self._held.clear()
        self._scopes.clear()
        self._by_value.clear()

    def title(self, item: Mapping[str, Any]) -> str:
        """What an object is called."""
        return str(item.get(self.shape.title, ""))

    def _scope(self, name: str) -> _Scope:
        return self._scopes.setdefault(name, _Scope())

    def _values(self, item: Item, scope: str) -> Iterable[tuple[str, str, str]]:
        for name in self.shape.unique:
            value = item.get(name)
            if isinstance(value, str):
                yield (scope, name, value.casefold())

    def _claim(self, id: str, item: Item, scope: str) -> None:
        wanted = list(self._values(item, scope))
        for value in wanted:
            holder = self._by_value.get(value, id)
            if holder != id:
                raise TakenError(value[1], str(item[value[1]]), holder)
        for value in wanted:
            self._by_value[value] = id
        self._scope(scope).ordered = None

    def _release(self, id: str, held: _Held, wanted: Item) -> None:
        kept = set(self._values(wanted, held.scope))
        for value in self._values(held.item, held.scope):
            if value not in kept and self._by_value.get(value) == id:
                del self._by_value[value]
