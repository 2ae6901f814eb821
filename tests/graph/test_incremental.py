"""Changing a graph step by step gives what building it anew gives, and names everything whose view changed."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nthlayer_sync.graph.build import Graph, News
from nthlayer_sync.graph.conflicts import conflicts
from nthlayer_sync.graph.subjects import Held, Subjects
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.model.service import Home, fingerprint
from nthlayer_sync.model.snapshot import BlueprintFile, CodeFacts, Edge

SOURCES = ("backstage", "cortex")
KINDS = {
    "component": ("a", "b", "c", "d", "e"),
    "api": ("x", "y"),
    "resource": ("db",),
    "system": ("s", "t"),
    "group": ("g", "h", "i"),
    "user": ("ada", "bob"),
}
REFS = [entity_ref(kind, name) for kind, names in KINDS.items() for name in names]
NEEDED = [ref for ref in REFS if ref.startswith(("component:", "api:", "resource:"))]
BLUEPRINTS = (b"service: {tier: 1}\n", b"service: {tier: 9}\n", b"service: {communication: {channel: c}}\n")


def some_spec(rng: random.Random, kind: str) -> dict[str, object]:
    def few(pool: tuple[str, ...] | list[str], most: int = 2) -> list[str]:
        return rng.sample(pool, min(len(pool), rng.randint(0, most)))

    owner = rng.choice([*KINDS["group"], "user:ada"])
    spec: dict[str, object] = {
        "component": {
            "owner": owner,
            "system": rng.choice(KINDS["system"]),
            "dependsOn": few(NEEDED, 3),
            "dependencyOf": few([entity_ref("component", "a")], 1),
            "providesApis": few(KINDS["api"], 1),
            "consumesApis": few(KINDS["api"], 1),
            "type": rng.choice(["service", "library"]),
        },
        "api": {"owner": owner},
        "resource": {"type": rng.choice(["redis", "saas"]), "owner": owner},
        "system": {"owner": owner, "domain": rng.choice("mn")},
        "group": {"parent": rng.choice(KINDS["group"]), "members": few(KINDS["user"])},
        "user": {"memberOf": few(KINDS["group"]), "profile": {"email": rng.choice(["a@b.org", "c@d.org", "no"])}},
    }[kind]
    return {key: value for key, value in spec.items() if rng.random() < 0.6}


def some_annotations(rng: random.Random, kind: str) -> dict[str, str]:
    tier = {"component": 0.7, "system": 0.2, "group": 0.1}.get(kind, 0.1)
    chances = {
        "nthlayer.dev/tier": (tier, ["1", "2", "3", "1", "2", "3", "none such"]),
        "nthlayer.dev/ignore": (0.1, ["true", "false", "perhaps"]),
        "nthlayer.dev/observability.slo.availability": (0.1, ["99.9", "99.8", "150"]),
        "slack.com/channel": (0.5, ["#one", "#two", "no channel!"]),
    }
    return {key: rng.choice(values) for key, (chance, values) in chances.items() if rng.random() < chance}


def some_entity(rng: random.Random, describe: Callable[..., Entity], ref: EntityRef) -> Entity:
    kind = ref.partition(":")[0]
    entity = describe(
        ref.replace("default/", ""),
        annotations=some_annotations(rng, kind),
        title=rng.choice(["", "Title"]),
        tags=rng.choice([(), (), ("external",)]),
        **some_spec(rng, kind),
    )
    places = [None, *(Place("r", f"{name}/catalog-info.yaml") for name in "abcd")]
    return msgspec.structs.replace(entity, place=rng.choice(places))


def nudge(rng: random.Random, entity: Entity, other: Entity) -> Entity:
    """`entity` with one thing of it as in `other`."""
    field = rng.choice(["spec", "spec", "annotations", "annotations", "title", "tags", "place"])
    if field == "spec":
        keys = sorted(entity.spec.keys() | other.spec.keys())
        picked = rng.choice(keys) if keys else ""
        spec = {key: (other if key == picked else entity).spec.get(key) for key in keys}
        return msgspec.structs.replace(entity, spec={key: value for key, value in spec.items() if value is not None})
    return msgspec.structs.replace(entity, **{field: getattr(other, field)})


def some_news(rng: random.Random, describe: Callable[..., Entity], known: dict[EntityRef, Entity]) -> News:
    """One thing that a source says anew."""
    ref = rng.choice(REFS)
    what = rng.choice(["nudge"] * 6 + ["entity", "gone", "edges", "facts", "blueprint"])
    if what == "gone":
        return News(entities={ref: None})
    if what == "edges":
        named = rng.sample(KINDS["group"], rng.randint(0, 2))
        edges = tuple(Edge(ref, "ownedBy", entity_ref("group", name), "codeowners", 0.8) for name in named)
        return News(edges={ref: edges or None})
    if what == "facts":
        return News(facts={ref: rng.choice([None, CodeFacts(entity=ref, readme=True)])})
    if what == "blueprint":
        return News(blueprints={ref: rng.choice([None, BlueprintFile("nthlayer.yaml", rng.choice(BLUEPRINTS))])})
    entity = some_entity(rng, describe, ref)
    return News(entities={ref: nudge(rng, known[ref], entity) if what == "nudge" and ref in known else entity})


def views(subjects: Subjects) -> dict[EntityRef, object]:
    """What tells each view from another."""
    return {
        found.ref: found.diagnoses if isinstance(found, Held) else type(found).__name__.encode() + fingerprint(found)
        for found in subjects
    }


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=15993)  # a person with a blueprint file comes to be described
@example(seed=239653)  # a component with a blueprint file comes to be described
@example(seed=2518231)  # a service without a tier loses its mistake
@example(seed=7099373)  # a system with a blueprint file comes to be described
@example(seed=472795472)  # a system with a mistake moves to another file
def test_steps_equal_a_rebuild_and_name_what_changed(seed: int, describe, tiers) -> None:
    rng = random.Random(seed)
    settings = {"central": Home("ops"), "code_host": "acme"}
    graph = Graph(SOURCES, tiers.confidence.model_dump(), "acme")
    said: dict[tuple[str, str, EntityRef], object] = {}
    for ref in rng.sample(REFS, rng.randint(0, len(REFS))):
        said["backstage", "entities", ref] = entity = some_entity(rng, describe, ref)
        graph.update("backstage", [entity])
    subjects = Subjects(graph, tiers, **settings)
    before = views(subjects)
    for _ in range(20):
        source = rng.choice([*SOURCES, "backstage", "backstage"])
        known = {ref: entity for (who, part, ref), entity in said.items() if who == source and part == "entities"}
        news = some_news(rng, describe, {ref: entity for ref, entity in known.items() if entity})
        touched = graph.tell(source, news)
        subjects.forget(touched)
        for part in News.__struct_fields__:
            said.update({(source, part, ref): value for ref, value in getattr(news, part).items()})
        anew = Graph(SOURCES, tiers.confidence.model_dump(), "acme")
        for (who, part, ref), value in said.items():
            anew.tell(who, News(**{part: {ref: value}}))
        assert graph.entities == anew.entities
        assert graph.edges() == anew.edges()
        assert graph.refs() == anew.refs()
        needs = {(ref, other) for ref in graph.refs() for other in graph.dependencies(ref)}
        assert needs == {(other, ref) for ref in graph.refs() for other in graph.dependents(ref)}
        assert list(conflicts(graph, tiers.names)) == list(conflicts(anew, tiers.names))
        after = views(Subjects(anew, tiers, **settings))
        assert views(subjects) == after
        changed = {ref for ref in before.keys() | after.keys() if before.get(ref) != after.get(ref)}
        assert changed <= touched
        before = after


def test_one_change_in_a_large_catalog_touches_few(describe) -> None:
    graph = Graph()
    hub = describe("component:hub", title="Hub")
    rest = [describe(f"component:c{i}", dependsOn=["component:hub", f"component:c{i + 1}"]) for i in range(3000)]
    graph.update("backstage", [hub, *rest])
    assert graph.update("backstage", [msgspec.structs.replace(hub, title="The hub")]) == {hub.ref}
    moved = msgspec.structs.replace(rest[7], tags=("new",))
    assert len(graph.update("backstage", [moved])) == 4
    assert len(graph.update("backstage", [msgspec.structs.replace(hub, tags=("new",))])) == 3001


def test_who_provides_an_api_shows_two_steps_away(describe) -> None:
    graph = Graph()
    a = describe("component:a", dependsOn=["component:c"])
    others = [describe("component:b", consumesApis=["x"]), describe("component:c"), describe("component:d", owner="g")]
    graph.update("backstage", [a, *others])
    provides = Edge(a.ref, "providesApi", entity_ref("api", "x"), "cortex", 0.9)
    wanted = {entity_ref("component", name) for name in "abc"} | {entity_ref("api", "x")}
    assert graph.tell("cortex", News(edges={a.ref: (provides,)})) == wanted
    assert graph.tell("cortex", News(edges={a.ref: None})) == wanted


@pytest.mark.parametrize("kind", ["component", "group"])
def test_removing_what_was_never_there_changes_nothing(kind) -> None:
    graph = Graph()
    assert not graph.update("backstage", [], [entity_ref(kind, "nobody")])
