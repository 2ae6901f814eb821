"""Questions to the whole graph, and what dependencies leave of an objective."""

import time
from decimal import Decimal

import pytest

from nthlayer_sync.graph.ceiling import ceilings
from nthlayer_sync.graph.query import blast, cycles, dead_owners, inversions, orphans, unknown_targets
from nthlayer_sync.model.ref import entity_ref

SLO = "nthlayer.dev/observability.slo.availability"
A, B, C, D = (entity_ref("component", name) for name in "abcd")
GONE = entity_ref("component", "gone")


def test_cycles_with_a_way_round_each(view, describe) -> None:
    subjects = view(
        describe("component:a", dependsOn=["component:b"]),
        describe("component:b", dependsOn=["component:c", "component:d"]),
        describe("component:c", dependsOn=["component:a"]),
        describe("component:d", dependsOn=["component:d"]),
        describe("component:e", dependsOn=["component:a"]),
    )
    assert [(cycle.members, cycle.path) for cycle in cycles(subjects.graph)] == [
        ((A, B, C), (A, B, C, A)),
        ((D,), (D, D)),
    ]
    assert "component:default/a → component:default/b" in cycles(subjects.graph)[0].diagnosis.message


def test_a_loop_over_apis_is_a_loop(view, describe) -> None:
    subjects = view(
        describe("component:a", providesApis=["x"], consumesApis=["y"]),
        describe("component:b", providesApis=["y"], consumesApis=["x"]),
    )
    assert [cycle.members for cycle in cycles(subjects.graph)] == [(A, B)]


def test_orphans(view, describe) -> None:
    subjects = view(
        describe("component:a"),
        describe("component:b", owner="g", system="s", dependsOn=["component:c"]),
        describe("component:c", owner="g", system="s"),
        describe("domain:d"),
    )
    found = [(diagnosis.code, diagnosis.entity) for diagnosis in orphans(subjects.graph)]
    assert found == [("no-owner", A), ("no-system", A), ("isolated", A), ("no-owner", "domain:default/d")]


@pytest.mark.parametrize(
    ("group", "people", "wanted"),
    [
        (None, [], ["unknown-owner"]),
        ({}, [], ["unreachable-owner"]),
        ({"members": ["nobody"]}, [], ["unreachable-owner"]),
        ({"members": ["ada"]}, ["user:ada"], []),
        ({"profile": {"email": "g@acme.org"}}, [], []),
        ({"annotations": {"slack.com/channel": "g"}}, [], []),
    ],
)
def test_dead_owners(view, describe, group, people, wanted) -> None:
    described = [describe("group:g", **group)] if group is not None else []
    subjects = view(describe("component:a", owner="g"), *described, *map(describe, people))
    assert [found.code for found in dead_owners(subjects)] == wanted


def test_unknown_targets(view, describe) -> None:
    subjects = view(
        describe("component:a", system="s", dependsOn=["component:gone", "resource:db"], consumesApis=["x", "gone"]),
        describe("component:b", dependsOn=["component:gone"], dependencyOf=["component:who"], providesApis=["x"]),
        describe("resource:db"),
    )
    assert [(found.severity.value, found.message) for found in unknown_targets(subjects.graph)] == [
        ("warning", "no source describes api:default/gone: component:default/a consumesApi api:default/gone"),
        ("note", "no source describes api:default/x: component:default/a consumesApi api:default/x, and 1 more"),
        ("warning", f"no source describes {GONE}: component:default/a dependsOn {GONE}, and 1 more"),
        ("warning", "no source describes component:default/who: component:default/who dependsOn component:default/b"),
        ("note", "no source describes system:default/s: component:default/a partOf system:default/s"),
    ]


def test_inversions_go_through_what_has_no_tier(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", dependsOn=["component:b", "resource:db"]),
        describe("component:b", tier="2", dependsOn=["component:c"]),
        describe("component:c", tier="3", dependsOn=["component:a"]),
        describe("resource:db", dependsOn=["component:c"]),
    )
    found = [(inversion.path, inversion.tier, inversion.leans_on) for inversion in inversions(subjects)]
    assert found == [
        ((A, B), "1", "2"),
        ((A, "resource:default/db", C), "1", "3"),
        ((B, C), "2", "3"),
    ]


def test_blast_radius_by_ring_and_tier(view, describe) -> None:
    subjects = view(
        describe("resource:db"),
        describe("component:a", tier="1", dependsOn=["resource:db"], providesApis=["x"]),
        describe("component:b", tier="3", consumesApis=["x"]),
        describe("component:c", dependsOn=["component:b", "resource:db"]),
        describe("component:d", tier="3", dependsOn=["component:c"]),
    )
    found = blast(subjects, entity_ref("resource", "db"))
    assert found.rings == ((A, C), (B, D))
    assert (found.tiers, found.total) == ({"1": 1, "3": 2, "": 1}, 4)


