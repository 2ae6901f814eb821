"""YAML text as a tree of parts that know their exact places, so that text can be spliced between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamStartEvent,
)

from nthlayer_sync.errors import InputError
from nthlayer_sync.yaml.events import Limits, parse_events, place, span
from nthlayer_sync.yaml.scalars import plain_value


class Kind(Enum):
    """What a node is."""

    MAPPING = auto()
    SEQUENCE = auto()
    SCALAR = auto()
    ALIAS = auto()


@dataclass(slots=True, eq=False)
class Node:
    """One value and its place: `text[start:end]`, with its anchor and tag, counted in characters from 0.

    `end` of a block collection is where the next thing begins; `content_end` is what the value itself covers.
    `line` and `column` count from 1. `scalar` is a scalar's text or an alias's name. `style` is one of `| > ' "` or ""
    of a scalar, `{` or `[` of a flow collection, "" of a block collection.
    """

    kind: Kind
    start: int
    end: int
    line: int
    column: int
    scalar: str = ""
    style: str = ""
    anchor: str = ""
    tag: str = ""
    plain: bool = False
    entries: list[Entry] = field(default_factory=list["Entry"])

    @property
    def value(self) -> object:
        """What a scalar means."""
        return plain_value(self.scalar) if self.plain else self.scalar

    @property
    def is_collection(self) -> bool:
        """Whether it holds entries."""
        return self.kind in (Kind.MAPPING, Kind.SEQUENCE)

    def entry(self, part: str | int) -> Entry | None:
        """The entry under a mapping's key, or at a sequence's position."""
        if isinstance(part, int):
            return self.entries[part] if self.kind is Kind.SEQUENCE and 0 <= part < len(self.entries) else None
        return next((entry for entry in self.entries if entry.name == part), None)


@dataclass(slots=True, eq=False)
class Entry:
    """A mapping's key and value, or a sequence's item, which has no key."""

    key: Node | None
    value: Node

    @property
    def name(self) -> str | None:
        """The key as text; None of an item, and of a key that is no scalar."""
        return self.key.scalar if self.key is not None and self.key.kind is Kind.SCALAR else None


@dataclass(slots=True, eq=False)
class Tree:
    """One document: where its text begins (its directives or `---` included) and its value."""

    start: int
    root: Node


def compose(data: bytes, *, file: str = "", limits: Limits | None = None) -> list[Tree]:
    """All documents of `data` as trees; places are counted without a byte order mark.

    Raises InputError where `data` is not YAML or exceeds a limit.
    """
    trees: list[Tree] = []
    start = 0
    open_entries: list[tuple[Node, Node | None]] = []  # collections around the current place, each with its current key
    for event in parse_events(data, file=file, limits=limits or Limits()):
        if isinstance(event, DocumentStartEvent):
            start, _ = span(event)
        elif isinstance(event, StreamStartEvent | DocumentEndEvent):
            continue
        else:
            if isinstance(event, CollectionEndEvent):
                node, _ = open_entries.pop()
                _, node.end = span(event)
            else:
                node = _node(event)
                if isinstance(event, CollectionStartEvent):
                    open_entries.append((node, None))
                    continue
            if not open_entries:
                trees.append(Tree(start, node))
                continue
            parent, key = open_entries.pop()
            if parent.kind is Kind.MAPPING and key is None:
                key = node
            else:
                parent.entries.append(Entry(key, node))
                key = None
            open_entries.append((parent, key))
    return trees


def first_of(data: bytes, line: int, column: int) -> int:
    """The line of the first key of the same name in the mapping whose key begins at `line` and `column`; 0 if none."""
    try:
        waiting = [tree.root for tree in compose(data)]
    except InputError:
        return 0
    while waiting:
        node = waiting.pop()
        lines: dict[str | None, int] = {}
        for entry in node.entries:
            if entry.key is not None:
                first = lines.setdefault(entry.name, entry.key.line)
                if (entry.key.line, entry.key.column) == (line, column):
                    return first if entry.name is not None else 0
            waiting.append(entry.value)
    return 0


def locate(data: bytes, document: int, path: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int]:
    """Line and column, from 1, of the value at `path` in that document of `data`, or of its key.

    Where the path leads nowhere, the place of the deepest part that exists; (1, 1) when there is none.
    """
    try:
        trees = compose(data)
    except InputError:
        return 1, 1
    if not 0 <= document < len(trees):
        return 1, 1
    node = place = trees[document].root
    for part in path:
        entry = node.entry(part)
        if entry is None:
            break
        node = entry.value
        place = entry.key if key and entry.key is not None else node
    return place.line, place.column


def _node(event: Event) -> Node:
    """The node that begins with `event`."""
    node = Node(Kind.SCALAR, *span(event), *place(event))
    if isinstance(event, AliasEvent):
        node.kind, node.scalar = Kind.ALIAS, event.anchor or ""
    elif isinstance(event, ScalarEvent):
        node.scalar, node.style, node.plain = event.value, event.style or "", event.implicit[0]
        node.anchor, node.tag = event.anchor or "", event.tag or ""
    elif isinstance(event, CollectionStartEvent):
        mapping = isinstance(event, MappingStartEvent)
        node.kind = Kind.MAPPING if mapping else Kind.SEQUENCE
        node.style = ("{" if mapping else "[") if event.flow_style else ""
        node.anchor, node.tag = event.anchor or "", event.tag or ""
    return node
