"""What Backstage refuses, what it ignores, and what is ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import Link, Place, Relation
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.written import records
from nthlayer_sync.sources.entities import Reading, read_array, read_value


def entity(kind: str = "Component", *, spec: dict | None = None, **metadata: object) -> dict:
    default = {"type": "service", "lifecycle": "production", "owner": "team-a"}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "payments", **metadata},
        "spec": default | (spec or {}),
    }


def errors(reading: Reading) -> list[str]:
    return [problem.code for problem in reading.problems if problem.severity is Severity.ERROR]


def warnings(reading: Reading) -> list[str]:
    return [problem.message for problem in reading.problems if problem.severity is Severity.WARNING]


def test_an_entity_is_read_as_it_stands() -> None:
    written = entity(
        namespace="shop",
        title="Payments",
        description="Takes money",
        annotations={"nthlayer.dev/tier": "1"},
        labels={"language": "go"},
        tags=["go", "c++"],
        links=[{"url": "https://example.com", "title": "Home", "icon": "web", "type": "website"}],
        spec={"dependsOn": ["resource:db", "component:shop/users"]},
    )
    read = read_value(written, Place("/r", "a/catalog-info.yaml"), 2)
    assert read.problems == []
    found = read.entity
    assert found is not None
    assert found.ref == "component:shop/payments"
    assert (found.title, found.description, found.labels) == ("Payments", "Takes money", {"language": "go"})
    assert found.tags == ("go", "c++")
    assert found.links == (Link("https://example.com", "Home", "web", "website"),)
    assert found.spec["dependsOn"] == ["resource:db", "component:shop/users"]
    assert (found.place, found.document, found.relations) == (Place("/r", "a/catalog-info.yaml"), 2, None)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"kind": "Component", "metadata": {"name": "a"}}, ()),
        (entity() | {"metadata": None}, ("metadata",)),
        (entity() | {"metadata": "x"}, ("metadata",)),
        (entity() | {"spec": None}, ("spec",)),
        (entity() | {"annotations": {}}, ("annotations",)),
        (entity(name=None), ("metadata", "name")),
        (entity(name=7), ("metadata", "name")),
        (entity(name=""), ("metadata", "name")),
        (entity(name="a b"), ("metadata", "name")),
        (entity(name="-a"), ("metadata", "name")),
        (entity(name="a" * 64), ("metadata", "name")),
        (entity(name="../../etc/passwd"), ("metadata", "name")),
        (entity(name="${{ values.name }}"), ("metadata", "name")),
        (entity(name="a\n"), ("metadata", "name")),
        (entity(namespace="Shop"), ("metadata", "namespace")),
        (entity(namespace="a_b"), ("metadata", "namespace")),
        (entity(annotations=None), ("metadata", "annotations")),
        (entity(annotations={"a": 1}), ("metadata", "annotations", "a")),
        (entity(annotations={"a b": "x"}), ("metadata", "annotations", "a b")),
        (entity(annotations={"A_B/c": "x"}), ("metadata", "annotations", "A_B/c")),
        (entity(annotations={1: "x"}), ("metadata", "annotations")),
        (entity(labels={"a": "two words"}), ("metadata", "labels", "a")),
        (entity(labels={"a": True}), ("metadata", "labels", "a")),
        (entity(tags=["Java"]), ("metadata", "tags", 0)),
        (entity(tags=["ok", "a--b"]), ("metadata", "tags", 1)),
        (entity(tags="java"), ("metadata", "tags")),
        (entity(tags=[1]), ("metadata", "tags", 0)),
        (entity(links=[{"title": "x"}]), ("metadata", "links", 0)),
        (entity(links=[{"url": "/relative"}]), ("metadata", "links", 0, "url")),
        (entity(links=[{"url": "https://"}]), ("metadata", "links", 0, "url")),
        (entity(links=["https://a.example"]), ("metadata", "links", 0)),
        (entity("Com ponent"), ("kind",)),
        (entity() | {"apiVersion": "backstage.io/v9"}, ("apiVersion",)),
        (entity(spec={"owner": ""}), ("spec", "owner")),
        (entity(spec={"owner": ["a"]}), ("spec", "owner")),
        (entity(spec={"lifecycle": None}), ("spec", "lifecycle")),
        (entity("System", spec={"domain": 3}), ("spec", "domain")),
        ({**entity("API"), "spec": {"type": "openapi", "lifecycle": "x", "owner": "a"}}, ("spec",)),
        ({**entity("User"), "spec": {}}, ("spec",)),
        ({**entity("User"), "spec": {"memberOf": [], "profile": {"email": 1}}}, ("spec", "profile", "email")),
    ],
)
def test_what_backstage_refuses_is_refused(value: dict, path: tuple) -> None:
    read = read_value(value)
    assert read.entity is None
    assert path in [problem.path for problem in read.problems if problem.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        (entity(annotations={"a": "x" * 10_000_000}), ("metadata", "annotations", "a"), "entity-too-large"),
        (entity(tags=["t"] * 100_000), ("metadata", "tags"), "entity-too-large"),
        (entity(description="x" * 100_000), ("metadata", "description"), "entity-too-large"),
        (entity(name="n" * 5_000), ("metadata", "name"), "entity-format"),
        (entity(spec={"dependsOn": ["component:a"] * 100_000}), ("spec", "dependsOn"), "entity-too-large"),
    ],
)
def test_what_is_too_large_is_refused_with_entity_field_and_reason(value: dict, path: tuple, code: str) -> None:
    read = read_value(value)
    assert read.entity is None
    assert read.ref.startswith("component:default/")
    assert len(read.ref) <= 201
    (problem,) = [problem for problem in read.problems if problem.severity is Severity.ERROR]
    assert (problem.path, problem.code) == (path, code)
    assert len(problem.found) < 100


@pytest.mark.parametrize(
    ("kind", "key", "value", "meant"),
    [
        ("Component", "subComponentOf", "component:a", "subcomponentOf"),
        ("Component", "consumesApi", ["a"], "consumesApis"),
        ("Component", "dependson", ["component:a"], "dependsOn"),
        ("Component", "dependOn", ["component:a"], "dependsOn"),
        ("Component", "providesApi", ["a"], "providesApis"),
        ("Component", "systems", ["a"], "system"),
        ("Component", "implementsApis", ["a"], "providesApis"),
        ("Component", "apiConsumedBy", ["component:a"], "consumesApis"),
        ("Component", "deployedAt", ["x"], "dependsOn"),
        ("Component", "interactsWith", ["x"], "dependsOn"),
        ("Component", "tags", ["x"], "metadata"),
        ("Component", "link", [], "links stands under metadata"),
        ("Component", "domain", "a", "system"),
        ("System", "dependsOn", ["component:a"], "component"),
        ("Group", "member", ["a"], "members"),
        ("Component", "whatever", ["resource:a"], "names entities"),
    ],
)
def test_a_relation_that_backstage_ignores_is_pointed_out(kind: str, key: str, value: object, meant: str) -> None:
    read = read_value(entity(kind, spec={key: value, "children": []}))
    assert read.entity is not None
    assert any(meant in message and key in message for message in warnings(read)), read.problems


def test_a_field_that_is_no_relation_is_left_in_peace() -> None:
    assert read_value(entity(spec={"scorecard": {"a": 1}, "implementation": "x"})).problems == []


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("dependsOn", "component:a", []),
        ("dependsOn", ["bare", "component:a"], ["component:a"]),
        ("dependsOn", [{"component": "a"}, "component:b"], ["component:b"]),
        ("dependsOn", None, []),
        ("providesApis", ["a/b/c", "ok"], ["ok"]),
    ],
)
def test_a_relation_that_cannot_be_resolved_is_left_out_alone(field: str, value: object, kept: list[str]) -> None:
    read = read_value(entity(spec={field: value}))
    assert read.entity is not None
    assert read.entity.spec[field] == kept
    assert warnings(read)


@pytest.mark.parametrize("owner", ["ann@example.com", "${{ values.owner }}", "team payments"])
def test_an_owner_that_no_group_can_be_is_pointed_out(owner: str) -> None:
    read = read_value(entity(spec={"owner": owner}))
    assert read.entity is not None
    assert warnings(read)


def test_a_label_under_our_prefix_is_pointed_out() -> None:
    assert "read as an annotation" in warnings(read_value(entity(labels={"nthlayer.dev/tier": "1"})))[0]


def test_text_from_another_file_may_stand_for_text() -> None:
    api = entity("API", spec={"definition": {"$text": "./openapi.yaml"}})
    assert read_value(api).problems == []


@pytest.mark.parametrize("version", ["v1", "apps/v1", "networking.k8s.io/v1"])
def test_what_is_no_entity_is_noted(version: str) -> None:
    manifest = {"apiVersion": version, "kind": "Deployment", "metadata": {"name": "a"}, "spec": {}}
    read = read_value(manifest)
    assert read.entity is None
    (problem,) = read.problems
    assert (problem.code, problem.severity) == ("document-foreign", Severity.NOTE)


@pytest.mark.parametrize("value", [None, 3, "text", [], {}, {"stages": ["build"], "build": {}}])
def test_any_other_document_is_noted_too(value: object) -> None:
    assert [problem.code for problem in read_value(value).problems] == ["document-foreign"]


def test_a_foreign_kind_is_taken_with_a_note() -> None:
    read = read_value({"apiVersion": "acme.example/v1", "kind": "Queue", "metadata": {"name": "q"}})
    assert read.entity is not None
    assert read.entity.ref == "queue:default/q"
    assert [problem.code for problem in read.problems] == ["entity-kind-foreign"]


def test_what_we_wrote_is_no_input() -> None:
    written = {"pagerduty.com/service-id": "P1", "grafana/dashboard-selector": "x"}
    annotations = {
        "sync.nthlayer.dev/status": "synced",
        **written,
        **records(written, ["https://g.example/d/1"]),
    }
    links = [{"url": "https://g.example/d/1"}, {"url": "https://home.example"}]
    before = read_value(entity(annotations={"mine": "y"}, links=links[1:])).entity
    after = read_value(entity(annotations={"mine": "y", **annotations}, links=links)).entity
    assert before == after
    taken_over = read_value(entity(annotations={**annotations, "pagerduty.com/service-id": "mine"})).entity
    assert taken_over is not None
    assert taken_over.annotations == {"pagerduty.com/service-id": "mine"}


def test_one_bad_entity_in_an_array_costs_only_itself() -> None:
    rows = [entity(name="a"), entity(name=5), entity(name="b b"), entity(name="c")]
    read = list(read_array(json.dumps(rows).encode()))
    assert [reading.entity.name if reading.entity else None for reading in read] == ["a", None, None, "c"]
    assert all(errors(reading) for reading in read[1:3])


def test_what_the_api_gives_carries_relations_and_its_place() -> None:
    row = entity(annotations={"backstage.io/managed-by-location": "url:https://h.example/o/r/blob/main/d/c.yaml"})
    row["relations"] = [
        {"type": "ownedBy", "targetRef": "group:default/Team-A", "target": {"kind": "group"}},
        {"type": "broken", "targetRef": "no kind"},
    ]
    (read,) = read_array(json.dumps(row).encode())
    assert read.entity is not None
    assert read.entity.relations == (Relation("ownedBy", EntityRef("group:default/team-a")),)
    assert read.entity.place == Place("https://h.example/o/r", "d/c.yaml")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_keys = st.sampled_from(["name", "namespace", "title", "annotations", "labels", "tags", "links", "description"])
_specs = st.sampled_from(
    ["type", "owner", "lifecycle", "dependsOn", "system", "profile", "children", "memberOf", "definition"]
)


@given(
    st.sampled_from(["Component", "API", "Group", "User", "Location", "Template", "System", "Odd"]),
    st.dictionaries(_keys, _json),
    st.dictionaries(_specs | st.text(max_size=8), _json),
)
def test_nothing_breaks_the_reader_or_goes_unsaid(kind: str, metadata: dict, spec: dict) -> None:
    value = {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    for read in (read_value(value), *read_array(json.dumps(value).encode())):
        assert read.entity is not None or read.problems
        assert all(problem.message for problem in read.problems)
