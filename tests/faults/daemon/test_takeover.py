"""What a replica leaves behind, another goes on with: soon after it died, and at once when it was told to stop."""

import time

import pytest

from nthlayer_sync.sandbox import Fault, Sandbox
from nthlayer_sync.sdk.work import Topic
from tests.faults.daemon.crew import LEASE, Crew, until
from tests.faults.daemon.judge import Judge, converged, live

SLACK = 1.5
"""Seconds beyond the lease: a second to notice, and half a one for a machine that does other things too."""
SERVICES = {f"s{number:05}": "hello" for number in range(6)}


@pytest.fixture
async def two(crew: Crew, sandbox: Sandbox) -> Crew:
    """Two replicas, settled. Nothing happens by the clock: what happens was asked for."""
    crew.serve |= {"every": "1h", "audit": "1h"}
    crew.says(SERVICES)
    await crew.start("one")
    await converged(crew, sandbox, 20)
    await crew.start("two")
    await crew.up("two")
    return crew


async def holder(crew: Crew) -> str:
    """Who works on a subject now."""
    rows = await crew.home.run(
        "select owner from work where topic = 'subject' and owner <> '' "
        "and until > extract(epoch from clock_timestamp())"
    )
    return rows[0][0] if rows else ""


async def test_the_work_of_a_killed_replica_is_taken_over(two: Crew, sandbox: Sandbox, judge: Judge) -> None:
    """It dies while it waits for an answer; the one that is left goes on, and looks before it writes."""
    sandbox.pagerduty.faults.add(Fault(method="PUT", path="/services/*", delay=60.0, times=1))
    before = sandbox.ledger.of("pagerduty").writes

    async def sent() -> bool:
        return sandbox.ledger.of("pagerduty").writes > before

    two.says(SERVICES | {"s00003": "changed"})
    await two.call()
    dead = await until(lambda: holder(two), 10, "somebody works on it")
    await until(sent, 10, "it has sent the write")
    died = time.time()
    await two.kill(dead)
    other = "two" if dead == "one" else "one"

    async def written() -> bool:
        return live(sandbox)[0]["s00003"] == "changed"

    await until(written, LEASE + SLACK + 5, "the other has written it")
    (write,) = [write for write in judge.writes if write.subject == "component:default/s00003"]
    assert write.replica == other
    claims = [t for t in (await judge.tenures("subject"))["component:default/s00003"] if t.owner == other]
    assert claims[0].begin - died <= LEASE + SLACK
    await converged(two, sandbox, 10)
    await judge.one_writer()


async def test_another_leads_when_the_leader_is_killed(two: Crew, judge: Judge) -> None:
    leader = await two.leader()
    died = time.time()
    await two.kill(leader)
    other = await two.someone_leads(but=leader)
    (tenures,) = (await judge.tenures("lead")).values()
    assert tenures[-1].owner == other
    assert tenures[-1].begin - died <= LEASE + SLACK


async def test_one_that_is_told_to_stop_hands_over_at_once(two: Crew, sandbox: Sandbox, judge: Judge) -> None:
    """It finishes what it has in hand, and the other leads in less time than the lease."""
    leader = await two.leader()
    other = "two" if leader == "one" else "one"
    two.says(dict.fromkeys(SERVICES, "changed"))
    await two.call()
    await until(lambda: holder(two), 10, "somebody works")
    told = time.time()
    await two.stop(leader)
    assert await two.store.journal() == [] or await holder(two) == other
    rows = await two.home.run(f"select count(*) from work where owner = '{leader}'")
    assert rows == [(0,)], "it has given everything back"
    assert await two.someone_leads(but=leader) == other
    (tenures,) = (await judge.tenures("lead")).values()
    assert tenures[-1].begin - told <= LEASE / 2
    await converged(two, sandbox, 10)
    await judge.one_writer()


async def test_what_a_stopping_leader_was_asked_for_is_done_by_the_next(two: Crew, sandbox: Sandbox) -> None:
    leader = await two.leader()
    two.freeze(leader)
    two.says(SERVICES | {"s00001": "told just before it stopped"})
    await two.call()
    two.thaw(leader)
    await two.stop(leader)

    async def written() -> bool:
        return live(sandbox)[0]["s00001"] == "told just before it stopped"

    await until(written, LEASE + SLACK + 3, "it is written")
    assert (await two.store.work.backlog())[Topic.LOOK].due == 0
