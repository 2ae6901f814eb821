"""Row 39: somebody else writes what we write, and our own writes come back to us."""

from collections.abc import Callable

import pytest

from nthlayer_sync.engine.run import Request
from nthlayer_sync.sandbox import Sandbox
from tests.faults.live.company import Company, services
from tests.faults.live.invariants import Invariants

DAY = 24 * 3600.0


def edit(sandbox: Sandbox) -> None:
    for item in sandbox.pagerduty.collections["services"].everything():
        if item["name"] == "s00000":
            item["description"] = item["description"].replace("hello", "of the other")


def remove(sandbox: Sandbox) -> None:
    collection = sandbox.pagerduty.collections["services"]
    for id in [item["id"] for item in collection.everything() if item["name"] == "s00000"]:
        collection.remove(id)


@pytest.mark.parametrize("other", [edit, remove])
async def test_a_second_writer(
    company: Company, sandbox: Sandbox, clock: list[float], other: Callable[[Sandbox], None]
) -> None:
    """Each of its writes costs one of ours, three a day at most; then it is shown and left alone."""
    company.reach["pagerduty"]["drift"] = "enforce"  # type: ignore[index]
    await company.tick()
    sandbox.ledger.clear()
    for _ in range(20):
        other(sandbox)
        clock[0] += 60
        plan, _ = await company.tick()
        assert plan.writes <= 1
        assert (await company.tick())[0].writes == 0, "what comes back of our own write is no change"
    assert len(sandbox.ledger.committed()) == 3
    _, changes = await company.plan()
    assert [(str(c.action), c.reason.partition(":")[0]) for c in changes.values()] == [("keep", "contested")]
    await Invariants(company, sandbox).check(settled=False)

    clock[0] += DAY
    plan, _ = await company.tick()
    assert plan.writes == 1, "the other may have stopped"
    await Invariants(company, sandbox).check()


async def test_a_person_has_the_last_word(company: Company, sandbox: Sandbox, clock: list[float]) -> None:
    company.reach["pagerduty"]["drift"] = "enforce"  # type: ignore[index]
    await company.tick()
    for _ in range(5):
        edit(sandbox)
        clock[0] += 60
        await company.tick()
    assert (await company.tick())[0].counts == {"pagerduty/service": {"keep": 1}}
    plan, _ = await company.tick(Request(enforce=True))
    assert plan.writes == 1


async def test_our_wish_may_change_at_any_time(company: Company, sandbox: Sandbox, clock: list[float]) -> None:
    """A change of ours is no overwriting, however often it comes."""
    for number in range(6):
        company.says(services(6, f"hello {number}"))
        clock[0] += 60
        assert (await company.tick())[0].writes == 6
    assert (await company.tick())[0].counts == {}
