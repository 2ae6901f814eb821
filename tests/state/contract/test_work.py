"""The work set: each key once, held by one, never lost."""

import asyncio
import time

import pytest

from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Backlog, Claim, Topic
from tests.state.contract.conftest import Home, pass_time

SUBJECT = Topic.SUBJECT


async def claim(store: SharedStore, most: int = 10, lease: float = 30, owner: str = "a") -> list[Claim]:
    return await store.work.claim(SUBJECT, owner, most, lease)


async def one(store: SharedStore, owner: str = "a") -> Claim:
    [found] = await claim(store, owner=owner)
    return found


def keys(claims: list[Claim]) -> list[str]:
    return [claim.key for claim in claims]


async def test_a_key_is_claimed_once_however_often_it_is_asked_for(store: SharedStore, other: SharedStore) -> None:
    before = time.time()
    await store.work.ask(SUBJECT, ["x", "x"], "first")
    await other.work.ask(SUBJECT, ["x"], "second")
    found = await one(store)
    assert (found.topic, found.key, found.want, found.tries, found.why) == (SUBJECT, "x", 2, 0, "first")
    assert abs(found.asked - before) < 60
    assert await claim(other) == []
    await store.work.finish([found])
    assert await claim(other) == []


async def test_topics_do_not_mix(store: SharedStore) -> None:
    await store.work.ask(Topic.LOOK, ["catalog"], "")
    assert await claim(store) == []
    assert keys(await store.work.claim(Topic.LOOK, "a", 5, 30)) == ["catalog"]


async def test_nothing_is_asked_for(store: SharedStore) -> None:
    await store.work.ask(SUBJECT, [], "")
    await store.work.finish([])
    await store.work.postpone([], 5, "")
    await store.work.release([])
    assert await store.work.renew([], 5) == []
    assert await claim(store) == []


async def test_the_longest_waiting_come_first_and_no_more_than_asked_for(home: Home, store: SharedStore) -> None:
    for key in ("c", "a", "b"):
        await store.work.ask(SUBJECT, [key], "")
        await pass_time(home, 1)
    assert keys(await claim(store, 2)) == ["c", "a"]
    assert keys(await claim(store, 2)) == ["b"]


async def test_some_are_claimed_by_name(store: SharedStore, other: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["a", "b", "c"], "")
    await store.work.ask(SUBJECT, ["later"], "", delay=60)
    assert await store.work.claim(SUBJECT, "a", 5, 30, among=[]) == []
    assert keys(await store.work.claim(SUBJECT, "a", 5, 30, among=["c", "later", "nobody"])) == ["c"]
    assert keys(await other.work.claim(SUBJECT, "b", 5, 30, among=["c", "b"])) == ["b"]


async def test_what_is_asked_for_while_somebody_works_is_done_again(home: Home, store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "first")
    held = await one(store)
    await pass_time(home, 10)
    before = time.time()
    await store.work.ask(SUBJECT, ["x"], "second")
    await store.work.ask(SUBJECT, ["x"], "third")
    assert await claim(store) == []
    await store.work.finish([held])
    again = await one(store)
    assert (again.why, again.want, again.token > held.token) == ("second", 3, True)
    assert abs(again.asked - before) < 5
    await store.work.finish([again])
    assert (await store.work.backlog())[SUBJECT] == Backlog(0, 0.0, 0)


