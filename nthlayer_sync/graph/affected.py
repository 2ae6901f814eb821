"""Whose view a change may alter, found by walking from what changed.

A view holds the entity itself, its owner with the people behind it, its layers (those of its team and its system), its
neighbours with their tiers and owners, and who needs its dependents in turn. The walk follows these backwards. It is
run before and after the edges move, so that what a lost edge reached is found too.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nthlayer_sync.graph.adjacency import Adjacency
from nthlayer_sync.graph.relations import (
    CHILD_OF,
    CONSUMES_API,
    DEPENDS_ON,
    MEMBER_OF,
    OWNED_BY,
    PART_OF,
    PROVIDES_API,
)
from nthlayer_sync.model.entity import INPUT_PREFIX, Entity, Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Edge

_PEOPLE = ("group:", "user:")


class Change(msgspec.Struct, frozen=True):
    """What became different about one entity: what it is, which edges it states, whether its blueprint file did."""

    ref: EntityRef
    before: Entity | None = None
    after: Entity | None = None
    gone: tuple[Edge, ...] = ()
    came: tuple[Edge, ...] = ()
    blueprint: bool = False

    @property
    def visible(self) -> bool:
        """Whether its neighbours can see the difference."""
        before, after = self.before, self.after
        if before is None or after is None:
            return before is not after or self.blueprint
        return (
            self.blueprint
            or before.annotations != after.annotations
            or before.spec != after.spec
            or before.tags != after.tags
            or before.labels != after.labels
            or before.name != after.name
        )

    @property
    def layer(self) -> bool:
        """Whether what it asks for those it owns, or that are part of it, became different.

        Its blueprint file counts only while it is described.
        """
        there = self.before is not None, self.after is not None
        return self.blueprint or there[0] != there[1] or _asked(self.before) != _asked(self.after)


def affected(graph: Adjacency, changes: Iterable[Change], organisation: EntityRef) -> set[EntityRef]:
    """Everything whose view may be altered by `changes` as `graph` stands; not all of it need be a subject."""
    found: set[EntityRef] = set()
    for change in changes:
        ref = change.ref
        found.add(ref)
        if ref.startswith(_PEOPLE):
            found.add(organisation)
            found |= _behind(graph, ref)
            if change.layer or _annotations(change.before) != _annotations(change.after):
                # The layer of a team and its channel, which its services' neighbours see.
                found |= _around_all(graph, graph.sources(ref, OWNED_BY))
        elif ref.startswith("system:") and change.layer:
            found.add(organisation)
            found |= _around_all(graph, graph.sources(ref, PART_OF))
        if change.visible:
            found |= _around(graph, ref)
            if change.blueprint or _managed(change.before) != _managed(change.after):
                found.add(organisation)
        for edge in (*change.gone, *change.came):
            found |= _along(graph, edge, organisation)
    return found


def _annotations(entity: Entity | None) -> dict[str, str]:
    return entity.annotations if entity else {}


def _asked(entity: Entity | None) -> tuple[dict[str, str], Place | None]:
    """What an entity asks for, and where, as what is wrong with it is shown there."""
    asked = {key: text for key, text in _annotations(entity).items() if key.startswith(INPUT_PREFIX)}
    return asked, entity.place if entity and asked else None


def _managed(entity: Entity | None) -> tuple[object, ...]:
    """What of an entity's own words decides whether it counts as a service. With a tier, mistakes do not."""
    asked, _ = _asked(entity)
    return entity is None, asked.get(f"{INPUT_PREFIX}ignore"), f"{INPUT_PREFIX}tier" in asked or asked


def _around(graph: Adjacency, ref: EntityRef) -> set[EntityRef]:
    """`ref` and those whose views name it as a neighbour or as one of their services."""
    return {ref} | graph.dependencies(ref) | graph.dependents(ref) | graph.targets(ref, OWNED_BY)


def _around_all(graph: Adjacency, refs: Iterable[EntityRef]) -> set[EntityRef]:
    return {found for ref in refs for found in _around(graph, ref)}


def _behind(graph: Adjacency, ref: EntityRef) -> set[EntityRef]:
    """All that a person or group stands behind as a contact: groups above it, and what all of them own."""
    groups, waiting = {ref}, [ref]
    while waiting:
        current = waiting.pop()
        above = graph.targets(current, CHILD_OF) | graph.targets(current, MEMBER_OF)
        waiting.extend(above - groups)
        groups |= above
    return groups | {owned for group in groups for owned in graph.sources(group, OWNED_BY)}


def _along(graph: Adjacency, edge: Edge, organisation: EntityRef) -> set[EntityRef]:
    """What an edge that comes or goes alters."""
    source, target = edge.source, edge.target
    if edge.relation in (DEPENDS_ON, CONSUMES_API):
        providers = graph.providers(target) or {target}
        return {source, target} | providers | {ref for end in providers for ref in graph.dependencies(end)}
    if edge.relation == PROVIDES_API:
        return {source, target} | graph.dependencies(source) | graph.dependents(source)
    if edge.relation in (OWNED_BY, PART_OF):
        # A part's layers and its owner show in its neighbours; a system's domain shows in its parts.
        return {source, target, organisation} | _around(graph, source) | graph.sources(source, PART_OF)
    if edge.relation in (CHILD_OF, MEMBER_OF):
        return {organisation} | _behind(graph, target)
    return {source, target}
