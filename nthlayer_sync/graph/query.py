"""Questions to the whole graph: loops, gaps in ownership, tiers that lean on lower ones, and how far a failure reaches.

Every walk visits an entity once, so loops, self-references and hubs with thousands of dependents end in linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
import rustworkx

from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.contacts import members
from nthlayer_sync.graph.relations import CONSUMES_API, DEPENDS_ON, OWNED_BY
from nthlayer_sync.graph.subjects import Subjects
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import EntityRef

SHOWN = 20
"""How many members of a loop a message names."""

_OWNABLE = ("component:", "api:", "resource:", "system:", "domain:")
_IN_SYSTEMS = ("component:", "api:", "resource:")


class Cycle(msgspec.Struct, frozen=True):
    """Entities that need each other in a loop, or one that needs itself.

    `members` are all that can reach each other, in order; `path` is one loop through the first of them, closed.
    """

    members: tuple[EntityRef, ...]
    path: tuple[EntityRef, ...]

    @property
    def diagnosis(self) -> Diagnosis:
        """The loop as a finding."""
        more = f" and {len(self.path) - SHOWN} more" if len(self.path) > SHOWN else ""
        message = f"{len(self.members)} in a loop: {' → '.join(self.path[:SHOWN])}{more}"
        return Diagnosis(code="dependency-cycle", message=message, severity=Severity.WARNING, entity=self.members[0])


class Inversion(msgspec.Struct, frozen=True):
    """A service that leans on something of a less strict tier, along `path` (itself first)."""

    path: tuple[EntityRef, ...]
    tier: str
    leans_on: str

    @property
    def diagnosis(self) -> Diagnosis:
        """The inversion as a finding."""
        message = f"tier {self.tier} leans on tier {self.leans_on}: {' → '.join(self.path)}"
        return Diagnosis(code="tier-inversion", message=message, severity=Severity.WARNING, entity=self.path[0])


class Blast(msgspec.Struct, frozen=True):
    """What a failure of `entity` reaches: `rings[0]` needs it directly, each next ring needs the one before.

    `tiers` counts all of them by tier, the strictest first; "" are those without one.
    """

    entity: EntityRef
    rings: tuple[tuple[EntityRef, ...], ...]
    tiers: dict[str, int]

    @property
    def total(self) -> int:
        """How many entities it reaches."""
        return sum(self.tiers.values())


def components(graph: Graph) -> tuple[list[list[EntityRef]], dict[EntityRef, set[EntityRef]]]:
    """What can reach each other over dependencies, in an order where what is needed comes first; and who needs whom."""
    names = sorted(graph.refs())
    index = {ref: position for position, ref in enumerate(names)}
    needs = {ref: graph.dependencies(ref) for ref in names}
    digraph: rustworkx.PyDiGraph[EntityRef, None] = rustworkx.PyDiGraph()
    digraph.add_nodes_from(names)
    digraph.add_edges_from_no_data([(index[ref], index[target]) for ref in names for target in needs[ref]])
    found = rustworkx.strongly_connected_components(digraph)
    return [[names[position] for position in component] for component in found], needs


def cycles(graph: Graph) -> list[Cycle]:
    """All loops of dependencies."""
    found = [
        Cycle((ref,), (ref, ref))
        for ref, edges in graph.out.items()
        if any(edge.relation == DEPENDS_ON and edge.target == ref for edge in edges)
    ]
    groups, needs = components(graph)
    for group in groups:
        if len(group) > 1:
            inside = set(group)
            first = min(inside)
            path = _way(first, first, lambda ref, inside=inside: needs[ref] & inside)
            found.append(Cycle(tuple(sorted(inside)), path))
    return sorted(found, key=lambda cycle: cycle.members)


def orphans(graph: Graph) -> Iterator[Diagnosis]:
    """Entities without an owner (`no-owner`), a system (`no-system`) or any neighbour (`isolated`)."""
    for ref in sorted(graph.entities):
        entity = graph.entities[ref]
        if ref.startswith(_OWNABLE) and graph.owner(ref) is None:
            yield _finding(entity, "no-owner", f"nobody owns {ref}", Severity.WARNING)
        if ref.startswith(_IN_SYSTEMS) and graph.system(ref) is None:
            yield _finding(entity, "no-system", f"{ref} is part of no system", Severity.NOTE)
        if ref.startswith("component:") and not graph.dependencies(ref) and not graph.dependents(ref):
            yield _finding(entity, "isolated", f"{ref} needs nothing and nothing needs it", Severity.NOTE)


def dead_owners(subjects: Subjects) -> Iterator[Diagnosis]:
    """Owners whom nobody describes (`unknown-owner`), or behind whom nobody can be reached (`unreachable-owner`)."""
    graph = subjects.graph
    for owner in sorted({edge.target for edges in graph.out.values() for edge in edges if edge.relation == OWNED_BY}):
        owned = sorted(ref for ref in graph.sources(owner, OWNED_BY) if graph.owner(ref) == owner)
        if not owned:
            continue
        what = owned[0] if len(owned) == 1 else f"{owned[0]} and {len(owned) - 1} more"
        entity = graph.entities.get(owner)
        if entity is None:
            message = f"{owner} owns {what}, but no source describes it"
            yield Diagnosis(code="unknown-owner", message=message, severity=Severity.WARNING, entity=owner)
            continue
        contact = subjects.contact(owner)
        described = owner.startswith("user:") or any(user in graph.entities for user in members(graph, owner))
        if not described and not contact.email and not contact.channel:
            message = f"{owner} owns {what}, but has no known people, address or channel"
            yield _finding(entity, "unreachable-owner", message, Severity.WARNING)


def unknown_targets(graph: Graph) -> Iterator[Diagnosis]:
    """What edges lead to or come from though no source describes it; owners apart, for whom there is `dead_owners`.

    A missing dependency is a warning, unless it is an API that somebody provides. The rest is a note.
    """
    missing: dict[EntityRef, set[tuple[bool, EntityRef, str]]] = {}
    for edges in graph.out.values():
        for edge in edges:
            if edge.relation == OWNED_BY:
                continue
            needed = edge.relation in (DEPENDS_ON, CONSUMES_API) and not graph.providers(edge.target)
            words = f"{edge.source} {edge.relation} {edge.target}"
            for ref, other in ((edge.target, edge.source), (edge.source, edge.target)):
                if ref not in graph.entities:
                    missing.setdefault(ref, set()).add((not needed, other, words))
    for ref, said in sorted(missing.items()):
        unneeded, other, words = min(said)
        more = f", and {len(said) - 1} more" if len(said) > 1 else ""
        yield Diagnosis(
            code="unknown-target",
            message=f"no source describes {ref}: {words}{more}",
            severity=Severity.NOTE if unneeded else Severity.WARNING,
            entity=other,
        )


def inversions(subjects: Subjects) -> Iterator[Inversion]:
    """Services that lean on something of a less strict tier, at any distance with untiered ones between."""
    for ref in sorted(subjects.graph.entities):
        if ref.startswith("component:"):
            yield from inversions_of(subjects, ref)


def inversions_of(subjects: Subjects, ref: EntityRef) -> Iterator[Inversion]:
    """The inversions of one service.

    A path ends at the first entity that has a tier: what that one leans on is its own matter.
    """
    tier = subjects.tier(ref)
    if not tier:
        return
    came: dict[EntityRef, EntityRef] = {}
    level = [ref]
    while level:
        following: list[EntityRef] = []
        for current in level:
            for target in sorted(subjects.graph.dependencies(current)):
                if target == ref or target in came:
                    continue
                came[target] = current
                other = subjects.tier(target)
                if not other:
                    following.append(target)
                elif subjects.tiers.rank(other) > subjects.tiers.rank(tier):
                    yield Inversion(_back(came, ref, target), tier, other)
        level = following


def blast(subjects: Subjects, ref: EntityRef) -> Blast:
    """What a failure of `ref` reaches, ring by ring."""
    seen, rings = {ref}, list[tuple[EntityRef, ...]]()
    level = {ref}
    while level := {above for current in level for above in subjects.graph.dependents(current)} - seen:
        seen |= level
        rings.append(tuple(sorted(level)))
    counted: dict[str, int] = dict.fromkeys((*subjects.tiers.table.tiers, ""), 0)
    for reached in seen - {ref}:
        counted[subjects.tier(reached)] += 1
    return Blast(ref, tuple(rings), {tier: count for tier, count in counted.items() if count})


def _way(start: EntityRef, end: EntityRef, steps: Callable[[EntityRef], set[EntityRef]]) -> tuple[EntityRef, ...]:
    """The shortest way of at least one step; among several the first in order. There must be one."""
    came: dict[EntityRef, EntityRef] = {}
    level = [start]
    while True:
        following: list[EntityRef] = []
        for current in level:
            for target in sorted(steps(current)):
                if target == end:
                    return (*_back(came, start, current), end)
                if target not in came:
                    came[target] = current
                    following.append(target)
        level = following


def _back(came: Mapping[EntityRef, EntityRef], start: EntityRef, end: EntityRef) -> tuple[EntityRef, ...]:
    way = [end]
    while way[-1] != start:
        way.append(came[way[-1]])
    return tuple(reversed(way))


def _finding(entity: Entity, code: str, message: str, severity: Severity) -> Diagnosis:
    file = entity.place.path if entity.place else ""
    return Diagnosis(code=code, message=message, severity=severity, file=file, entity=entity.ref)
