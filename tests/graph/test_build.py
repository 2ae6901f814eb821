"""The graph says what its sources say, in Backstage's terms, and keeps where they differ."""

import msgspec
import pytest

from nthlayer_sync.graph.build import Graph, News
from nthlayer_sync.graph.conflicts import conflicts
from nthlayer_sync.model.entity import Relation
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.snapshot import BlueprintFile, CodeFacts, Completeness, Edge

CONFIDENCE = {"catalog": 1.0, "cortex": 0.9, "codeowners": 0.8}


def triples(graph):
    return [(edge.source, edge.relation, edge.target) for edge in graph.edges()]


@pytest.mark.parametrize(
    ("entity", "words", "edge"),
    [
        ("component:a", {"owner": "Payments"}, ("component:default/a", "ownedBy", "group:default/payments")),
        ("component:a", {"owner": "user:ada"}, ("component:default/a", "ownedBy", "user:default/ada")),
        ("component:prod/a", {"owner": "pay"}, ("component:prod/a", "ownedBy", "group:prod/pay")),
        ("component:a", {"system": "shop"}, ("component:default/a", "partOf", "system:default/shop")),
        ("component:a", {"subcomponentOf": "b"}, ("component:default/a", "partOf", "component:default/b")),
        ("component:a", {"providesApis": ["x"]}, ("component:default/a", "providesApi", "api:default/x")),
        ("component:a", {"consumesApis": ["p/x"]}, ("component:default/a", "consumesApi", "api:p/x")),
        ("component:a", {"dependsOn": ["Resource:db"]}, ("component:default/a", "dependsOn", "resource:default/db")),
        ("component:a", {"dependencyOf": ["component:b"]}, ("component:default/b", "dependsOn", "component:default/a")),
        ("resource:db", {"dependencyOf": ["component:b"]}, ("component:default/b", "dependsOn", "resource:default/db")),
        ("api:x", {"owner": "pay"}, ("api:default/x", "ownedBy", "group:default/pay")),
        ("system:s", {"domain": "d"}, ("system:default/s", "partOf", "domain:default/d")),
        ("domain:d", {"subdomainOf": "e"}, ("domain:default/d", "partOf", "domain:default/e")),
        ("group:g", {"parent": "h"}, ("group:default/g", "childOf", "group:default/h")),
        ("group:g", {"children": ["h"]}, ("group:default/h", "childOf", "group:default/g")),
        ("group:g", {"members": ["ada"]}, ("user:default/ada", "memberOf", "group:default/g")),
        ("user:ada", {"memberOf": ["g"]}, ("user:default/ada", "memberOf", "group:default/g")),
        ("template:t", {"owner": "g"}, ("template:default/t", "ownedBy", "group:default/g")),
    ],
)
def test_a_field_becomes_an_edge_as_in_backstage(describe, entity, words, edge) -> None:
    graph = Graph()
    graph.update("directory", [describe(entity, **words)])
    assert triples(graph) == [edge]


def test_resolved_relations_count_instead_of_the_spec_and_point_one_way(describe) -> None:
    a, b = entity_ref("component", "a"), entity_ref("component", "b")
    relations = (Relation("dependencyOf", b), Relation("ownedBy", entity_ref("group", "g")))
    graph = Graph()
    graph.update("backstage", [describe("component:a", owner="other", relations=relations)])
    assert triples(graph) == [(a, "ownedBy", "group:default/g"), (b, "dependsOn", a)]


@pytest.mark.parametrize("value", ["db", {"component": "db"}, "a/b/c", 7])
def test_what_cannot_be_a_reference_is_reported_and_the_rest_goes_on(describe, value) -> None:
    graph = Graph()
    graph.update("directory", [describe("component:a", owner="g", dependsOn=[value, "resource:db"])])
    assert [edge.target for edge in graph.edges()] == ["resource:default/db", "group:default/g"]
    (found,) = graph.diagnoses()
    assert (found.code, found.field, found.entity) == ("unreadable-reference", "spec.dependsOn", "component:default/a")
    graph.update("directory", [describe("component:a", owner="g")])
    assert not list(graph.diagnoses())


def test_an_edge_bears_its_origin_and_how_far_it_is_trusted(describe) -> None:
    graph = Graph(["backstage"], CONFIDENCE)
    graph.update("backstage", [describe("component:a", owner="g")])
    graph.update("cortex", [describe("component:a", owner="g")])
    assert [(edge.origin, edge.confidence) for edge in graph.edges()] == [("backstage", 1.0), ("cortex", 0.9)]


