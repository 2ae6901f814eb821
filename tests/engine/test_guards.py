"""Guards: what a plan may not do without a person, in numbers."""

import pytest

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.decide import RECREATES
from nthlayer_sync.engine.guards import Consent, Existing, Tally, guard
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.model.ref import entity_ref

GUARDS = load_tiers(None).guards
TEAM = entity_ref("group", "team")


def refused(existing, *, deletes=0, updates=0, consent=Consent(), kinds=None, owner=None, protected=()):
    tally = Tally()
    for n in range(deletes + updates):
        action = Action.DELETE if n < deletes else Action.UPDATE
        change = Change("k/a", "", action, "", Place("", "x"), "", owner=owner)
        tally.add(Part(entity_ref("component", f"s{n}"), (change,)), protected)
    counts = Existing(existing, {"k/a": existing if kinds is None else kinds, TEAM: existing})
    return guard(tally, counts, GUARDS, consent)


@pytest.mark.parametrize(
    ("existing", "deletes", "fine"),
    [
        (1, 1, True), (9, 1, True), (9, 2, False), (9, 9, False), (2, 2, False),
        (10, 1, True), (10, 2, False), (100, 10, True), (100, 11, False), (100, 29, False),
        (1000, 50, True), (1000, 51, False), (250_000, 50, True), (250_000, 51, False), (250_000, 250_000, False),
    ],
)  # fmt: skip
def test_deletes(existing, deletes, fine):
    found = refused(existing, deletes=deletes)
    assert (not found) is fine
    if found:
        assert found[0].override == f"--allow-deletes {deletes}"
        assert f"{deletes} deletes of the {existing}" in found[0].message


def test_a_kind_is_guarded_beside_the_whole():
    assert refused(1000, deletes=5, kinds=1000) == ()
    assert "k/a" in refused(1000, deletes=5, kinds=12)[0].message


@pytest.mark.parametrize(
    ("existing", "updates", "fine"),
    [(5, 5, True), (200, 200, True), (201, 201, False), (1000, 300, True), (1000, 301, False), (100_000, 5001, False)],
)
def test_updates(existing, updates, fine):
    found = refused(existing, updates=updates)
    assert (not found) is fine
    assert all(refusal.override == f"--allow-updates {updates}" for refusal in found)


def test_consent_is_to_a_number_and_to_one_thing():
    assert refused(100, deletes=20, consent=Consent(deletes=20)) == ()
    assert refused(100, deletes=21, consent=Consent(deletes=20)) != ()
    assert refused(100, deletes=20, consent=Consent(updates=20)) != ()
    assert refused(1000, updates=400, consent=Consent(updates=400)) == ()
    assert refused(1000, updates=400, consent=Consent(updates=399, deletes=999)) != ()


def test_protected_configs_go_only_by_name():
    found = refused(1000, deletes=2, protected=("k/* component:default/s0",))
    assert [r.override for r in found] == ["--allow-protected 'k/a component:default/s0'"]
    consent = Consent(deletes=99)
    assert refused(1000, deletes=2, protected=("*",), consent=consent) != ()
    named = Consent(protected=frozenset({"k/a component:default/s0"}))
    assert refused(1000, deletes=2, protected=("* *s0",), consent=named) == ()


def test_an_owner_is_not_emptied_unasked():
    tally_owner = refused(20, deletes=1, owner=TEAM)
    assert tally_owner == ()
    counts = Existing(1000, {"k/a": 1000, TEAM: 3})
    tally = Tally()
    for n in range(3):
        change = Change("k/a", "", Action.DELETE, "", Place("", "x"), "", owner=TEAM)
        tally.add(Part(entity_ref("component", f"s{n}"), (change,)), ())
    (refusal,) = guard(tally, counts, GUARDS, Consent())
    assert refusal.message == "group:default/team would lose all of its 3 configs"
    assert guard(tally, counts, GUARDS, Consent(deletes=3)) == ()


@pytest.mark.parametrize(
    ("existing", "recreates", "fine"), [(10, 10, True), (100, 10, True), (100, 11, False), (1000, 51, False)]
)
def test_what_was_removed_outside_is_not_made_again_unasked_in_great_number(existing, recreates, fine):
    tally = Tally()
    for n in range(recreates):
        change = Change("k/a", "", Action.CREATE, "", Place("", "x"), "", reason=RECREATES)
        tally.add(Part(entity_ref("component", f"s{n}"), (change,)), ())
    counts = Existing(existing, {"k/a": existing})
    found = guard(tally, counts, GUARDS, Consent())
    assert [r.override for r in found] == ([] if fine else [f"--allow-recreates {recreates}"])
    assert guard(tally, counts, GUARDS, Consent(recreates=recreates)) == ()
