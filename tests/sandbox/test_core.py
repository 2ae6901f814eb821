"""What all tools of the sandbox share: faults, the ledger, limits, lag, the admin API."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from nthlayer_sync.demo import REPOSITORIES
from nthlayer_sync.sandbox import Fault, Sandbox, people
from nthlayer_sync.sandbox.collection import Collection, Shape, TakenError
from nthlayer_sync.sandbox.ids import UPPER, number, token
from nthlayer_sync.sandbox.shifts import Rotation, Shift, Window, coverage, laid_over
from nthlayer_sync.sandbox.vendors import TOOLS
from tests.sandbox.conftest import Caller


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[Sandbox]:
    async with Sandbox(["pagerduty"], clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.pagerduty, {"Authorization": f"Token token={sandbox.pagerduty.token}"})


def team(name: str, **more: Any) -> dict[str, Any]:
    return {"team": {"type": "team", "name": name, **more}}


def names(sandbox: Sandbox) -> list[str]:
    return [item["name"] for item in sandbox.pagerduty.snapshot()["teams"]]


async def test_the_ledger_has_every_write_and_no_secret(sandbox: Sandbox, call: Caller) -> None:
    marked = "Owns orders. nthlayer-sync:prod/service:default/orders"
    made = (await call("POST", "/teams", team("Orders", description=marked), 201))["team"]
    await call("GET", "/teams")
    await call("POST", "/teams", team("orders"), 400)
    await call("DELETE", f"/teams/{made['id']}", expect=204)
    first, refused, deleted = sandbox.ledger.entries
    assert (first.tool, first.method, first.path, first.collection) == ("pagerduty", "POST", "/teams", "teams")
    assert (first.id, first.name, first.status, first.committed) == (made["id"], "Orders", 201, True)
    assert first.mark == "nthlayer-sync:prod/service:default/orders"
    assert (refused.status, refused.committed, refused.mark) == (400, False, "")
    assert (deleted.method, deleted.name) == ("DELETE", "Orders")
    assert sandbox.ledger.writes_by_object()[("pagerduty", "teams", made["id"])] == 2
    traffic = sandbox.ledger.of("pagerduty")
    assert (traffic.reads, traffic.writes, traffic.peak) == (1, 3, 4)
    assert sandbox.pagerduty.token not in repr(sandbox.ledger.entries)


async def test_a_connection_breaks_before_or_after_the_effect(sandbox: Sandbox, call: Caller) -> None:
    sandbox.pagerduty.faults.add(
        Fault(path="/teams", reset=True), Fault(path="/teams", first=2, reset=True, commit=True)
    )
    for name in ("never", "there"):
        with pytest.raises(aiohttp.ClientError):
            await call("POST", "/teams", team(name), 201)
    assert names(sandbox)[4:] == ["there"]
    assert [(entry.status, entry.committed) for entry in sandbox.ledger.entries] == [(0, False), (0, True)]


@pytest.mark.parametrize(
    ("fault", "status", "text", "there"),
    [
        (Fault(status=504, commit=True), 504, "", True),
        (Fault(status=201, commit=True), 201, "", True),
        (Fault(status=200, body="<html>Log in</html>"), 200, "<html>Log in</html>", False),
        (Fault(status=200, body={"error": {"code": 1}}), 200, '{"error":{"code":1}}', False),
        (Fault(status=429, retry_after="1e9"), 429, "", False),
    ],
)
async def test_another_answer(
    sandbox: Sandbox, call: Caller, fault: Fault, status: int, text: str, there: bool
) -> None:
    sandbox.pagerduty.faults.add(fault)
    url, headers = f"{sandbox.pagerduty.url}/teams", call.headers
    async with aiohttp.ClientSession() as session, session.post(url, json=team("x"), headers=headers) as answer:
        assert (answer.status, await answer.text()) == (status, text)
        assert answer.headers.get("Retry-After", "") == fault.retry_after
    assert ("x" in names(sandbox)) is there


async def test_half_an_answer(sandbox: Sandbox, call: Caller) -> None:
    sandbox.pagerduty.faults.add(Fault(method="GET", cut=True))
    with pytest.raises(aiohttp.ClientPayloadError):
        await call("GET", "/teams")
    await call("GET", "/teams")


async def test_an_answer_that_comes_late_was_carried_out(sandbox: Sandbox, call: Caller) -> None:
    sandbox.pagerduty.faults.add(Fault(delay=30, commit=True))
    done = asyncio.Event()
    sandbox.pagerduty.watch = lambda exchange: done.set()
    late = asyncio.create_task(call("POST", "/teams", team("late"), 201))
    async with asyncio.timeout(5):
        await done.wait()
    assert "late" in names(sandbox)
    late.cancel()


async def test_rules_count_the_requests_they_match(sandbox: Sandbox, call: Caller) -> None:
    sandbox.pagerduty.faults.add(Fault(method="GET", path="/teams*", first=2, times=2, status=503))
    answers = (200, 503, 503, 200)
    for status in answers:
        await call("GET", "/users")
        sandbox_answer = await call.status("GET", "/teams?limit=1")
        assert sandbox_answer == status
    sandbox.pagerduty.faults.add(Fault(status=500, times=0))
    assert [await call.status("GET", "/users") for _ in range(3)] == [500, 500, 500]
    sandbox.pagerduty.faults.clear()
    await call("GET", "/users")


@pytest.mark.parametrize(
    ("fault", "given", "stored"),
    [
        (Fault(field="description", normalise="strip"), " a ", "a"),
        (Fault(field="description", normalise="collapse"), "a \n b", "a b"),
        (Fault(field="description", normalise="upper"), "a", "A"),
        (Fault(field="description", normalise="reverse"), ["a", "b"], ["b", "a"]),
        (Fault(field="description", normalise="sort"), ["b", "a"], ["a", "b"]),
        (Fault(field="description", normalise="float"), 1, 1.0),
        (Fault(field="description", normalise="text"), 1.5, "1.5"),
        (Fault(field="description", normalise="default", value="none"), "", "none"),
        (Fault(field="description", drop=True), "a", None),
    ],
)
async def test_a_server_may_store_something_else(
    sandbox: Sandbox, call: Caller, fault: Fault, given: Any, stored: Any
) -> None:
    sandbox.pagerduty.faults.add(fault)
    made = (await call("POST", "/teams", team("x", description=given), 201))["team"]
    assert made.get("description") == stored


async def test_what_is_new_shows_in_lists_later(sandbox: Sandbox, call: Caller, clock: Clock) -> None:
    sandbox.pagerduty.lag = 30
    made = (await call("POST", "/teams", team("new"), 201))["team"]
    await call("GET", f"/teams/{made['id']}")
    assert (await call("GET", "/teams?query=new"))["teams"] == []
    await call("POST", "/teams", team("new"), 400)
    clock.seconds += 30
    assert len((await call("GET", "/teams?query=new"))["teams"]) == 1


async def test_a_limit_is_a_bucket(sandbox: Sandbox, call: Caller, clock: Clock) -> None:
    sandbox.pagerduty.rate = 5
    assert [await call.status("GET", "/teams") for _ in range(6)] == [200] * 5 + [429]
    assert (call.last["retry-after"], call.last["ratelimit-reset"]) == ("1", "1")
    clock.seconds += 0.5
    assert [await call.status("GET", "/teams") for _ in range(3)] == [200, 200, 429]
    assert sandbox.ledger.of("pagerduty").limited == 2


async def test_a_collection_is_wiped_by_a_rule_or_by_hand(sandbox: Sandbox, call: Caller) -> None:
    sandbox.pagerduty.faults.add(Fault(path="/teams", wipe="teams"))
    assert (await call("GET", "/teams"))["teams"] == []
    sandbox.reset()
    assert len((await call("GET", "/teams"))["teams"]) == 4
    sandbox.pagerduty.wipe()
    assert sandbox.pagerduty.snapshot() == {name: [] for name in sandbox.pagerduty.collections}


async def test_the_admin_api_says_and_does_the_same(sandbox: Sandbox, call: Caller) -> None:
    async def admin(method: str, path: str = "", body: Any = None, expect: int = 200) -> Any:
        url = sandbox.admin.url + path
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
            assert answer.status == expect, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else await answer.text()

    overview = await admin("GET")
    assert overview["pagerduty"]["settings"]["url"] == sandbox.pagerduty.url
    await admin("POST", "/pagerduty/faults", [{"status": 500}], 204)
    assert await call.status("GET", "/teams") == 500
    assert len(await admin("GET", "/pagerduty/faults")) == 1
    await admin("DELETE", "/pagerduty/faults", expect=204)
    assert "unknown field" in await admin("POST", "/pagerduty/faults", {"stauts": 500}, 400)
    foreign = {"id": "PFOREIG", "type": "team", "name": "Foreign"}
    await admin("POST", "/pagerduty/objects/teams", [foreign], 201)
    await admin("POST", "/pagerduty/objects/teams", [foreign], 400)
    assert (await call("GET", "/teams/PFOREIG"))["team"] == foreign
    assert foreign in (await admin("GET", "/pagerduty/objects"))["teams"]
    await call("DELETE", "/teams/PFOREIG", expect=204)
    ledger = await admin("GET", "/ledger")
    assert ledger["entries"][-1]["id"] == "PFOREIG"
    await admin("PATCH", "/pagerduty", {"rate": 1, "lag": 2.5})
    assert (sandbox.pagerduty.rate, sandbox.pagerduty.lag) == (1, 2.5)
    await admin("DELETE", "/pagerduty/objects/teams", expect=204)
    await admin("GET", "/nothere/objects", expect=404)
    await admin("POST", "/reset", expect=204)
    assert len(names(sandbox)) == 4
    assert sandbox.ledger.entries == []


async def test_the_same_seed_gives_the_same_ids() -> None:
    async def ids(seed: str) -> list[str]:
        async with Sandbox(["opsgenie", "pagerduty"], seed=seed) as sandbox:
            return [item["id"] for tool in sandbox.tools.values() for item in tool.snapshot()["users"]]

    assert await ids("a") == await ids("a")
    assert await ids("a") != await ids("b")


async def test_a_body_that_is_no_json_is_refused(sandbox: Sandbox, call: Caller) -> None:
    url, headers = f"{sandbox.pagerduty.url}/teams", call.headers
    for body in (b"{", b"[]", b"", b"null", b'{"team": 1}', b'{"team": {}}'):
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 400


def test_the_people_are_those_of_the_demo() -> None:
    import nthlayer_sync.demo

    catalog = Path(nthlayer_sync.demo.__file__).parent / "organisation" / "catalog" / "org.yaml"
    entities = list(yaml.safe_load_all(catalog.read_text()))
    users = {
        (entity["metadata"]["name"], entity["spec"]["profile"]["email"], entity["spec"]["memberOf"][0])
        for entity in entities
        if entity["kind"] == "User"
    }
    assert users == {(person.login, person.email, person.team) for person in people.PEOPLE}
    groups = {entity["metadata"]["name"]: entity for entity in entities if entity["kind"] == "Group"}
    assert {name: groups[name]["metadata"]["title"] for name in people.TEAMS} == people.TEAMS
    assert set(REPOSITORIES) < set(people.REPOSITORIES)


def test_every_tool_says_how_to_use_it() -> None:
    for name, kind in TOOLS.items():
        tool = kind("", lambda: 0.0, lambda: datetime.now(UTC))
        assert tool.name == name
        assert tool.url.endswith(tool.base)
        json.dumps(tool.settings())


def test_ids_do_not_repeat() -> None:
    make = token(UPPER, 3, "P")
    assert len({make(count) for count in range(36**3)}) == 36**3
    assert [number(5)(count) for count in range(2)] == ["5", "6"]


def test_a_collection_keeps_values_apart() -> None:
    held = Collection(Shape(name="x", new_id=number(), unique=("name",)), lambda: 0.0, lambda touched: None)
    one = held.add({"name": "One"}, "a")
    held.add({"name": "one"}, "b")
    with pytest.raises(TakenError):
        held.add({"name": "ONE"}, "a")
    two = held.add({"name": "two"}, "a")
    with pytest.raises(TakenError):
        held.replace(two["id"], {"id": two["id"], "name": "one"})
    held.replace(one["id"], {"id": one["id"], "name": "three"})
    held.replace(two["id"], {"id": two["id"], "name": "one"})
    assert [item["name"] for item in held.listed("a")] == ["three", "one"]
    assert held.find("name", "TWO", "a") is None
    held.remove(two["id"])
    held.add({"name": "one"}, "a")


def test_shifts_are_cut_and_laid_over_each_other() -> None:
    monday, hour = datetime(2026, 3, 2), timedelta(hours=1)
    week = Rotation(users=("a", "b"), first=monday, turn=timedelta(days=1), start=monday)
    days = week.shifts(monday, monday + timedelta(days=2))
    assert [shift.user for shift in days] == ["a", "b"]
    office = Rotation(
        users=("c",), first=monday, turn=timedelta(days=7), start=monday, windows=(Window(9 * hour, 8 * hour, 1),)
    )
    [tuesday] = office.shifts(monday, monday + timedelta(days=7))
    assert tuesday == Shift(monday + 33 * hour, monday + 41 * hour, "c")
    night = Rotation(
        users=("n",), first=monday, turn=timedelta(days=7), start=monday, windows=(Window(20 * hour, 12 * hour),)
    )
    assert night.shifts(monday + 24 * hour, monday + 48 * hour) == [
        Shift(monday + 24 * hour, monday + 32 * hour, "n"),
        Shift(monday + 44 * hour, monday + 48 * hour, "n"),
    ]
    both = laid_over(days, [tuesday])
    assert [shift.user for shift in both] == ["a", "b", "c", "b"]
    assert coverage(both, monday, monday + timedelta(days=4)) == 50.0
