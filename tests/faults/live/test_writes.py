"""Faults of a tool while it is written to and read: one object for each config, nothing lost, and a reason told."""

import copy
from typing import Any

import pytest

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.run import Request
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.sandbox import Fault, Sandbox
from tests.faults.live.company import Company, services
from tests.faults.live.invariants import Invariants, objects, ours

SERVICES = "/services*"
LATER = 3600.0

LOST = {
    "reset before": {"reset": True},
    "reset after": {"reset": True, "commit": True},
    "504, and it is done": {"status": 504, "commit": True},
    "504, and it is not": {"status": 504},
    "201 of nothing": {"status": 201, "body": "", "commit": True},
    "200 with an error": {"status": 200, "body": {"error": {"message": "later"}}, "commit": True},
    "HTML": {"status": 200, "body": "<html>", "commit": True},
    "the answer is cut": {"cut": True, "commit": True},
    "the answer comes too late": {"delay": 6.0, "commit": True},
    "503 once": {"status": 503},
    "409": {"status": 409, "body": {"error": {"message": "conflict"}}},
    "412": {"status": 412, "body": {"error": {"message": "changed"}}},
    "429": {"status": 429},
    "429 at once again": {"status": 429, "retry_after": "0"},
    "429 for ever": {"status": 429, "retry_after": "1000000000"},
    "429 until a date": {"status": 429, "retry_after": "Wed, 01 Jan 2200 00:00:00 GMT"},
}
"""Rows 17 to 21."""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("fault", LOST)
async def test_an_answer_that_is_lost(
    company: Company, invariants: Invariants, sandbox: Sandbox, clock: list[float], fault: str, method: str
) -> None:
    """Of five writes of one sort, one or two go wrong."""
    gone: set[str] = set()
    request = Request()
    if method == "POST":
        company.says(services(11))
    elif method == "PUT":
        company.says([*services(5, "new"), services(6)[5]])
    else:
        gone = {f"s{number:05}" for number in range(1, 6)}
        company.says(services(1))
        refs = frozenset(entity_ref("component", name) for name in gone)
        request = Request(consent=Consent(deletes=5), gone=refs)
    sandbox.pagerduty.faults.add(Fault(method=method, path=SERVICES, first=2, times=2, **LOST[fault]))
    await company.tick(request)
    sandbox.pagerduty.faults.clear()
    invariants.no_delete(gone)
    for _ in range(2):
        clock[0] += LATER
        await company.tick(request)
    touched = [entry.id for entry in invariants.since()]
    assert len(set(touched)) == 5
    assert method == "PUT" or len(touched) == 5, "each once; only a PUT may be said twice"
    await invariants.check(gone)


async def test_a_list_that_is_behind(
    company: Company, invariants: Invariants, sandbox: Sandbox, clock: list[float]
) -> None:
    """Row 23: what was made a moment ago is not missing."""
    sandbox.pagerduty.lag = 3600
    company.says(services(9))
    await company.tick()
    for _ in range(3):
        clock[0] += 10
        plan, _ = await company.tick()
        assert plan.writes == 0, plan.counts
    sandbox.pagerduty.lag = 0
    await invariants.check()
    assert len(invariants.since()) == 0


async def test_a_field_that_is_dropped(company: Company, invariants: Invariants, sandbox: Sandbox) -> None:
    """Row 25: it is said, and there is no loop."""
    sandbox.pagerduty.faults.add(Fault(method="P*", path=SERVICES, field="description", drop=True, times=0))
    company.says(services(7, "new"))
    _, results = await company.tick()
    assert any("otherwise than" in result.reason for result in results)
    await invariants.check()


async def test_an_account_that_was_wiped(company: Company, invariants: Invariants, sandbox: Sandbox) -> None:
    """Row 26: it is shown and left alone, and made again when a person asks for it and for how much."""
    company.says(services(30))
    await company.tick()
    sandbox.pagerduty.wipe("services")
    before = len(sandbox.ledger.entries)
    plan, _ = await company.tick()
    assert plan.counts == {"pagerduty/service": {"keep": 30}}
    plan, _ = await company.tick(Request(enforce=True))
    assert [refusal.override for refusal in plan.refusals] == ["--allow-recreates 30"]
    assert len(sandbox.ledger.entries) == before
    await company.tick(Request(enforce=True, consent=Consent(recreates=30)))
    await invariants.check()
    assert len(sandbox.pagerduty.snapshot()["services"]) == 30


