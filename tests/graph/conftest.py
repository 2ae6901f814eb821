"""How graph tests write down a catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nthlayer_sync.blueprint.tiers import Tiers, load_tiers
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.subjects import Subjects
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import entity_ref, parse_ref
from nthlayer_sync.model.snapshot import Completeness, Snapshot

Describe = Callable[..., Entity]


@pytest.fixture(scope="session")
def tiers() -> Tiers:
    return load_tiers(None)


@pytest.fixture(scope="session")
def describe() -> Describe:
    """An entity from its reference (`component:payments`); other words are fields of it, or else of its spec."""

    def make(text: str, place: str = "", tier: str | None = None, **words: Any) -> Entity:
        ref = parse_ref(text)
        kind, _, rest = text.partition(":")
        namespace, _, name = rest.rpartition("/")
        own = {key: words.pop(key) for key in tuple(words) if key in Entity.__struct_fields__}
        if tier is not None:
            own["annotations"] = {"nthlayer.dev/tier": tier, **own.get("annotations", {})}
        root, _, path = place.partition("!")
        return Entity(
            ref=ref,
            kind=kind.title(),
            name=name,
            namespace=namespace or "default",
            spec=words,
            place=Place(root, path) if place else None,
            **own,
        )

    return make


@pytest.fixture(scope="session")
def said() -> Callable[..., Snapshot]:
    """A snapshot of a source: `said("backstage", *entities)`."""

    def make(source: str, *entities: Entity, complete: bool = True, **words: Any) -> Snapshot:
        completeness = Completeness.COMPLETE if complete else Completeness.INCOMPLETE
        return Snapshot(
            source=source, scope="all", completeness=completeness, reason="", digest="", entities=entities, **words
        )

    return make


@pytest.fixture(scope="session")
def view(tiers: Tiers, said: Callable[..., Snapshot]) -> Callable[..., Subjects]:
    """The subjects of one source that describes these entities."""

    def make(*entities: Entity, **settings: Any) -> Subjects:
        graph = Graph(["backstage"], tiers.confidence.model_dump(), "acme")
        graph.take(said("backstage", *entities))
        return Subjects(graph, tiers, **settings)

    return make


@pytest.fixture(scope="session")
def organisation() -> str:
    return entity_ref("organisation", "acme")
