"""Where sources contradict each other about an entity. Precedence settles it; nothing hides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.relations import OWNED_BY, PART_OF
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import INPUT_PREFIX, Entity
from nthlayer_sync.model.ref import EntityRef


class Conflict(msgspec.Struct, frozen=True):
    """Sources differ about one field: `owner`, `system`, `tier` or `lifecycle`.

    `values` is what each source says, by its name, the winner first; several values of one source stand beside each
    other with commas between them.
    """

    entity: EntityRef
    field: str
    values: dict[str, str]
    winner: str

    @property
    def diagnosis(self) -> Diagnosis:
        """The conflict as a finding: the winner is used, and somebody should mend the others."""
        said = "; ".join(f"{source} says {value}" for source, value in self.values.items())
        message = f"sources differ about the {self.field} of {self.entity}: {said}; {self.winner} counts"
        return Diagnosis(
            code="conflict", message=message, severity=Severity.WARNING, entity=self.entity, field=self.field
        )


def conflicts(graph: Graph, tiers: Mapping[str, str]) -> Iterator[Conflict]:
    """All conflicts in order of their entities; `tiers` holds the name of the tier for each name it may have."""
    for ref in sorted(graph.refs()):
        yield from conflicts_of(graph, ref, tiers)


def conflicts_of(graph: Graph, ref: EntityRef, tiers: Mapping[str, str]) -> Iterator[Conflict]:
    """The conflicts about one entity."""
    if len({edge.origin for edge in graph.out.get(ref, ())}) > 1:
        for field, relation, kinds in (("owner", OWNED_BY, ("group:", "user:")), ("system", PART_OF, ("system:",))):
            yield from _edges_differ(graph, ref, field, relation, kinds)
    described = graph.described(ref)
    if len(described) > 1:
        yield from _fields_differ(ref, "tier", {source: _tier(entity, tiers) for source, entity in described.items()})
        lifecycles = {source: entity.lifecycle.lower() for source, entity in described.items()}
        yield from _fields_differ(ref, "lifecycle", lifecycles)


def _tier(entity: Entity, tiers: Mapping[str, str]) -> str:
    text = entity.annotations.get(f"{INPUT_PREFIX}tier", "")
    return tiers.get(text, text)


def _edges_differ(
    graph: Graph, ref: EntityRef, field: str, relation: str, kinds: tuple[str, ...]
) -> Iterator[Conflict]:
    """An origin that does not name the winner contradicts it; one that names others beside it does not."""
    named: dict[str, set[str]] = {}
    for edge in graph.out.get(ref, ()):
        if edge.relation == relation and edge.target.startswith(kinds):
            named.setdefault(edge.origin, set()).add(edge.target)
    best = graph.best(ref, relation, kinds)
    if best is None or all(best in targets for targets in named.values()):
        return
    order = sorted(named, key=lambda origin: (best not in named[origin], graph.rank(origin), origin))
    yield Conflict(ref, field, {origin: ", ".join(sorted(named[origin])) for origin in order}, order[0])


def _fields_differ(ref: EntityRef, field: str, values: Mapping[str, str]) -> Iterator[Conflict]:
    """Values by source, the winner first; a source that says nothing contradicts nobody."""
    said = {source: value for source, value in values.items() if value}
    if len(set(said.values())) > 1:
        yield Conflict(ref, field, said, next(iter(said)))