async def test_what_is_there_already_is_not_ours(company: Company, sandbox: Sandbox) -> None:
    """Rows 27 and 28: neither an object without a mark nor one of another installation is touched."""
    collection = sandbox.pagerduty.collections["services"]
    [first, *_] = [copy.deepcopy(item) for item in collection.everything()]
    mark = ours(first)
    text = first["description"]
    collection.add({**first, "id": "PNOBODY", "name": "s00007", "description": "by hand"})
    other = text.replace(mark, "nthlayer-sync:other:s00008")
    collection.add({**first, "id": "POTHER1", "name": "s00008", "description": other})
    invariants = Invariants(company, sandbox)
    company.says(services(9))
    for enforce in (False, True):
        plan, _ = await company.tick(Request(enforce=enforce))
        assert plan.counts["pagerduty/service"]["refuse"] == 2
    assert {"PNOBODY", "POTHER1"}.isdisjoint(entry.id for entry in sandbox.ledger.committed())
    await invariants.check(settled=False)


async def test_an_edit_between_plan_and_apply(company: Company, invariants: Invariants, sandbox: Sandbox) -> None:
    """Row 20: a plan that is late writes over nothing."""
    company.says(services(6, "new"))
    async with company.engine() as engine:
        plan = await engine.plan()
        edited = next(iter(sandbox.pagerduty.collections["services"].everything()))
        edited["description"] = edited["description"].replace("hello", "by hand")
        results = await engine.apply(plan, engine.store.parts(plan.id))
    assert sum(result.made for result in results) == 5
    assert "by hand" in edited["description"]
    await invariants.check(settled=False)
    plan, changes = await company.plan()
    assert [str(change.action) for change in changes.values()] == ["keep"]


READS: dict[str, dict[str, Any]] = {
    "empty": {"status": 200, "body": {"services": [], "more": False, "offset": 0, "limit": 100, "total": None}},
    "HTML": {"status": 200, "body": "<html>"},
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "500": {"status": 500},
    "reset": {"reset": True},
    "cut": {"cut": True},
    "another thing": {"status": 200, "body": {"error": {}}},
}


@pytest.mark.parametrize("fault", READS)
async def test_a_list_that_fails(
    company: Company, invariants: Invariants, sandbox: Sandbox, clock: list[float], fault: str
) -> None:
    """An account that cannot be read is left alone, and so is one that seems empty: nothing is made a second time."""
    sandbox.pagerduty.faults.add(Fault(method="GET", path="/services", times=0, **READS[fault]))
    company.says(services(7, "new"))
    before = len(objects(sandbox))
    for _ in range(3):
        clock[0] += LATER
        await company.tick()
    assert len(objects(sandbox)) in (before, before + 1)
    invariants.no_delete()
    sandbox.pagerduty.faults.clear()
    clock[0] += LATER
    await invariants.check()
    assert len(sandbox.pagerduty.snapshot()["services"]) == 7


async def test_an_owner_that_is_not_there_any_more(company: Company, sandbox: Sandbox, clock: list[float]) -> None:
    """Row 12: the services go on calling whom they called."""
    invariants = Invariants(company, sandbox)
    company.source.said = type(company.source.said)(  # type: ignore[attr-defined]
        **{name: getattr(company.source.said, name) for name in company.source.said.__struct_fields__}
        | {"entities": tuple(services(6)), "digest": "another"}
    )
    before = copy.deepcopy(sandbox.pagerduty.snapshot()["services"])
    for _ in range(3):
        clock[0] += LATER
        await company.tick()
    assert sandbox.pagerduty.snapshot()["services"] == before
    assert len(sandbox.pagerduty.snapshot()["escalation_policies"]) == 1
    invariants.no_delete({"team"})


async def test_a_rename(company: Company, invariants: Invariants, sandbox: Sandbox) -> None:
    """Row 14: an entity that is called otherwise keeps its object, with all that people keep around it."""
    renamed = services(6)
    renamed[0] = type(renamed[0])(
        **{name: getattr(renamed[0], name) for name in renamed[0].__struct_fields__}
        | {"name": "new-name", "ref": entity_ref("component", "new-name")}
    )
    before = {item["id"] for item in sandbox.pagerduty.snapshot()["services"]}
    company.says(renamed)
    await company.tick()
    after = {item["id"]: item["name"] for item in sandbox.pagerduty.snapshot()["services"]}
    assert after.keys() == before
    assert "new-name" in after.values()
    await invariants.check()
