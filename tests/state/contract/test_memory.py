"""What is remembered of subjects, plans and writes."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Plan
from nthlayer_sync.sdk.store import Absence, Kept, Memory, Planned, SharedStore
from nthlayer_sync.state import retention
from tests.state.contract.conftest import Home
from tests.state.rows import OWNER, applied, config, entity, entry, planned, ref, save, wanted

DAY = 86_400.0


async def test_a_plan_comes_back_whole_and_in_order(store: SharedStore, other: SharedStore) -> None:
    rows = [planned(n) for n in (*range(10, 1200), *range(10))]
    plan = await save(store, *rows)
    assert await other.plan(plan.id) == plan == await other.plan("")
    assert [part.subject async for part in other.parts(plan.id)] == sorted(row.subject for row in rows)
    assert len(await other.traces()) == 1200
    assert [ref async for ref, _ in other.each_memory()] == sorted(row.subject for row in rows)
    assert await other.unsettled() == 1200
    assert await other.plan("nobody") is None
    assert [part async for part in other.parts("nobody")] == []


async def test_an_empty_plan_is_kept(store: SharedStore) -> None:
    plan = await save(store)
    assert await store.plan(plan.id) == plan
    assert [part async for part in store.parts(plan.id)] == []


async def test_the_same_plan_again_takes_its_place(store: SharedStore) -> None:
    await save(store, planned(1), planned(2))
    await save(store, planned(3), checksum="a" * 32)
    again = await save(store, planned(1))
    assert await store.plan("") == again
    assert [part.subject async for part in store.parts(again.id)] == [ref(1)]
    assert len(await store.plans()) == 2


async def test_planning_never_says_what_is_applied(store: SharedStore) -> None:
    await save(store, planned(1))
    await store.finish([], {config(1): applied()})
    await save(store, planned(1, None))
    assert (await store.memories())[ref(1)].applied == (applied(),)
    forged = msgspec.structs.replace(planned(1), memory=Memory(b"f", "", (wanted(),), (applied("another"),)))
    await save(store, forged)
    assert (await store.memories([ref(1), ref(9)])) == {ref(1): Memory(b"f", "", (wanted(),), (applied(),))}


async def test_a_new_name_takes_over_what_is_applied(store: SharedStore) -> None:
    await save(store, planned(1))
    await store.finish([], {config(1): applied()})
    renamed = Planned(ref(2), Memory(b"f", "u1", (wanted(),), (applied(),)), None)
    await save(store, renamed, Planned(ref(1), None, None))
    assert {name: memory.applied for name, memory in (await store.memories()).items()} == {ref(2): (applied(),)}


async def test_a_subject_is_found_by_its_uid(store: SharedStore) -> None:
    await save(store, planned(1), planned(2), msgspec.structs.replace(planned(3), memory=Memory(b"f", "")))
    assert await store.called(["u2", "u9", ""]) == [ref(2)]


async def test_settled_is_what_is_wanted_and_applied_alike(store: SharedStore) -> None:
    await save(store, planned(1), planned(2), planned(3, Action.KEEP))
    await store.finish([], {config(n): applied() for n in (1, 3)})
    traces = await store.traces([ref(1), ref(2), ref(3)])
    assert [traces[ref(n)].settled for n in (1, 2, 3)] == [True, False, False]
    await store.finish([], {config(2): applied("another")})
    assert not (await store.traces())[ref(2)].settled
    assert await store.unsettled() == 2


async def test_doubt_unsettles(store: SharedStore) -> None:
    await save(store, planned(1, None), planned(2, None))
    await store.doubt([ref(1), ref(9)])
    traces = await store.traces()
    assert {r: (t.settled, t.astray) for r, t in traces.items()} == {ref(1): (False, True), ref(2): (True, False)}


async def test_a_doubt_that_comes_up_while_somebody_plans_stays(store: SharedStore) -> None:
    await save(store, planned(1, None))
    await store.doubt([ref(1)])
    await save(store, planned(1, None))  # it was planned before the doubt came up
    assert (await store.traces())[ref(1)].astray
    assert not (await store.traces())[ref(1)].settled
    await save(store, msgspec.structs.replace(planned(1, None), doubted=True))
    assert not (await store.traces())[ref(1)].astray
    assert (await store.traces())[ref(1)].settled


async def test_what_is_neither_wanted_nor_applied_is_forgotten(store: SharedStore) -> None:
    await save(store, planned(1))
    await store.finish([], {config(1): applied()})
    await save(store, Planned(ref(1), Memory(b"f"), None))
    await store.finish([], {config(1): None})
    assert await store.traces() == {}


async def test_what_is_applied_is_counted(store: SharedStore) -> None:
    await store.finish([], {config(1): applied(owner=OWNER), config(2): applied()})
    assert await store.existing() == {"": 2, "k/a": 2, OWNER: 1, "nobody": 1}
    await store.finish([], {config(1): applied("e"), config(2): None})
    assert await store.existing() == {"": 1, "k/a": 1, OWNER: 0, "nobody": 1}


async def test_a_plan_that_fails_half_way_leaves_nothing(store: SharedStore) -> None:
    async def rows() -> AsyncIterator[Sequence[Planned]]:
        for n in (1, 2, 3):
            yield [planned(n)]
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError):
        await store.save_plan(rows(), lambda: Plan(checksum="x" * 32))
    assert (await store.traces(), await store.plan("")) == ({}, None)
    await save(store, planned(3))
    assert set(await store.traces()) == {ref(3)}


async def test_a_plan_that_is_cancelled_leaves_nothing(store: SharedStore) -> None:
    started = asyncio.Event()

    async def rows() -> AsyncIterator[Sequence[Planned]]:
        yield [planned(1)]
        yield [planned(2)]
        started.set()
        await asyncio.Event().wait()
        yield []

    task = asyncio.create_task(store.save_plan(rows(), lambda: Plan(checksum="x" * 32)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.traces() == {}
    await save(store, planned(2))


async def test_nobody_waits_while_a_small_plan_is_made(store: SharedStore) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def rows() -> AsyncIterator[Sequence[Planned]]:
        started.set()
        await go_on.wait()
        yield [planned(1)]

    task = asyncio.create_task(store.save_plan(rows(), lambda: Plan(checksum="x" * 32)))
    await started.wait()
    async with asyncio.timeout(5):
        await store.see_roots({"git a": "tree"})
    go_on.set()
    await task
    assert set(await store.traces()) == {ref(1)}


async def test_the_journal_opens_closes_and_forgets(store: SharedStore) -> None:
    await store.intend([entry(1), entry(2), entry(3)])
    assert await store.journal() == [entry(1), entry(2), entry(3)]
    done = msgspec.structs.replace(entry(1), after="r", done=True)
    await store.finish([done], {})
    await store.forget_entries([entry(2)])
    assert await store.journal() == [entry(3)]
    assert await store.journal("p") == [done, entry(3)]
    assert await store.undoable() == [("p", 2)]


async def test_a_line_that_is_written_again_is_open_and_last(store: SharedStore) -> None:
    await store.intend([entry(1), entry(2)])
    await store.finish([msgspec.structs.replace(entry(1), done=True)], {})
    await store.intend([msgspec.structs.replace(entry(1), before="b")])
    assert [line.key for line in await store.journal()] == ["k2x", "k1x"]


async def test_the_newest_plan_comes_first_to_be_undone(store: SharedStore) -> None:
    for plan in ("b", "a", "c"):
        await store.intend([entry(1, plan), entry(2, plan)])
    assert await store.undoable(2) == [("c", 2), ("a", 2)]


async def test_what_was_written_lately_is_counted(store: SharedStore) -> None:
    now = time.time()
    lines = [
        entry(1, at=now, intended=applied(owner=OWNER)),
        entry(2, at=now, intended=applied(), action=Action.UPDATE),
        entry(3, at=now, applied=applied(owner=OWNER), action=Action.DELETE),
        entry(4, at=now - DAY - 60, intended=applied()),
        entry(5, at=now, intended=applied()),
        # One config that moves: where it goes, and where it stood.
        entry(6, at=now, intended=applied()),
        entry(6, at=now, applied=applied(), place=Place("root", "old"), action=Action.DELETE),
    ]
    await store.intend(lines)
    assert await store.written(now - DAY) == {}
    await store.finish([msgspec.structs.replace(line, done=True) for line in lines if line.key != "k5x"], {})
    assert await store.written(now - DAY) == {
        "": {"create": 2, "update": 1, "delete": 1},
        "k/a": {"create": 2, "update": 1, "delete": 1},
        OWNER: {"create": 1, "delete": 1},
        "nobody": {"update": 1, "create": 1},
    }


async def test_what_a_source_said_comes_back(store: SharedStore, other: SharedStore) -> None:
    entities = tuple(entity(n) for n in range(3))
    kept = Kept(read_digest="d", entities=entities, absent={ref(9): Absence(1.5, 1)}, high_water=3)
    assert await store.kept("catalog") is None
    await store.keep("catalog", kept)
    assert await other.kept("catalog") == kept
    assert await other.read_digests() == {"catalog": "d"}
    await store.keep("catalog", msgspec.structs.replace(kept, entities=entities[:1]), changed=[ref(1), ref(2)])
    found = await store.kept("catalog")
    assert found is not None
    assert found.entities == entities[:1]
    await store.keep("catalog", Kept())
    assert await store.kept("catalog") == Kept()
    await store.drop("catalog")
    assert (await store.kept("catalog"), await store.read_digests()) == (None, {})


async def test_followers_learn_which_entities_changed(store: SharedStore, other: SharedStore) -> None:
    start = await other.generation()
    await store.keep("catalog", Kept(entities=tuple(entity(n) for n in range(4))))
    first = await other.generation()
    assert first > start
    assert await other.entity_marks("catalog") == {ref(n): first for n in range(4)}
    changed = (entity(0), entity(1, "new"), entity(3))
    await store.keep("catalog", Kept(entities=changed))  # all of it is said again
    second = await other.generation()
    assert await other.entity_marks("catalog") == {ref(0): first, ref(1): second, ref(3): first}
    await store.keep("catalog", Kept(entities=(entity(0), entity(1, "new"), entity(3, "new"))), changed=[ref(3)])
    third = await other.generation()
    assert await other.entity_marks("catalog") == {ref(0): first, ref(1): second, ref(3): third}
    assert await other.entities("catalog", [ref(1), ref(9), ref(3)]) == [entity(1, "new"), entity(3, "new")]
    assert await other.entities("another", [ref(1)]) == []
    await store.drop("catalog")
    assert await other.generation() > third > second
    assert await other.entity_marks("catalog") == {}


async def test_a_few_subjects_are_recollected_at_once(store: SharedStore, other: SharedStore) -> None:
    await save(store, *(planned(n, Action.CREATE if n > 2 else None) for n in range(1, 5)))
    known = await other.recollect({ref(1): b"f", ref(2): b"new", ref(3): b"f", ref(9): b""})
    assert {name: trace.settled for name, trace in known.traces.items()} == {ref(1): True, ref(2): True, ref(3): False}
    assert known.memories == await other.memories([ref(2), ref(3)])  # of what is settled, only what is another now
    assert not known.open
    await store.intend([entry(3)])
    assert (await other.recollect({ref(1): b"f"})).open
    assert (await other.recollect({})).open
    await store.forget_entries([entry(3)])
    assert not (await other.recollect({ref(9): b""})).open


async def test_what_a_source_said_is_the_same_however_often_it_is_asked_for(
    store: SharedStore, other: SharedStore, home: Home
) -> None:
    said = (tuple(entity(n) for n in range(4)), (entity(0), entity(2, "new"), entity(5)), (), (entity(2), entity(3)))
    for entities in said:
        await store.keep("catalog", Kept(entities=entities))
        for _ in range(2):
            assert await other.kept("catalog") == Kept(entities=entities)
    await store.drop("catalog")
    await store.keep("catalog", Kept(entities=said[0]))
    assert await other.kept("catalog") == Kept(entities=said[0])
    await home.run("update counter set value = 1 where name = 'generation'")  # a copy from before was put back
    await home.run("update entity set generation = 1")
    await home.run(f"delete from entity where ref = '{ref(3)}'")
    assert await other.kept("catalog") == Kept(entities=said[0][:3])


async def test_what_is_left_to_do_outlives_its_plan(
    store: SharedStore, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    for engine in ("sqlite", "postgres"):
        module = f"nthlayer_sync.state.{engine}.statements"
        for name, value in {"PLANS_KEPT": 2, "SMALL_PLANS_KEPT": 3, "PLANS_BETWEEN": 1, "PARTS_KEPT": 100}.items():
            monkeypatch.setattr(f"{module}.{name}", value)
    old = await save(store, planned(1), planned(2), planned(3))
    await store.finish([], {config(2): applied()})
    await save(store, planned(3, None), checksum="1" * 32)
    for n in range(5):
        await save(store, planned(10 + n), checksum=f"{n + 2:032}"[::-1])
    assert await store.plan(old.id) is None
    assert len(await store.plans()) == 3
    assert (await home.run("select count(*) from part")) == [(3,)]
    left = await store.open_parts()
    assert [part.subject for _, part in left] == [ref(1), *(ref(10 + n) for n in range(5))]
    assert left[0] == (old.id, planned(1).part)
    assert await store.open_parts([ref(1), ref(2), ref(3)]) == left[:1]
    assert await store.open_parts(after=ref(1), limit=2) == left[1:3]
    await store.finish([], {config(1): applied()})
    assert await store.open_parts([ref(1)]) == []
    await store.doubt([ref(1)])
    assert await store.open_parts([ref(1)]) == []


async def test_large_plans_go_sooner_than_small_ones(store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ("sqlite", "postgres"):
        module = f"nthlayer_sync.state.{engine}.statements"
        for name, value in {"PLANS_KEPT": 2, "SMALL_PLANS_KEPT": 50, "PLANS_BETWEEN": 1, "PARTS_KEPT": 6}.items():
            monkeypatch.setattr(f"{module}.{name}", value)
    for n in range(8):
        await save(store, planned(n), checksum=f"{n:032}"[::-1])
    assert len(await store.plans()) == 6
    await save(store, *(planned(n) for n in range(5)), checksum="9" * 32)
    assert len(await store.plans()) == 2


async def test_plans_are_listed(store: SharedStore) -> None:
    made = [await save(store, planned(n), checksum=f"{n:032}"[::-1]) for n in range(5)]
    newest = await store.plans(limit=2)
    assert [plan for _, plan in newest] == [made[4], made[3]]
    assert [plan for _, plan in await store.plans(before=newest[-1][0])] == [made[2], made[1], made[0]]


async def test_old_lines_of_the_journal_go(home: Home, store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert retention.UNDOABLE_KEPT >= 200
    for engine in ("sqlite", "postgres"):
        monkeypatch.setattr(f"nthlayer_sync.state.{engine}.statements.UNDOABLE_KEPT", 2)
    now = time.time()
    young = entry(9, plan="young", at=now - DAY + 60)
    lines = [young, *(entry(n, plan=f"p{n}", at=now - DAY * (2 - n / 10)) for n in range(5))]
    await store.intend(lines)
    await store.finish([msgspec.structs.replace(line, done=True) for line in lines if line.plan != "p1"], {})
    async with store.applying():
        pass
    # The newest two plans, lines younger than a day, and what is open.
    assert await home.run("select plan from journal order by number") == [("young",), ("p1",), ("p3",), ("p4",)]


async def test_a_damaged_row_says_so(home: Home, store: SharedStore) -> None:
    await store.finish([], {config(1): applied()})
    await home.run("update memory set sum = sum + 1")
    with pytest.raises(PermanentError, match="damaged"):
        await store.memories()
    with pytest.raises(PermanentError, match="damaged"):
        await store.finish([], {config(1): applied("e")})
