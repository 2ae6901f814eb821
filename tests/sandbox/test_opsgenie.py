"""Opsgenie as its documentation has it."""

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.opsgenie, {"Authorization": f"GenieKey {sandbox.opsgenie.token}"})


ROTATION = {
    "name": "week",
    "startDate": "2026-03-02T09:00:00Z",
    "type": "weekly",
    "participants": [{"type": "user", "username": "ada@example.com"}],
}


async def test_a_team_on_call(call: Caller) -> None:
    teams = (await call("GET", "/v2/teams"))["data"]
    assert {team["name"] for team in teams} == {"Payments", "Platform", "Search", "Shop"}
    payments = (await call("GET", "/v2/teams/Payments?identifierType=name"))["data"]
    assert {member["user"]["username"] for member in payments["members"]} == {"ada@example.com", "grace@example.com"}
    wanted = {"name": "Payments", "ownerTeam": {"name": "Payments"}, "rotations": [ROTATION]}
    made = (await call("POST", "/v2/schedules", wanted, 201))["data"]
    assert set(made) == {"id", "name", "enabled"}
    await call("POST", "/v2/schedules", wanted, 422)
    shown = (await call("GET", "/v2/schedules/Payments?identifierType=name"))["data"]
    assert shown["timezone"] == "Etc/UTC"
    assert shown["rotations"][0]["length"] == 1
    assert shown["rotations"][0]["participants"][0]["id"]
    [listed] = (await call("GET", "/v2/schedules"))["data"]
    assert listed["rotations"] == []
    rotation = (await call("POST", f"/v2/schedules/{made['id']}/rotations", ROTATION | {"name": "two"}, 201))["data"]
    await call("PATCH", f"/v2/schedules/{made['id']}/rotations/{rotation['id']}", {"length": 2})
    assert len((await call("GET", f"/v2/schedules/{made['id']}/rotations"))["data"]) == 2
    override = {
        "user": {"type": "user", "username": "ken@example.com"},
        "startDate": "2026-03-03T00:00:00Z",
        "endDate": "2026-03-04T00:00:00Z",
    }
    alias = (await call("POST", f"/v2/schedules/{made['id']}/overrides", override, 201))["data"]["alias"]
    assert (await call("GET", f"/v2/schedules/{made['id']}/overrides/{alias}"))["data"]["_parent"]["id"] == made["id"]
    rule = {
        "condition": "if-not-acked",
        "notifyType": "default",
        "delay": {"timeAmount": 5},
        "recipient": {"type": "schedule", "name": "Payments"},
    }
    escalation = (await call("POST", "/v2/escalations", {"name": "Payments", "rules": [rule]}, 201))["data"]
    shown = (await call("GET", f"/v2/escalations/{escalation['id']}"))["data"]
    assert shown["rules"][0]["delay"] == {"timeAmount": 5, "timeUnit": "minutes"}
    assert shown["repeat"]["count"] == 0
    await call("DELETE", f"/v2/schedules/{made['id']}", expect=422)
    await call("PATCH", f"/v2/escalations/{escalation['id']}", {"description": "Who is told"})
    await call("DELETE", f"/v2/escalations/{escalation['id']}")
    await call("DELETE", f"/v2/schedules/{made['id']}")
    await call("GET", f"/v2/schedules/{made['id']}", expect=404)


async def test_who_is_on_call(call: Caller) -> None:
    both = [*ROTATION["participants"], {"type": "user", "username": "grace@example.com"}]  # type: ignore[misc]
    office = {"type": "time-of-day", "restriction": {"startHour": 9, "startMin": 0, "endHour": 17, "endMin": 0}}
    rotations = [{**ROTATION, "participants": both, "timeRestriction": office}]
    wanted = {"name": "Payments", "timezone": "Europe/London", "rotations": rotations}
    made = (await call("POST", "/v2/schedules", wanted, 201))["data"]
    path = f"/v2/schedules/{made['id']}"
    week = "date=2026-03-09T00:00:00Z&interval=1&intervalUnit=weeks"
    [rotation] = (await call("GET", f"{path}/timeline?{week}"))["data"]["finalTimeline"]["rotations"]
    assert [each["recipient"]["name"] for each in rotation["periods"]] == ["grace@example.com"] * 7
    assert rotation["periods"][0]["startDate"] == "2026-03-09T09:00:00+00:00"
    override = {
        "user": {"type": "user", "username": "ken@example.com"},
        "startDate": "2026-03-10T12:00:00Z",
        "endDate": "2026-03-11T00:00:00Z",
    }
    await call("POST", f"{path}/overrides", override, 201)

    async def at(moment: str) -> list[str]:
        return (await call("GET", f"{path}/on-calls?flat=true&date={moment}"))["data"]["onCallRecipients"]

    assert await at("2026-03-10T11:00:00Z") == ["grace@example.com"]
    assert await at("2026-03-10T13:00:00Z") == ["ken@example.com"]
    assert await at("2026-03-10T20:00:00Z") == []
    shown = (await call("GET", f"{path}/on-calls?date=2026-03-10T13:00:00Z"))["data"]["onCallParticipants"]
    assert shown[0]["name"] == "ken@example.com"


async def test_people_teams_and_services(call: Caller) -> None:
    page = await call("GET", "/v2/users?limit=3&offset=3")
    assert len(page["data"]) == 3
    assert "offset=6" in page["paging"]["next"]
    new = {"username": "Alan@Example.com", "fullName": "Alan Turing", "role": {"name": "user"}}
    made = (await call("POST", "/v2/users", new, 201))["data"]
    assert made["name"] == "alan@example.com"
    await call("POST", "/v2/users", new, 422)
    team = (await call("POST", "/v2/teams", {"name": "Ledger"}, 201))["data"]
    await call("POST", f"/v2/teams/{team['id']}/members", {"user": {"username": "alan@example.com"}})
    assert len((await call("GET", f"/v2/teams/{team['id']}"))["data"]["members"]) == 1
    service = (await call("POST", "/v1/services", {"name": "ledger", "teamId": team["id"]}, 201))["data"]
    await call("DELETE", f"/v2/teams/{team['id']}", expect=422)
    assert (await call("GET", f"/v1/services/{service['id']}"))["data"]["tags"] == []
    await call("DELETE", f"/v1/services/{service['id']}")
    await call("DELETE", f"/v2/teams/{team['id']}/members/alan@example.com")
    await call("DELETE", f"/v2/teams/{team['id']}")
    call.headers["Authorization"] = "GenieKey wrong"
    await call("GET", "/v2/users", expect=401)