def test_the_ceiling_shows_its_arithmetic(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", dependsOn=["component:b", "resource:cache"]),
        describe("component:b", tier="2"),
        describe("resource:cache", annotations={SLO: "99.9"}),
    )
    (ceiling,) = ceilings(subjects, [A])
    assert ceiling.product == Decimal("99.4005")
    assert not ceiling.reachable
    assert ceiling.arithmetic == "99.95 % is not reachable over b 99.5 % × cache 99.9 % = 99.4005 %"
    assert (ceiling.allowed_minutes, ceiling.expected_minutes) == (Decimal("21.6"), Decimal("259.0"))
    assert ceiling.diagnosis.severity == "warning"


def test_what_has_no_objective_stands_for_what_is_below_it(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="3", dependsOn=["resource:queue", "resource:disk"]),
        describe("resource:queue", dependsOn=["resource:vendor"]),
        describe("resource:vendor", annotations={SLO: "99.9"}),
        describe("resource:disk"),
    )
    (ceiling,) = ceilings(subjects, [A])
    assert [factor.ref for factor in ceiling.factors] == ["resource:default/vendor"]
    assert ceiling.uncounted == (entity_ref("resource", "disk"),)
    assert ceiling.reachable
    assert ceiling.diagnosis.severity == "note"


def test_the_weakest_below_is_a_bound_even_when_those_above_promise_more(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", dependsOn=["component:b"]),
        describe("component:b", tier="1", annotations={SLO: "99.99"}, dependsOn=["component:c"]),
        describe("component:c", tier="1", annotations={SLO: "99.99"}, dependsOn=["resource:vendor", "component:a"]),
        describe("resource:vendor", annotations={SLO: "99"}),
    )
    (ceiling,) = ceilings(subjects, [A])
    assert ceiling.limit == Decimal(99)
    assert ceiling.arithmetic == "99.95 % is not reachable over b 99.99 %, and vendor further below has 99 %"
    assert [found.entity for found in ceilings(subjects, [A, B, C, entity_ref("resource", "vendor")])] == [A, B, C]


def test_a_service_in_a_loop_is_not_bound_by_its_own_objective(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="3", dependsOn=["component:b", "component:a"]),
        describe("component:b", tier="1", dependsOn=["component:a"]),
    )
    first, second = ceilings(subjects, [A, B])
    assert (first.limit, first.reachable) == (Decimal("99.95"), True)
    assert (second.limit, second.reachable) == (Decimal(99), False)


def test_a_hub_that_ten_thousand_need_and_that_needs_them_ends_soon(view, describe) -> None:
    rest = [describe(f"component:c{i}", tier="2", owner="g", dependsOn=["component:hub"]) for i in range(10_000)]
    hub = describe("component:hub", tier="1", dependsOn=["component:hub", *(entity.ref for entity in rest)])
    begun = time.process_time()
    subjects = view(hub, *rest)
    assert [len(cycle.members) for cycle in cycles(subjects.graph)] == [10_001, 1]
    assert blast(subjects, hub.ref).total == 10_000
    assert len(subjects.get(hub.ref).dependents) == 10_000
    assert len(list(inversions(subjects))) == 10_000
    assert len(list(ceilings(subjects, sorted(subjects.graph.entities)))) == 10_001
    assert len(subjects.graph.update("backstage", [describe("component:c0", tier="2", owner="g")])) > 10_000
    assert time.process_time() - begun < 20


def test_an_api_that_ten_thousand_consume_ends_soon(view, describe) -> None:
    rest = [describe(f"component:c{i}", tier="2", consumesApis=["x"]) for i in range(10_000)]
    begun = time.process_time()
    subjects = view(describe("component:a", tier="1", providesApis=["x"]), *rest)
    assert sum(len(found.depends_on) for found in subjects if found.ref.startswith("component:")) == 10_000
    assert len(list(unknown_targets(subjects.graph))) == 1
    assert time.process_time() - begun < 20


def test_a_chain_of_thousands_needs_no_deep_stack(view, describe) -> None:
    chain = [describe(f"component:c{i}", tier="1", dependsOn=[f"component:c{i + 1}"]) for i in range(5000)]
    subjects = view(*chain, describe("component:c5000", annotations={SLO: "99"}, tier="1"))
    (ceiling,) = ceilings(subjects, [chain[0].ref])
    assert ceiling.limit == Decimal(99)
    assert len(blast(subjects, entity_ref("component", "c5000")).rings) == 5000
