"""What a source is held to say: absence is proven, never assumed."""

import pytest

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.ingest import ingest
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.snapshot import CodeFacts, Completeness, Edge, Snapshot

GUARDS = load_tiers(None).guards
APART = GUARDS.absence.apart.seconds
NAMES = [f"s{n}" for n in range(100)]


def entity(name, uid="", place=None):
    return Entity(ref=entity_ref("component", name), kind="Component", name=name, uid=uid, place=place)


def snapshot(names, completeness="complete", **words):
    entities = tuple(n if isinstance(n, Entity) else entity(n) for n in names)
    return Snapshot(
        source="catalog", scope="all", completeness=Completeness(completeness), reason="because", digest=repr(names),
        entities=entities, **words,
    )  # fmt: skip


def reads(*steps, start=None, **words):
    """Read after read, each `(seconds, snapshot)`; gives what is held to be said after each."""
    kept, held = start, []
    for now, said in steps:
        found = ingest(kept, said, GUARDS, now, **words)
        kept = found.kept
        held.append({e.name for e in kept.entities})
    return held, found


def test_two_complete_reads_far_apart_prove_absence():
    less = snapshot(NAMES[1:])
    held, found = reads((0, snapshot(NAMES)), (1000, less), (1001, less), (1000 + APART, less))
    assert ["s0" in names for names in held] == [True, True, True, False]
    assert [d.code for d in found.diagnoses] == ["entity-gone"]


def test_many_reads_close_together_prove_nothing():
    less = snapshot(NAMES[1:])
    held, found = reads((0, snapshot(NAMES)), *((n, less) for n in range(1, 50)))
    assert "s0" in held[-1]
    assert [d.code for d in found.diagnoses] == ["entity-missing"]
    assert found.kept.read_digest == ""


def test_reads_between_which_it_came_back_do_not_add_up():
    less, whole = snapshot(NAMES[1:]), snapshot(NAMES)
    held, _ = reads((0, whole), (1, less), (APART, whole), (2 * APART, less), (2 * APART + 1, less))
    assert "s0" in held[-1]


@pytest.mark.parametrize("completeness", ["incomplete", "failed"])
def test_only_complete_reads_count(completeness):
    poor = snapshot(NAMES[1:], completeness)
    held, _ = reads((0, snapshot(NAMES)), *((n * APART, poor) for n in range(1, 9)))
    assert held[-1] == set(NAMES)


@pytest.mark.parametrize("completeness", ["incomplete", "failed"])
def test_a_poor_read_does_not_finish_the_proof(completeness):
    less = snapshot(NAMES[1:])
    held, _ = reads((0, snapshot(NAMES)), (1, less), (2 * APART, snapshot(NAMES[1:], completeness)))
    assert "s0" in held[-1]


def test_an_incomplete_read_brings_what_it_shows():
    held, found = reads((0, snapshot(NAMES)), (1, snapshot(["new"], "incomplete")))
    assert held[-1] == {*NAMES, "new"}
    assert found.state.completeness == "incomplete"
    assert found.kept.high_water == 100


def test_a_failed_read_changes_nothing():
    first = ingest(None, snapshot(NAMES), GUARDS, 0).kept
    found = ingest(first, snapshot([], "failed"), GUARDS, 1)
    assert found.kept == first
    assert found.diagnoses[0].code == "source-incomplete"


@pytest.mark.parametrize("left", [0, 1, 69, 71, 89])
def test_a_sudden_shrink_is_not_believed_before_a_person_agrees(left):
    less = snapshot(NAMES[:left])
    held, found = reads((0, snapshot(NAMES)), *((n * APART, less) for n in range(1, 9)))
    assert held[-1] == set(NAMES)
    assert "--allow-shrink catalog" in found.state.reason
    held, _ = reads(*((n * APART, less) for n in range(9, 11)), start=found.kept, shrink_allowed=True)
    assert held[-1] == set(NAMES[:left])


@pytest.mark.parametrize(("size", "lost", "believed"), [(9, 1, True), (9, 2, False), (2, 1, True), (2, 2, False)])
def test_a_small_catalog_may_lose_one(size, lost, believed):
    less = snapshot(NAMES[lost:size])
    _, found = reads((0, snapshot(NAMES[:size])), (1, less))
    assert (found.state.completeness == "complete") is believed


def test_a_person_can_vouch_for_an_absence():
    less = snapshot(NAMES[1:])
    gone = frozenset({entity_ref("component", "s0"), entity_ref("component", "s1")})
    held, _ = reads((0, snapshot(NAMES)), (1, less), gone=gone)
    assert held[-1] == set(NAMES[1:])


def test_a_rename_is_no_absence():
    for words in ({"uid": "u1"}, {"place": Place("root", "catalog-info.yaml")}):
        held, found = reads((0, snapshot([entity("old", **words)])), (1, snapshot([entity("new", **words)])))
        assert held[-1] == {"new"}
        assert found.kept.absent == {}


def test_same_uid_twice_and_same_name_twice_lose_nobody():
    held, _ = reads((0, snapshot([entity("a", "u1")])), (1, snapshot([entity("a", "u1"), entity("b", "u1")])))
    assert held[-1] == {"a", "b"}
    held, found = reads((0, snapshot([entity("a", "u1")])), (1, snapshot([entity("a", "u1"), entity("a", "u2")])))
    assert [e.uid for e in found.kept.entities] == ["u1"]
    assert [d.code for d in found.diagnoses] == ["entity-twice"]


def test_what_belongs_to_a_missing_entity_stays_with_it():
    ref, other = entity_ref("component", "s0"), entity_ref("component", "s1")
    more = {
        "edges": (Edge(ref, "ownedBy", other, "catalog"),),
        "facts": (CodeFacts(entity=ref, readme=True),),
    }
    _, found = reads((0, snapshot(NAMES, **more)), (1, snapshot(NAMES[1:])))
    assert (found.kept.edges, found.kept.facts) == (more["edges"], more["facts"])


def test_a_clock_that_is_put_back_starts_the_proof_anew():
    less = snapshot(NAMES[1:])
    held, found = reads((0, snapshot(NAMES)), (10 * APART, less), (5 * APART, less), (5 * APART + 1, less))
    assert "s0" in held[-1]
    assert found.kept.absent[entity_ref("component", "s0")].since == 5 * APART
    held, _ = reads((6 * APART, less), start=found.kept)
    assert "s0" not in held[-1]