def test_precedence_decides_and_the_next_source_fills_what_is_empty(describe) -> None:
    graph = Graph(["backstage", "cortex"], CONFIDENCE)
    cortex = describe("component:a", tier="2", title="Cortex", owner="x", lifecycle="beta", type="library")
    graph.update("cortex", [cortex])
    graph.update("backstage", [describe("component:a", place="r!catalog-info.yaml", owner="y", type="service")])
    found = graph.entities[cortex.ref]
    assert (found.type, found.lifecycle, found.title) == ("service", "beta", "Cortex")
    assert found.annotations == {"nthlayer.dev/tier": "2"}
    assert graph.owner(cortex.ref) == "group:default/y"
    assert list(graph.described(cortex.ref)) == ["backstage", "cortex"]
    graph.update("backstage", [], [cortex.ref])
    assert graph.entities[cortex.ref] == cortex
    assert graph.owner(cortex.ref) == "group:default/x"


def test_contradictions_are_kept_and_shown(describe, tiers) -> None:
    graph = Graph(["backstage", "cortex", "codeowners"], CONFIDENCE)
    ref = entity_ref("component", "a")
    graph.update("cortex", [describe("component:a", tier="3", owner="x", system="s", lifecycle="beta")])
    graph.update("backstage", [describe("component:a", tier="tier-1", owner="y", system="t", lifecycle="Production")])
    found = {conflict.field: (conflict.values, conflict.winner) for conflict in conflicts(graph, tiers.names)}
    assert found == {
        "owner": ({"backstage": "group:default/y", "cortex": "group:default/x"}, "backstage"),
        "system": ({"backstage": "system:default/t", "cortex": "system:default/s"}, "backstage"),
        "tier": ({"backstage": "1", "cortex": "3"}, "backstage"),
        "lifecycle": ({"backstage": "production", "cortex": "beta"}, "backstage"),
    }
    assert ref in next(conflicts(graph, tiers.names)).diagnosis.message


def test_agreement_and_silence_are_no_contradiction(describe, tiers) -> None:
    graph = Graph(["backstage", "cortex", "codeowners"], CONFIDENCE)
    a = entity_ref("component", "a")
    graph.update("backstage", [describe("component:a", tier="1", owner="G", lifecycle="production")])
    graph.update("cortex", [describe("component:a", tier="critical", owner="group:default/g")])
    owners = tuple(Edge(a, "ownedBy", entity_ref("group", name), "codeowners", 0.8) for name in ("g", "h"))
    graph.tell("codeowners", News(edges={a: owners}))
    assert not list(conflicts(graph, tiers.names))
    graph.tell("codeowners", News(edges={a: owners[1:]}))
    assert [conflict.values["codeowners"] for conflict in conflicts(graph, tiers.names)] == ["group:default/h"]


def test_only_a_complete_snapshot_takes_away(describe, said) -> None:
    a, b = describe("component:a", owner="g"), describe("component:b", owner="g")
    graph = Graph()
    graph.take(said("directory", a, b))
    graph.take(said("directory", a, complete=False))
    graph.take(msgspec.structs.replace(said("directory"), completeness=Completeness.FAILED))
    assert set(graph.entities) == {a.ref, b.ref}
    assert b.ref in graph.take(said("directory", a))
    assert set(graph.entities) == {a.ref}
    assert not graph.take(said("directory", a))


def test_facts_and_blueprint_files_come_and_go(describe, said) -> None:
    a = describe("component:a")
    facts, file = CodeFacts(entity=a.ref, readme=True), BlueprintFile("nthlayer.yaml", b"service: {tier: 1}\n")
    graph = Graph()
    assert a.ref in graph.take(said("git", facts=(facts,), blueprints={a.ref: file}))
    assert (graph.facts(a.ref), graph.blueprint(a.ref)) == (facts, file)
    assert a.ref in graph.take(said("git"))
    assert (graph.facts(a.ref), graph.blueprint(a.ref)) == (None, None)


def test_an_edge_stated_twice_goes_when_nobody_states_it(describe) -> None:
    graph = Graph()
    twice = describe("component:a", dependsOn=["component:b", "component:B"])
    graph.update("directory", [twice, describe("component:b", dependencyOf=["component:a"])])
    assert len(graph.edges()) == 1
    graph.update("directory", [describe("component:a")])
    assert len(graph.edges()) == 1
    graph.update("directory", [twice])
    graph.update("directory", [describe("component:a", dependsOn=["component:b"]), describe("component:b")])
    assert len(graph.edges()) == 1
    graph.update("directory", [], [twice.ref])
    assert not graph.edges()
    assert graph.refs() == {entity_ref("component", "b")}


def test_references_are_compared_without_regard_to_case(describe) -> None:
    graph = Graph()
    graph.update("directory", [describe("component:Payments", owner="GROUP:Default/Pay"), describe("Group:PAY")])
    assert graph.owner(entity_ref("component", "PAYMENTS")) in graph.entities
