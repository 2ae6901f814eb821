"""Mermaid flowcharts. Ids are numbered and labels quoted, so that no name can change a diagram."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nthlayer_sync.sdk import quote

# https://mermaid.js.org/syntax/flowchart.html#node-shapes
_SHAPES = {"box": ("[", "]"), "store": ("[(", ")]"), "round": ("([", "])"), "self": ("[[", "]]")}


class Node(msgspec.Struct, frozen=True):
    """A box with lines of text; `shape` is `box`, `store` (keeps data), `round` (outside the company) or `self`."""

    lines: tuple[str, ...]
    shape: str = "box"


def flowchart(nodes: Iterable[Node], edges: Iterable[tuple[int, int]]) -> str:
    """The text of a flowchart from left to right; an edge joins two nodes by their place in `nodes`."""
    lines = ["flowchart LR"]
    for index, node in enumerate(nodes):
        opening, closing = _SHAPES[node.shape]
        label = "<br/>".join(quote.mermaid(line)[1:-1] for line in node.lines if line)
        lines.append(f'  n{index}{opening}"{label}"{closing}')
    lines += [f"  n{start} --> n{end}" for start, end in edges]
    return "\n".join(lines)
