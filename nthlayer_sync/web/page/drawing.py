"""Where nodes and lines of a picture of the graph stand: in columns, those who need to the left of what they need."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence

import msgspec

from nthlayer_sync.web.api.graph import EdgeShown, GraphShown, NodeShown

WIDTH, HEIGHT = 176, 40
"""Of a node, in pixels."""
ACROSS, DOWN = 72, 16
"""Between nodes."""
MARGIN = 12
SWEEPS = 6
"""How often columns are sorted by where their neighbours stand; more changes next to nothing."""
LABEL = 21
"""Characters of a name that fit."""


class Box(msgspec.Struct, frozen=True):
    """A node; `x` and `y` are its upper left corner."""

    node: NodeShown
    x: int
    y: int
    label: str


class Drawing(msgspec.Struct, frozen=True):
    """A picture, in pixels. `lines` are paths of SVG; `left_out` counts nodes that found no place in it, `alone` those
    that nothing leads to or from.
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    left_out: int
    alone: int


def draw(graph: GraphShown, around: str = "", most: int = 100) -> Drawing:
    """The graph as a picture of `most` nodes: those closest to `around`, or those that have most to do with others."""
    drawn = _chosen(graph, around, most)
    edges = [(e.source, e.target) for e in graph.edges if e.source in drawn and e.target in drawn]
    edges = [edge for edge in dict.fromkeys(edges) if edge[0] != edge[1]]
    levels = _layered(drawn, edges)
    columns = _sorted(levels, edges)
    places = _placed(columns)
    nodes = {node.ref: node for node in graph.nodes}
    boxes = tuple(Box(nodes[ref], *place, _label(nodes[ref].name)) for ref, place in places.items())
    tallest = max((len(column) for column in columns), default=0)
    alone = len(nodes.keys() - _beside(graph.edges).keys() - drawn)
    return Drawing(
        width=2 * MARGIN + len(columns) * (WIDTH + ACROSS) - ACROSS // 2,  # room for lines within the last column
        height=2 * MARGIN + max(tallest * (HEIGHT + DOWN) - DOWN, 0),
        boxes=boxes,
        lines=tuple(_line(places[source], places[target]) for source, target in edges),
        left_out=len(graph.nodes) - len(boxes) - alone,
        alone=alone,
    )


def _chosen(graph: GraphShown, around: str, most: int) -> set[str]:
    """What is drawn: only what has to do with something that is drawn too, so that lines tell all there is."""
    beside = _beside(graph.edges)
    if around:
        found, queue = {around}, deque([around])
        while queue and len(found) < most:
            for other in sorted(beside[queue.popleft()] - found)[: most - len(found)]:
                found.add(other)
                queue.append(other)
        return found & {node.ref for node in graph.nodes}
    return set(sorted(beside, key=lambda ref: (-len(beside[ref]), ref))[:most])


def _beside(edges: Collection[EdgeShown]) -> defaultdict[str, set[str]]:
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for edge in edges:
        if edge.source != edge.target:
            beside[edge.source].add(edge.target)
            beside[edge.target].add(edge.source)
    return beside


def _layered(drawn: Collection[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Each stands to the right of all that need it, as far as there are no loops."""
    targets: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        targets[source].append(target)
    order: list[str] = []
    entered: set[str] = set()
    for first in sorted(drawn):
        stack = [(first, False)]
        while stack:
            ref, left = stack.pop()
            if left:
                order.append(ref)
            elif ref not in entered:
                entered.add(ref)
                stack.append((ref, True))
                stack.extend((target, False) for target in targets[ref] if target not in entered)
    position = {ref: index for index, ref in enumerate(reversed(order))}
    levels = dict.fromkeys(position, 0)
    for ref in position:
        for target in targets[ref]:
            if position[target] > position[ref]:  # others close a loop
                levels[target] = max(levels[target], levels[ref] + 1)
    return levels


def _sorted(levels: Mapping[str, int], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The columns, each sorted so that few lines cross (the barycentre heuristic of Sugiyama)."""
    columns: defaultdict[int, list[str]] = defaultdict(list)
    for ref in sorted(levels):
        columns[levels[ref]].append(ref)
    beside: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        beside[source].append(target)
        beside[target].append(source)
    ordered = [columns[level] for level in sorted(columns)]
    middle = {ref: index - len(column) / 2 for column in ordered for index, ref in enumerate(column)}
    for sweep in range(SWEEPS):
        for column in ordered if sweep % 2 == 0 else reversed(ordered):
            column.sort(key=lambda ref: sum(middle[other] for other in beside[ref]) / (len(beside[ref]) or 1))
            middle.update({ref: index - len(column) / 2 for index, ref in enumerate(column)})
    return ordered


def _placed(columns: Sequence[Sequence[str]]) -> dict[str, tuple[int, int]]:
    """Where each stands; columns are centred."""
    tallest = max((len(column) for column in columns), default=0)
    return {
        ref: (
            MARGIN + across * (WIDTH + ACROSS),
            MARGIN + (tallest - len(column)) * (HEIGHT + DOWN) // 2 + down * (HEIGHT + DOWN),
        )
        for across, column in enumerate(columns)
        for down, ref in enumerate(column)
    }


def _line(source: tuple[int, int], target: tuple[int, int]) -> str:
    """From the right side of one to the left side of the other; around, where that does not stand further right."""
    begin, end = (source[0] + WIDTH, source[1] + HEIGHT // 2), (target[0], target[1] + HEIGHT // 2)
    if source[0] == target[0]:
        end, bend = (target[0] + WIDTH, end[1]), ACROSS // 2
        return f"M{begin[0]} {begin[1]}C{begin[0] + bend} {begin[1]} {end[0] + bend} {end[1]} {end[0]} {end[1]}"
    if source[0] > target[0]:
        begin, end = (source[0], begin[1]), (target[0] + WIDTH, end[1])
    half = (begin[0] + end[0]) // 2
    return f"M{begin[0]} {begin[1]}C{half} {begin[1]} {half} {end[1]} {end[0]} {end[1]}"


def _label(name: str) -> str:
    return name if len(name) <= LABEL else name[: LABEL - 1] + "…"
