"""The graph: what all sources say together, kept up to date in steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import msgspec

from nthlayer_sync.graph.adjacency import Adjacency
from nthlayer_sync.graph.affected import Change, affected
from nthlayer_sync.graph.relations import OWNED_BY, PART_OF, edges_of
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.model.snapshot import BlueprintFile, CodeFacts, Completeness, Edge, Snapshot

ValueT = TypeVar("ValueT")


class Said:
    """What one source says, by entity."""

    def __init__(self) -> None:
        self.entities: dict[EntityRef, Entity] = {}
        self.edges: dict[EntityRef, tuple[Edge, ...]] = {}
        self.facts: dict[EntityRef, CodeFacts] = {}
        self.blueprints: dict[EntityRef, BlueprintFile] = {}
        self.unreadable: dict[EntityRef, list[Diagnosis]] = {}


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says anew. None takes away what it said of an entity before.

    `edges` are those beyond what entities state themselves: all of them that start at an entity, by that entity.
    """

    entities: Mapping[EntityRef, Entity | None] = {}
    edges: Mapping[EntityRef, tuple[Edge, ...] | None] = {}
    facts: Mapping[EntityRef, CodeFacts | None] = {}
    blueprints: Mapping[EntityRef, BlueprintFile | None] = {}


class Graph(Adjacency):
    """Entities and edges of all sources.

    `precedence` names sources and origins of edges, the one that wins first; the others come last, in alphabetical
    order. An entity that several sources describe is the winner's, and what the winner leaves empty comes from the next
    one. `confidence` is that of the tier table: how far each origin is trusted; a source it does not name counts as
    `catalog`. `entities` holds every described entity and is for reading only.
    """

    def __init__(
        self,
        precedence: Sequence[str] = (),
        confidence: Mapping[str, float] | None = None,
        organisation: str = "organisation",
    ) -> None:
        super().__init__(precedence)
        self.organisation = entity_ref("organisation", organisation)
        self.entities: dict[EntityRef, Entity] = {}
        self.revision = 0
        """Grows with whatever may change a view."""
        self._confidence = confidence or {}
        self._said: dict[str, Said] = {}
        self._folders: dict[tuple[str, str], list[EntityRef]] = {}

    def take(self, snapshot: Snapshot) -> set[EntityRef]:
        """Bring what `snapshot.source` says up to date; gives what `tell` gives."""
        return self.tell(snapshot.source, self.news(snapshot))

    def update(self, source: str, changed: Iterable[Entity] = (), removed: Iterable[EntityRef] = ()) -> set[EntityRef]:
        """Take over entities that changed or are gone at `source`; gives what `tell` gives."""
        entities: dict[EntityRef, Entity | None] = {entity.ref: entity for entity in changed}
        return self.tell(source, News(entities={**entities, **dict.fromkeys(removed)}))

    def tell(self, source: str, news: News) -> set[EntityRef]:
        """Take over what `source` says anew, and give all entities whose view may have changed.

        Among them are some that are no subjects, or that are gone. When half of a catalog changes, all of it is given:
        finding out would cost more than it saves.
        """
        found: set[EntityRef] = set()
        changes = self._record(source, news, found)
        self.revision += bool(changes or found)
        if not changes:
            return found
        reach = self._everything if 2 * len(changes) >= len(self.entities) else self._affected
        found |= reach(changes)
        self._rewire(changes)
        return found | reach(changes)

    def news(self, snapshot: Snapshot) -> News:
        """What `snapshot` says that its source did not say before.

        A failed snapshot says nothing. An incomplete one takes nothing away.
        """
        if snapshot.completeness is Completeness.FAILED:
            return News()
        said = self._said.get(snapshot.source) or Said()
        whole = snapshot.completeness is Completeness.COMPLETE
        edges: dict[EntityRef, tuple[Edge, ...]] = {}
        for edge in snapshot.edges:
            edges[edge.source] = (*edges.get(edge.source, ()), edge)
        return News(
            entities=_different(said.entities, {entity.ref: entity for entity in snapshot.entities}, whole=whole),
            edges=_different(said.edges, edges, whole=whole),
            facts=_different(said.facts, {fact.entity: fact for fact in snapshot.facts}, whole=whole),
            blueprints=_different(said.blueprints, snapshot.blueprints, whole=whole),
        )

    def refs(self) -> set[EntityRef]:
        """Everything that is described or that an edge touches."""
        return self.entities.keys() | self.out.keys() | self.into.keys()

    def described(self, ref: EntityRef) -> dict[str, Entity]:
        """What each source says of an entity, the winner first."""
        return {source: said.entities[ref] for source, said in self._said.items() if ref in said.entities}

    def facts(self, ref: EntityRef) -> CodeFacts | None:
        """What the repository of an entity tells about it."""
        return next((said.facts[ref] for said in self._said.values() if ref in said.facts), None)

    def blueprint(self, ref: EntityRef) -> BlueprintFile | None:
        """The blueprint file of an entity."""
        return next((said.blueprints[ref] for said in self._said.values() if ref in said.blueprints), None)

    def owner(self, ref: EntityRef) -> EntityRef | None:
        """The group or user that owns an entity, described or not."""
        return self.best(ref, OWNED_BY, ("group:", "user:"))

    def system(self, ref: EntityRef) -> EntityRef | None:
        """The system an entity is part of."""
        return self.best(ref, PART_OF, ("system:",))

    def domain(self, ref: EntityRef) -> EntityRef | None:
        """The domain a system is part of."""
        return self.best(ref, PART_OF, ("domain:",))

    def crowded(self, place: Place) -> bool:
        """Whether several components are declared in the folder of `place`."""
        return len(self._folders.get((place.root, place.folder), ())) > 1

    def edges(self) -> list[Edge]:
        """Every edge once for each origin, in order."""
        return sorted(set(chain.from_iterable(self.out.values())))

    def diagnoses(self) -> Iterator[Diagnosis]:
        """References that cannot be read."""
        for said in self._said.values():
            for ref in sorted(said.unreadable):
                yield from said.unreadable[ref]

    def _record(self, source: str, news: News, found: set[EntityRef]) -> list[Change]:
        """Note what `source` says, all but the edges; adds to `found` what no edge leads to."""
        if source not in self._said:
            said = {**self._said, source: Said()}
            self._said = dict(sorted(said.items(), key=lambda item: (self.rank(item[0]), item[0])))
        said = self._said[source]
        changes = [*self._take_entities(source, said, news.entities, found), *_take_edges(said, news.edges)]
        changes.extend(Change(ref, blueprint=True) for ref in news.blueprints)
        found.update(news.facts)
        _put(said.facts, news.facts)
        _put(said.blueprints, news.blueprints)
        return changes

    def _everything(self, changes: Iterable[Change]) -> set[EntityRef]:
        return self.refs() | {change.ref for change in changes} | {self.organisation}

    def _affected(self, changes: Iterable[Change]) -> set[EntityRef]:
        return affected(self, changes, self.organisation)

    def _rewire(self, changes: Iterable[Change]) -> None:
        for change in changes:
            for edge in change.gone:
                self._disconnect(edge)
            for edge in change.came:
                self._connect(edge)

    def _take_entities(
        self, source: str, said: Said, entities: Mapping[EntityRef, Entity | None], found: set[EntityRef]
    ) -> Iterator[Change]:
        confidence = self._confidence.get(source, self._confidence.get("catalog", 1.0))
        for ref, entity in entities.items():
            old, before = said.entities.get(ref), self.entities.get(ref)
            if old is None and entity is None:
                continue
            stated = edges_of(old, source, confidence) if old else []
            said.unreadable.pop(ref, None)
            if entity is None:
                del said.entities[ref]
                states: list[Edge] = []
            else:
                said.entities[ref] = entity
                unreadable: list[Diagnosis] = []
                states = edges_of(entity, source, confidence, unreadable.append)
                if unreadable:
                    said.unreadable[ref] = unreadable
            after = _merge([each.entities[ref] for each in self._said.values() if ref in each.entities])
            if after:
                self.entities[ref] = after
            else:
                del self.entities[ref]
            if ref.startswith("component:"):
                found |= self._move(ref, before and before.place, after and after.place)
            yield _change(ref, before, after, stated, states)

    def _move(self, ref: EntityRef, before: Place | None, after: Place | None) -> set[EntityRef]:
        """Note where a component is declared; gives those that are alone in their folder no more, or again."""
        old, new = ((place.root, place.folder) if place else None for place in (before, after))
        if old == new:
            return set()
        alone: set[EntityRef] = set()
        if old:
            self._folders[old].remove(ref)
            if len(self._folders[old]) < 2:
                alone.update(self._folders[old] or self._folders.pop(old))
        if new:
            members = self._folders.setdefault(new, [])
            if len(members) == 1:
                alone.add(members[0])
            members.append(ref)
        return alone