async def test_a_later_time_holds_until_somebody_asks_for_sooner(home: Home, store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x", "y"], "", delay=60)
    assert await claim(store) == []
    await store.work.ask(SUBJECT, ["x"], "", delay=600)
    await store.work.ask(SUBJECT, ["y"], "")
    assert keys(await claim(store, lease=600)) == ["y"]
    await pass_time(home, 61)
    assert keys(await claim(store)) == ["x"]


async def test_a_later_time_holds_for_what_is_asked_meanwhile(home: Home, store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "")
    held = await one(store)
    await store.work.ask(SUBJECT, ["x"], "", delay=60)
    await store.work.ask(SUBJECT, ["x"], "", delay=20)
    await store.work.ask(SUBJECT, ["x"], "", delay=90)
    await store.work.finish([held])
    assert await claim(store) == []
    await pass_time(home, 21)
    assert keys(await claim(store)) == ["x"]


async def test_a_lease_that_runs_out_is_taken_over(home: Home, store: SharedStore, other: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "push")
    first = await one(store)
    await store.work.ask(SUBJECT, ["x"], "more")
    await pass_time(home, 31)
    second = await one(other, "b")
    assert second.token > first.token
    assert (second.want, second.why) == (2, "push")
    assert await store.work.renew([first], 30) == [first]
    for give_back in (store.work.finish, store.work.release):
        await give_back([first])
    await store.work.postpone([first], 5, "no")
    assert (await store.work.backlog())[SUBJECT].claimed == 1
    await other.work.finish([second])
    assert (await store.work.backlog())[SUBJECT] == Backlog(0, 0.0, 0)


async def test_a_renewed_lease_lasts(home: Home, store: SharedStore, other: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x", "y"], "")
    held = await claim(store)
    for _ in range(3):
        await pass_time(home, 20)
        assert await store.work.renew(held, 30) == []
        assert await claim(other) == []


async def test_a_lease_that_nobody_took_can_be_renewed_late(home: Home, store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "")
    held = await one(store)
    await pass_time(home, 100)
    assert await store.work.renew([held], 30) == []
    assert await claim(store) == []


async def test_tokens_rise_for_ever(home: Home, store: SharedStore, other: SharedStore) -> None:
    seen = [0]
    for turn in range(12):
        await store.work.ask(SUBJECT, ["x"], "")
        held = await one((store, other)[turn % 2])
        assert held.token > seen[-1]
        seen.append(held.token)
        if turn % 4 == 0:
            await pass_time(home, 31)
        elif turn % 4 == 1:
            await store.work.release([held])
        elif turn % 4 == 2:
            await store.work.postpone([held], 0, "no")
        else:
            await store.work.finish([held])


async def test_what_failed_waits_and_says_why(home: Home, store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "push")
    first = await one(store)
    await store.work.ask(SUBJECT, ["x"], "meanwhile")
    await store.work.postpone([first], 60, "boom " * 1000)
    assert await claim(store) == []
    assert {key: len(error) for key, error in (await store.work.errors(SUBJECT)).items()} == {"x": 2000}
    assert await store.work.errors(Topic.LOOK) == {}
    assert (await store.work.backlog())[SUBJECT] == Backlog(0, 0.0, 0, later=1)
    await pass_time(home, 61)
    second = await one(store)
    assert (second.tries, second.why, second.want) == (1, "push", 2)
    assert second.asked == pytest.approx(first.asked - 61)
    await store.work.postpone([second], 60, "again")
    await store.work.ask(SUBJECT, ["x"], "now")
    third = await one(store)
    assert third.tries == 2
    assert await store.work.errors(SUBJECT) == {"x": "again"}
    await store.work.finish([third])
    assert await store.work.errors(SUBJECT) == {}
    await store.work.ask(SUBJECT, ["x"], "")
    assert (await one(store)).tries == 0


async def test_what_goes_well_and_was_asked_for_again_has_no_failures(store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "")
    await store.work.postpone(await claim(store), 0, "boom")
    held = await one(store)
    await store.work.ask(SUBJECT, ["x"], "")
    await store.work.finish([held])
    assert await store.work.errors(SUBJECT) == {}
    assert (await one(store)).tries == 0


async def test_what_is_given_back_is_due_at_once(store: SharedStore, other: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["x"], "push")
    held = await one(store)
    await store.work.release([held])
    again = await one(other)
    assert (again.why, again.asked, again.tries) == ("push", held.asked, 0)


async def test_the_backlog_counts(home: Home, store: SharedStore) -> None:
    await store.work.ask(SUBJECT, ["a", "b", "c"], "")
    await store.work.ask(SUBJECT, ["d"], "", delay=600)
    await pass_time(home, 40)
    await claim(store, 1)
    found = await store.work.backlog()
    assert set(found) == set(Topic)
    subjects = found[SUBJECT]
    assert (subjects.due, subjects.claimed, subjects.later) == (2, 1, 1)
    assert 40 <= subjects.oldest < 60
    assert found[Topic.LOOK] == Backlog(0, 0.0, 0)


async def test_asking_wakes_at_once(store: SharedStore) -> None:
    waiting = asyncio.create_task(store.work.wait([SUBJECT, Topic.LOOK], 600))
    await store.work.backlog()  # it is waiting by now
    start = time.monotonic()
    await store.work.ask(Topic.LOOK, ["catalog"], "")
    await waiting
    assert time.monotonic() - start < 0.3


async def test_another_replica_wakes_too(store: SharedStore, other: SharedStore) -> None:
    async with asyncio.timeout(10):
        waiting = asyncio.create_task(store.work.wait([SUBJECT], 600))
        await store.work.backlog()
        await other.work.ask(SUBJECT, ["x"], "")
        await waiting


async def test_waiting_ends(home: Home, store: SharedStore) -> None:
    async with asyncio.timeout(20):
        await store.work.wait([SUBJECT], 0)
        await store.work.ask(Topic.LOOK, ["catalog"], "")
        await store.work.ask(SUBJECT, ["later"], "", delay=0.05)
        await store.work.wait([SUBJECT], 600)
        held = await one(store)
        await pass_time(home, 29.9)
        await store.work.wait([SUBJECT], 600)  # until the lease ends
        assert (await one(store)).token > held.token


async def test_nobody_gets_what_another_has(store: SharedStore, other: SharedStore) -> None:
    await store.work.ask(SUBJECT, [f"k{n}" for n in range(200)], "")
    turns = [claim(replica, 7, owner=str(n)) for n, replica in enumerate([store, other] * 20)]
    found = [key for claims in await asyncio.gather(*turns) for key in keys(claims)]
    assert len(found) == len(set(found)) == 200


async def test_ten_thousand_keys_are_asked_for_at_once(store: SharedStore) -> None:
    names = [f"component:default/s{n:05}" for n in range(10_000)]
    start = time.monotonic()
    await store.work.ask(SUBJECT, names, "full sync")
    await store.work.ask(SUBJECT, reversed(names), "full sync")
    assert (await store.work.backlog())[SUBJECT].due == 10_000
    assert time.monotonic() - start < 10


async def test_asking_and_finishing_side_by_side_loses_nothing(store: SharedStore, other: SharedStore) -> None:
    """Keys are asked for in one order and finished in another, by four at once."""
    names = [f"k{n}" for n in range(30)]
    asked = 0

    async def ask(replica: SharedStore, order: list[str]) -> None:
        nonlocal asked
        for _ in range(20):
            await replica.work.ask(SUBJECT, order, "")
            asked += 1

    async def work(replica: SharedStore) -> None:
        while asked < 40 or (await replica.work.backlog())[SUBJECT].due:
            claims = await claim(replica, 20)
            await replica.work.renew(claims[::2], 30)
            await replica.work.finish(claims[::-1])

    async with asyncio.TaskGroup() as group:
        for replica, order in ((store, names), (other, names[::-1])):
            group.create_task(ask(replica, order))
            group.create_task(work(replica))
    assert (await store.work.backlog())[SUBJECT] == Backlog(0, 0.0, 0)
