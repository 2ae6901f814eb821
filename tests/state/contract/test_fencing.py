"""Who has lost what they work on writes nothing more, and whoever wants the whole is alone."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.store import Kept, SharedStore, Store
from nthlayer_sync.sdk.work import Claim, Fenced, Topic
from tests.state.contract.conftest import Home, pass_time
from tests.state.rows import applied, config, entity, entry, planned, ref, save

WRITES: dict[str, Callable[[Store], Awaitable[object]]] = {
    "small plan": lambda store: save(store, planned(5)),
    "plan": lambda store: save(store, planned(5), planned(6), planned(7)),
    "roots": lambda store: store.see_roots({"git b": "moved"}),
    "keep": lambda store: store.keep("catalog", Kept(entities=(entity(5),))),
    "drop": lambda store: store.drop("catalog"),
    "doubt": lambda store: store.doubt([ref(1)]),
    "intend": lambda store: store.intend([entry(5)]),
    "finish": lambda store: store.finish([msgspec.structs.replace(entry(1), done=True)], {config(1): applied("x")}),
    "forget": lambda store: store.forget_entries([entry(1)]),
}


async def claim(store: SharedStore, *keys: str, owner: str = "a") -> list[Claim]:
    await store.work.ask(Topic.SUBJECT, keys, "")
    return await store.work.claim(Topic.SUBJECT, owner, 10, 30)


async def everything(store: SharedStore) -> list[object]:
    return [
        *(await store.memories(), await store.traces(), await store.roots(), await store.existing()),
        *(await store.plan(""), await store.plans(), await store.journal("p")),
        *(await store.kept("catalog"), await store.generation()),
    ]


async def fill(store: SharedStore) -> None:
    await save(store, planned(1))
    await store.intend([entry(1)])
    await store.finish([], {config(1): applied()})
    await store.keep("catalog", Kept(entities=(entity(1),)))
    await store.see_roots({"git a": "tree"})


@pytest.mark.parametrize("name", WRITES)
async def test_a_lost_claim_writes_nothing(home: Home, store: SharedStore, name: str) -> None:
    await fill(store)
    claims = await claim(store, ref(1), ref(2))
    fenced = store.fenced(claims)
    before = await everything(store)
    await pass_time(home, 31)
    with pytest.raises(Fenced):  # it ran out
        await WRITES[name](fenced)
    await claim(store, owner="b")
    with pytest.raises(Fenced, match=r"another replica"):  # it was taken over
        await WRITES[name](fenced)
    assert await everything(store) == before
    await WRITES[name](store)
    assert await everything(store) != before


@pytest.mark.parametrize("name", WRITES)
async def test_a_claim_that_holds_writes(store: SharedStore, name: str) -> None:
    await fill(store)
    before = await everything(store)
    await WRITES[name](store.fenced(await claim(store, ref(1))))
    assert await everything(store) != before


async def test_one_lost_claim_of_many_is_enough(store: SharedStore) -> None:
    claims = await claim(store, *(ref(n) for n in range(9)))
    fenced = store.fenced(claims)
    await fenced.see_roots({"git a": "1"})
    await store.work.finish(claims[4:5])
    with pytest.raises(Fenced, match="s0004"):
        await fenced.see_roots({"git a": "2"})
    assert await store.roots() == {"git a": "1"}


@pytest.mark.parametrize("how", ["finish", "release", "postpone", "again"])
async def test_what_was_given_back_is_no_longer_ours(store: SharedStore, how: str) -> None:
    claims = await claim(store, ref(1))
    if how == "again":
        await store.work.ask(Topic.SUBJECT, [ref(1)], "")
    if how == "postpone":
        await store.work.postpone(claims, 5, "no")
    else:
        await (store.work.release if how == "release" else store.work.finish)(claims)
    with pytest.raises(Fenced):
        await store.fenced(claims).see_roots({"git a": "1"})


async def test_a_claim_that_is_lost_while_a_plan_is_made_saves_nothing(home: Home, store: SharedStore) -> None:
    claims = await claim(store, ref(1))
    lost, told = asyncio.Event(), asyncio.Event()

    async def rows():
        told.set()
        await lost.wait()
        yield [planned(1)]

    saving = asyncio.create_task(store.fenced(claims).save_plan(rows(), lambda: pytest.fail("no head is asked for")))
    await told.wait()
    await pass_time(home, 31)
    await claim(store, owner="b")
    lost.set()
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert (await store.traces(), await store.plan("")) == ({}, None)


async def test_a_worker_sees_open_lines_of_its_subjects_and_the_whole_those_of_nobody(
    home: Home, store: SharedStore
) -> None:
    await store.intend([entry(n) for n in (3, 1, 2)])
    claims = await claim(store, ref(1), ref(2))
    fenced = store.fenced(claims)
    assert [line.id.subject for line in await fenced.journal()] == [ref(1), ref(2)]
    assert [line.id.subject for line in await fenced.journal("p")] == [ref(3), ref(1), ref(2)]
    assert [line.id.subject for line in await store.journal()] == [ref(3)]
    await pass_time(home, 31)
    assert [line.id.subject for line in await store.journal()] == [ref(3), ref(1), ref(2)]


async def test_a_leader_is_fenced_and_has_no_subjects(store: SharedStore) -> None:
    await store.intend([entry(1)])
    await store.work.ask(Topic.LEAD, ["leader"], "")
    fenced = store.fenced(await store.work.claim(Topic.LEAD, "a", 1, 30))
    await fenced.keep("catalog", Kept())
    assert await fenced.journal() == []


async def test_workers_apply_side_by_side_and_the_whole_alone(store: SharedStore, other: SharedStore) -> None:
    one, two = store.fenced(await claim(store, ref(1))), other.fenced(await claim(other, ref(2), owner="b"))
    async with one.applying():
        async with two.applying():
            await one.intend([entry(1)])
        for whole in (store, other):
            with pytest.raises(TemporaryError, match=r"a daemon \(a, b\) is applying"):
                async with whole.applying():
                    pytest.fail("a worker applies")
        async with one.applying():
            pass
    async with store.applying():
        await store.intend([entry(2)])
        await other.see_roots({"git a": "tree"})
        for someone in (one, two, store, other):
            with pytest.raises(TemporaryError, match="is applying"):
                async with someone.applying():
                    pytest.fail("the whole is being applied")
    async with two.applying():
        pass


async def test_an_error_while_applying_is_left_as_it_is(store: SharedStore) -> None:
    for error in (TimeoutError("of a tool"), ValueError("a bug"), OSError("a file")):
        with pytest.raises(type(error), match=str(error)):
            async with store.applying():
                raise error
    async with store.applying():
        pass


async def test_an_error_while_a_plan_is_made_is_left_as_it_is(store: SharedStore) -> None:
    for error in (
        TimeoutError("of a tool"),
        ValueError("a bug"),
        OSError("a file"),
        UnicodeDecodeError("a", b"", 0, 1, "b"),
    ):

        async def rows(error: Exception = error):
            yield [planned(1)]
            yield [planned(2)]
            raise error

        with pytest.raises(type(error)):
            await store.save_plan(rows(), lambda: pytest.fail("no head is asked for"))
    assert await store.traces() == {}