def _take_edges(said: Said, edges: Mapping[EntityRef, tuple[Edge, ...] | None]) -> Iterator[Change]:
    for ref, states in edges.items():
        yield _change(ref, None, None, said.edges.get(ref, ()), states or ())
    _put(said.edges, edges)


def _change(
    ref: EntityRef, before: Entity | None, after: Entity | None, stated: Sequence[Edge], states: Sequence[Edge]
) -> Change:
    if not stated or not states:
        return Change(ref, before, after, tuple(stated), tuple(states))
    old, new = Counter(stated), Counter(states)
    return Change(ref, before, after, tuple((old - new).elements()), tuple((new - old).elements()))


def _different(
    old: Mapping[EntityRef, ValueT], new: Mapping[EntityRef, ValueT], *, whole: bool
) -> dict[EntityRef, ValueT | None]:
    """What is new or other in `new`, and None for what `new` lacks if it is the whole."""
    found: dict[EntityRef, ValueT | None] = {ref: value for ref, value in new.items() if old.get(ref) != value}
    if whole:
        found.update(dict.fromkeys(ref for ref in old if ref not in new))
    return found


def _put(kept: dict[EntityRef, ValueT], news: Mapping[EntityRef, ValueT | None]) -> None:
    for ref, value in news.items():
        if value is None:
            kept.pop(ref, None)
        else:
            kept[ref] = value


def _merge(described: Sequence[Entity]) -> Entity | None:
    """The first description, with what it leaves empty taken from the next ones."""
    if len(described) < 2:
        return described[0] if described else None
    best = described[0]
    placed = next((entity for entity in described if entity.place), best)
    return msgspec.structs.replace(
        best,
        title=next((entity.title for entity in described if entity.title), ""),
        description=next((entity.description for entity in described if entity.description), ""),
        tags=next((entity.tags for entity in described if entity.tags), ()),
        links=next((entity.links for entity in described if entity.links), ()),
        annotations={key: text for entity in reversed(described) for key, text in entity.annotations.items()},
        labels={key: text for entity in reversed(described) for key, text in entity.labels.items()},
        spec={key: value for entity in reversed(described) for key, value in entity.spec.items()},
        place=placed.place,
        document=placed.document,
        uid=next((entity.uid for entity in described if entity.uid), ""),
    )
