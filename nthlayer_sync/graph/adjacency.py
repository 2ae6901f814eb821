"""Edges by both of their ends, and the one-step questions that views ask 10,000 times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nthlayer_sync.graph.relations import CONSUMES_API, DEPENDS_ON, PROVIDES_API
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Edge

_NEEDS = frozenset({DEPENDS_ON, CONSUMES_API})
_NONE: tuple[Edge, ...] = ()


class Adjacency:
    """All edges. An edge that both of its ends state, or several sources, stands there once for each.

    `precedence` names origins, the one that wins first; what it leaves out comes last, by confidence. `out` and `into`
    hold the edges by source and by target, in no order; they are for reading only.
    """

    def __init__(self, precedence: Sequence[str] = ()) -> None:
        self.out: dict[EntityRef, list[Edge]] = {}
        self.into: dict[EntityRef, list[Edge]] = {}
        self._providers: dict[EntityRef, list[EntityRef]] = {}
        self._rank: Mapping[str, int] = {origin: index for index, origin in enumerate(precedence)}

    def rank(self, origin: str) -> int:
        """How many origins come before this one."""
        return self._rank.get(origin, len(self._rank))

    def targets(self, ref: EntityRef, relation: str) -> set[EntityRef]:
        """What `ref` points to."""
        return {edge.target for edge in self.out.get(ref, _NONE) if edge.relation == relation}

    def sources(self, ref: EntityRef, relation: str) -> set[EntityRef]:
        """What points to `ref`."""
        return {edge.source for edge in self.into.get(ref, _NONE) if edge.relation == relation}

    def best(self, ref: EntityRef, relation: str, kinds: tuple[str, ...]) -> EntityRef | None:
        """The one target of a relation that can have only one, of a kind in `kinds` (each with its colon)."""
        edges = [
            edge for edge in self.out.get(ref, _NONE) if edge.relation == relation and edge.target.startswith(kinds)
        ]
        if len(edges) > 1:
            return min(edges, key=lambda edge: (self.rank(edge.origin), -edge.confidence, edge.target)).target
        return edges[0].target if edges else None

    def providers(self, api: EntityRef) -> set[EntityRef]:
        """Who provides an API; as `sources` would find, but thousands of consumers cost nothing."""
        return set(self._providers.get(api, ()))

    def dependencies(self, ref: EntityRef) -> set[EntityRef]:
        """What `ref` needs to work, directly; an API that somebody provides is replaced by who provides it."""
        found: set[EntityRef] = set()
        for edge in self.out.get(ref, _NONE):
            if edge.relation in _NEEDS:
                target = edge.target
                found.update(self._providers.get(target) or (target,))
        found.discard(ref)
        return found

    def dependents(self, ref: EntityRef) -> set[EntityRef]:
        """Who needs `ref`, directly: the inverse of `dependencies`."""
        found: set[EntityRef] = set()
        if ref not in self._providers:
            found.update(edge.source for edge in self.into.get(ref, _NONE) if edge.relation in _NEEDS)
        for edge in self.out.get(ref, _NONE):
            if _provides(edge):
                found.update(need.source for need in self.into.get(edge.target, _NONE) if need.relation in _NEEDS)
        found.discard(ref)
        return found

    def _connect(self, edge: Edge) -> None:
        for index, end in ((self.out, edge.source), (self.into, edge.target)):
            edges = index.get(end)
            if edges is None:
                index[end] = [edge]
            else:
                edges.append(edge)
        if _provides(edge):
            self._providers.setdefault(edge.target, []).append(edge.source)

    def _disconnect(self, edge: Edge) -> None:
        for index, end in ((self.out, edge.source), (self.into, edge.target)):
            edges = index[end]
            edges.remove(edge)
            if not edges:
                del index[end]
        if _provides(edge):
            providers = self._providers[edge.target]
            providers.remove(edge.source)
            if not providers:
                del self._providers[edge.target]


def _provides(edge: Edge) -> bool:
    """Whether an edge makes its source stand for its target; a component that is "provided" by mistake stays itself."""
    return edge.relation == PROVIDES_API and edge.target.startswith("api:")
