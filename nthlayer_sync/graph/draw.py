"""Pictures of the graph: Mermaid, DOT and JSON.

Names come from the catalog, so nodes are numbered and names stand only in quoted labels, where nothing can end them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

import msgspec

from nthlayer_sync.graph.relations import CONSUMES_API, DEPENDS_ON, OWNED_BY, PART_OF, PROVIDES_API
from nthlayer_sync.graph.subjects import Subjects
from nthlayer_sync.model.ref import EntityRef

RELATIONS = (DEPENDS_ON, CONSUMES_API, PROVIDES_API, PART_OF, OWNED_BY)
"""Relations that are drawn unless others are asked for."""
LONGEST_LABEL = 80


class Node(msgspec.Struct, frozen=True, order=True):
    """An entity in a picture."""

    ref: EntityRef
    name: str
    kind: str
    tier: str = ""
    known: bool = True


class Arrow(msgspec.Struct, frozen=True, order=True):
    """An edge in a picture, with all who state it; `confidence` is that of the most trusted one."""

    source: EntityRef
    relation: str
    target: EntityRef
    origins: tuple[str, ...]
    confidence: float


class Picture(msgspec.Struct, frozen=True):
    """A part of the graph, in order."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def picture(
    subjects: Subjects, around: EntityRef | None = None, depth: int = 1, relations: Iterable[str] = RELATIONS
) -> Picture:
    """The whole graph, or what lies within `depth` steps of `around`, in either direction."""
    graph, shown = subjects.graph, frozenset(relations)
    refs = graph.refs() if around is None else _near(subjects, around, depth, shown)
    origins: dict[tuple[EntityRef, str, EntityRef], dict[str, float]] = {}
    for ref in refs:
        for edge in graph.out.get(ref, ()):
            if edge.relation in shown and edge.target in refs:
                said = origins.setdefault((edge.source, edge.relation, edge.target), {})
                said[edge.origin] = max(edge.confidence, said.get(edge.origin, 0.0))
    arrows = [Arrow(*key, tuple(sorted(said)), max(said.values())) for key, said in origins.items()]
    nodes = [subjects.neighbour(ref) for ref in refs]
    return Picture(
        tuple(sorted(Node(node.ref, node.name, node.kind, node.tier, node.known) for node in nodes)),
        tuple(sorted(arrows)),
    )


def mermaid(drawn: Picture) -> str:
    """A Mermaid flowchart. https://mermaid.js.org/syntax/flowchart.html"""
    lines = ["flowchart LR"]
    numbers = _numbers(drawn)
    for node in drawn.nodes:
        opening, closing = _MERMAID_SHAPES.get(node.kind, ("[", "]"))
        lines.append(f'  {numbers[node.ref]}{opening}"{_entities(_label(node))}"{closing}')
    lines += [
        f'  {numbers[arrow.source]} -->|"{_entities(arrow.relation)}"| {numbers[arrow.target]}'
        for arrow in drawn.arrows
    ]
    return "\n".join(lines) + "\n"


def dot(drawn: Picture) -> str:
    """A DOT digraph. https://graphviz.org/doc/info/lang.html"""
    lines = ["digraph catalog {", "  rankdir=LR;", "  node [shape=box];"]
    numbers = _numbers(drawn)
    for node in drawn.nodes:
        style = "" if node.known else ", style=dashed"
        lines.append(f"  {numbers[node.ref]} [label={_quoted(_label(node))}{style}];")
    lines += [
        f"  {numbers[arrow.source]} -> {numbers[arrow.target]} [label={_quoted(arrow.relation)}];"
        for arrow in drawn.arrows
    ]
    return "\n".join([*lines, "}"]) + "\n"


def as_json(drawn: Picture) -> str:
    """Nodes and arrows as JSON."""
    return json.dumps(msgspec.to_builtins(drawn), indent=2) + "\n"


DRAW: Mapping[str, Callable[[Picture], str]] = {"mermaid": mermaid, "dot": dot, "json": as_json}
"""The forms a picture comes in, by name."""

_MERMAID_SHAPES = {"resource": ("[(", ")]"), "api": ("([", "])"), "group": ("{{", "}}"), "user": ("{{", "}}")}


def _near(subjects: Subjects, around: EntityRef, depth: int, relations: frozenset[str]) -> set[EntityRef]:
    found, level = {around}, {around}
    for _ in range(depth):
        ends: set[EntityRef] = set()
        for ref in level:
            ends.update(edge.target for edge in subjects.graph.out.get(ref, ()) if edge.relation in relations)
            ends.update(edge.source for edge in subjects.graph.into.get(ref, ()) if edge.relation in relations)
        level = ends - found
        found |= level
    return found


def _numbers(drawn: Picture) -> dict[EntityRef, str]:
    return {node.ref: f"n{index}" for index, node in enumerate(drawn.nodes, 1)}


def _label(node: Node) -> str:
    name = "".join(char if char.isprintable() else " " for char in node.name)
    name = name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"
    details = ", ".join(
        filter(None, (node.kind, f"tier {node.tier}" if node.tier else "", "" if node.known else "unknown"))
    )
    return f"{name} ({details})"


def _entities(text: str) -> str:
    """Everything but letters, digits and plain punctuation as Mermaid's entity codes (`#34;`)."""
    return "".join(char if char.isalnum() or char in " -_.,:()/@" else f"#{ord(char)};" for char in text)


def _quoted(text: str) -> str:
    """A DOT string: a backslash starts an escape in labels, so it is doubled."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
