"""Whatever a catalog does, nothing is deleted that was not proven gone; and what is gone goes, in two reads."""

import time
from pathlib import Path

import pytest

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.run import Request
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.ref import entity_ref
from tests.faults.house import House, deletes, says, service

HOUR = 3600.0
SIZES = (9, 100, 1000)


def faults(entities):
    """Everything that can go wrong with reading a catalog, as the snapshots that come of it."""
    size = len(entities)
    pages = [entities[: size * k // 20] for k in (0, 1, 10, 19)]
    twice = [*entities[:-1], service(entities[0].name, "clone", uid="another")]
    return {
        "200 with an empty list": says(),
        "29 % are missing": says(entities[: int(size * 0.71)]),
        "31 % are missing": says(entities[: int(size * 0.69)]),
        "99 % are missing": says(entities[: max(1, size // 100)]),
        **{f"page {k} fails": says(rows, "incomplete") for k, rows in zip((1, 2, 11, 20), pages, strict=True)},
        "the cursor repeats": says([*entities[: size // 2], *entities[: size // 2]], "incomplete"),
        "one name, two uids": says([*entities, service(entities[0].name, "clone", uid="another")]),
        "one uid, two names": says([*entities, service("clone", uid=entities[0].uid)]),
        "one name twice, and one missing": says(twice, "incomplete"),
        "401 in the middle": says(entities[: size // 2], "failed"),
        "an HTML login page": says((), "failed"),
        "truncated, and taken for less": says(entities[:-1], "incomplete"),
        "too slow": says((), "failed"),
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """The time of day, which the test sets."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


@pytest.mark.parametrize("size", SIZES)
async def test_no_fault_of_a_source_deletes_anything(tmp_path: Path, clock, size: int) -> None:
    entities = [service(f"s{n:04}", uid=f"u{n}") for n in range(size)]
    house = House(tmp_path)
    house.build()
    house.catalog.said = says(entities)
    await house.run()
    before = house.names()
    assert len(before) == size
    for fault, said in faults(entities).items():
        for _ in range(3):
            clock[0] += HOUR
            house.catalog.said = said
            plan, results = await house.run()
            assert deletes(plan) == 0, fault
            assert all(result.outcome != "failed" for result in results), fault
        house.catalog.said = says(entities)
        clock[0] += HOUR
        plan, _ = await house.run(Request(consent=Consent(deletes=2)) if fault == "one uid, two names" else Request())
        assert before <= house.names(), fault
    assert before == house.names() - {"clone"}


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_gone_goes_after_two_reads_and_some_time(tmp_path: Path, clock, size: int) -> None:
    entities = [service(f"s{n:04}", uid=f"u{n}") for n in range(size)]
    house = House(tmp_path)
    house.build()
    house.catalog.said = says(entities)
    await house.run()
    lost = max(1, size // 20)
    house.catalog.said = says(entities[lost:])
    for seconds in (1, 60, 599):
        clock[0] += seconds - 1 if seconds == 599 else 0
        assert deletes((await house.plan())[0]) == 0
    clock[0] += 600
    plan, _ = await house.run()
    assert deletes(plan) == 2 * lost
    if size < 10 or 2 * lost > 50:
        assert plan.refusals
        assert len(house.names()) == size
    plan, _ = await house.run(Request(consent=Consent(deletes=2 * lost)))
    assert len(house.names()) == size - lost
    clock[0] += HOUR
    plan, _ = await house.run()
    assert plan.counts == {}


async def test_the_status_says_what_is_held_and_why(tmp_path: Path, clock) -> None:
    entities = [service(f"s{n}") for n in range(100)]
    house = House(tmp_path)
    house.build()
    house.catalog.said = says(entities)
    await house.run()
    house.catalog.said = says(entities[:50])
    async with house.engine() as engine:
        plan = await engine.plan()
        assert plan.sources[0].completeness == "incomplete"
        assert "50 fewer than the 100" in plan.sources[0].reason
        assert [d.code for d in engine.diagnoses] == ["source-incomplete"]
    house.catalog.said = says(entities[1:])
    async with house.engine() as engine:
        await engine.plan()
        assert [(d.code, d.entity) for d in engine.diagnoses] == [("entity-missing", "component:default/s0")]


async def test_a_person_may_agree_to_a_shrink_and_vouch_for_an_absence(tmp_path: Path, clock) -> None:
    entities = [service(f"s{n:02}") for n in range(40)]
    house = House(tmp_path)
    house.build()
    house.catalog.said = says(entities)
    await house.run()
    house.catalog.said = says(entities[20:])
    shrunk = Request(shrunk=frozenset({"catalog"}), consent=Consent(deletes=40))
    assert deletes((await house.run(shrunk))[0]) == 0
    clock[0] += HOUR
    assert deletes((await house.run(shrunk))[0]) == 40
    house.catalog.said = says(entities[21:])
    gone = frozenset({entity_ref("component", "s20")})
    assert deletes((await house.run(Request(gone=gone, consent=Consent(deletes=2))))[0]) == 2
    assert len(house.names()) == 19


async def test_a_source_that_never_was_read_stops_the_run_before_anything(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.build()
    house.catalog.said = says((), "failed")
    with pytest.raises(TemporaryError, match="cannot be read, and never was"):
        await house.run()


async def test_a_source_taken_out_of_the_settings_is_given_up_only_by_name(tmp_path: Path, clock) -> None:
    house = House(tmp_path)
    house.build()
    house.catalog.said = says([service("a"), service("b")])
    await house.run()
    house.catalog.name = "another"
    house.catalog.said = says([service("a")])
    for _ in range(3):
        clock[0] += HOUR
        plan, _ = await house.run()
        assert {action for counts in plan.counts.values() for action in counts} == {"hold"}
    drop = Request(dropped=frozenset({"catalog"}), consent=Consent(deletes=2))
    assert deletes((await house.run(drop))[0]) == 2
    assert house.names() == {"a"}


async def test_a_source_that_covers_something_else_now_is_not_compared_with_what_it_covered(
    tmp_path: Path, clock
) -> None:
    house = House(tmp_path)
    house.build()
    entities = [service(f"s{n:02}") for n in range(40)]
    house.catalog.said = says(entities)
    await house.run()
    for _ in range(3):
        clock[0] += HOUR
        house.catalog.said = says(entities[1:], scope="some")
        assert deletes((await house.run())[0]) == 0
    shrunk = Request(shrunk=frozenset({"catalog"}))
    await house.run(shrunk)
    clock[0] += HOUR
    assert deletes((await house.run())[0]) == 2


@pytest.mark.parametrize("jump", [-599, 600, HOUR, 10 * 365 * 24 * HOUR])
async def test_a_clock_that_jumps_does_not_prove_absence_by_itself(tmp_path: Path, clock, jump: float) -> None:
    entities = [service(f"s{n:03}") for n in range(100)]
    house = House(tmp_path)
    house.build()
    house.catalog.said = says(entities)
    await house.run()
    clock[0] += jump
    house.catalog.said = says(entities[1:])
    assert deletes((await house.run())[0]) == 0
    clock[0] -= jump
    assert deletes((await house.run())[0]) == 0
    clock[0] += 600
    assert deletes((await house.run())[0]) == 2
