"""PagerDuty as its documentation has it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller
from tests.sandbox.oracle import Oracle

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def sandbox(shared: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(["pagerduty"], now=lambda: NOW) as sandbox:
        with Oracle(shared, sandbox):
            yield sandbox


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    headers = {
        "Authorization": f"Token token={sandbox.pagerduty.token}",
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Content-Type": "application/json",
        "From": "ada@example.com",
    }
    return Caller(session, sandbox.pagerduty, headers)


async def user(call: Caller, email: str) -> dict[str, Any]:
    [found] = (await call("GET", f"/users?query={email}"))["users"]
    return {"id": found["id"], "type": "user_reference"}


async def schedule(call: Caller, *emails: str, zone: str = "Europe/London", **more: Any) -> dict[str, Any]:
    layer = {
        "name": "Week",
        "start": "2026-03-02T09:00:00Z",
        "rotation_virtual_start": "2026-03-02T09:00:00Z",
        "rotation_turn_length_seconds": 604800,
        "users": [{"user": await user(call, email)} for email in emails],
    }
    wanted = {"type": "schedule", "name": "Payments", "time_zone": zone, "schedule_layers": [layer | more]}
    return (await call("POST", "/schedules", {"schedule": wanted}, 201))["schedule"]


async def policy(call: Caller, name: str, target: dict[str, Any], expect: int = 201) -> dict[str, Any]:
    rule = {"escalation_delay_in_minutes": 5, "targets": [{"id": target["id"], "type": f"{target['type']}_reference"}]}
    wanted = {"type": "escalation_policy", "name": name, "escalation_rules": [rule], "teams": []}
    answer = await call("POST", "/escalation_policies", {"escalation_policy": wanted}, expect)
    return answer.get("escalation_policy", answer)


async def service(call: Caller, name: str, policy_id: str, expect: int = 201) -> dict[str, Any]:
    reference = {"id": policy_id, "type": "escalation_policy_reference"}
    wanted = {"type": "service", "name": name, "escalation_policy": reference}
    answer = await call("POST", "/services", {"service": wanted}, expect)
    return answer.get("service", answer)


async def test_people_are_found_by_address_and_in_their_teams(call: Caller) -> None:
    [ada] = (await call("GET", "/users?query=ada@example.com"))["users"]
    assert [team["summary"] for team in ada["teams"]] == ["Payments"]
    [team] = (await call("GET", "/teams?query=paym"))["teams"]
    members = (await call("GET", f"/teams/{team['id']}/members"))["members"]
    assert {member["user"]["summary"] for member in members} == {"Ada Lovelace", "Grace Hopper"}
    await call("PUT", f"/teams/{team['id']}/users/{ada['id']}", {"role": "manager"}, 204)
    await call("DELETE", f"/teams/{team['id']}/users/{ada['id']}", expect=204)
    assert len((await call("GET", f"/teams/{team['id']}/members"))["members"]) == 1
    new = {"user": {"type": "user", "name": "Alan Turing", "email": "Alan@Example.com"}}
    made = (await call("POST", "/users", new, 201))["user"]
    assert made["email"] == "alan@example.com"
    refused = await call("POST", "/users", new, 400)
    assert refused["error"] == {
        "message": "Invalid Input Provided",
        "code": 2001,
        "errors": ["Email has already been taken"],
    }
    await call("PUT", f"/users/{made['id']}", {"user": {"type": "user", "name": "A. Turing", "email": made["email"]}})
    await call("DELETE", f"/users/{made['id']}", expect=204)
    await call("GET", f"/users/{made['id']}", expect=404)


async def test_what_is_in_use_stays(call: Caller) -> None:
    made = await schedule(call, "ada@example.com", "grace@example.com")
    ep = await policy(call, "Payments", made)
    svc = await service(call, "payments-api", ep["id"])
    assert (svc["auto_resolve_timeout"], svc["acknowledgement_timeout"], svc["status"]) == (14400, 1800, "active")
    await call("DELETE", f"/schedules/{made['id']}", expect=400)
    await call("DELETE", f"/escalation_policies/{ep['id']}", expect=400)
    assert [each["id"] for each in (await call("GET", f"/schedules/{made['id']}"))["schedule"]["escalation_policies"]]
    await call("DELETE", f"/services/{svc['id']}", expect=204)
    await call("DELETE", f"/escalation_policies/{ep['id']}", expect=204)
    await call("DELETE", f"/schedules/{made['id']}", expect=204)


async def test_references_and_names_are_checked(call: Caller) -> None:
    await policy(call, "Nobody", {"id": "PNOBODY", "type": "schedule"}, 400)
    await service(call, "payments-api", "PNOBODY", 400)
    ep = await policy(call, "Payments", await schedule(call, "ada@example.com"))
    await policy(call, "payments", {"id": ep["id"], "type": "schedule"}, 400)
    await service(call, "payments-api", ep["id"])
    refused = await service(call, "Payments-API", ep["id"], 400)
    assert refused["error"]["errors"] == ["Name has already been taken"]


async def test_a_service_has_integrations_and_dependencies(call: Caller) -> None:
    ep = await policy(call, "Payments", await schedule(call, "ada@example.com"))
    api, ledger = await service(call, "payments-api", ep["id"]), await service(call, "ledger", ep["id"])
    wanted = {"integration": {"type": "events_api_v2_inbound_integration", "name": "Prometheus"}}
    made = (await call("POST", f"/services/{api['id']}/integrations", wanted, 201))["integration"]
    assert len(made["integration_key"]) == 32
    shown = (await call("GET", f"/services/{api['id']}"))["service"]
    assert [each["summary"] for each in shown["integrations"]] == ["Prometheus"]
    ends = {
        "supporting_service": {"id": ledger["id"], "type": "service"},
        "dependent_service": {"id": api["id"], "type": "service"},
    }
    first = await call("POST", "/service_dependencies/associate", {"relationships": [ends]})
    assert await call("POST", "/service_dependencies/associate", {"relationships": [ends]}) == first
    assert await call("GET", f"/service_dependencies/technical_services/{ledger['id']}") == first
    await call("POST", "/service_dependencies/disassociate", {"relationships": [ends]})
    assert (await call("GET", f"/service_dependencies/technical_services/{api['id']}"))["relationships"] == []
    updated = {"service": {"type": "service", "name": "payments-api", "escalation_policy": shown["escalation_policy"]}}
    updated["service"]["auto_resolve_timeout"] = 0
    assert (await call("PUT", f"/services/{api['id']}", updated))["service"]["auto_resolve_timeout"] is None


async def test_a_schedule_is_rendered_with_its_overrides(call: Caller) -> None:
    made = await schedule(call, "ada@example.com", "grace@example.com")
    period = "since=2026-03-02T12:00:00Z&until=2026-03-16T12:00:00Z"
    shown = (await call("GET", f"/schedules/{made['id']}?{period}"))["schedule"]
    turns = [(each["start"], each["user"]["summary"]) for each in shown["final_schedule"]["rendered_schedule_entries"]]
    assert turns == [
        ("2026-03-02T12:00:00+00:00", "Ada Lovelace"),
        ("2026-03-09T09:00:00+00:00", "Grace Hopper"),
        ("2026-03-16T09:00:00+00:00", "Ada Lovelace"),
    ]
    ken = await user(call, "ken@example.com")
    wanted = {"start": "2026-03-03T00:00:00Z", "end": "2026-03-04T00:00:00Z", "user": ken}
    backwards = {"start": "2026-03-03T00:00:00Z", "end": "2026-03-02T00:00:00Z", "user": ken}
    answers = await call("POST", f"/schedules/{made['id']}/overrides", {"overrides": [wanted, backwards]}, 201)
    assert [answer["status"] for answer in answers] == [201, 400]
    shown = (await call("GET", f"/schedules/{made['id']}?{period}"))["schedule"]
    names = [each["user"]["summary"] for each in shown["final_schedule"]["rendered_schedule_entries"]]
    assert names == ["Ada Lovelace", "Ken Thompson", "Ada Lovelace", "Grace Hopper", "Ada Lovelace"]
    assert shown["final_schedule"]["rendered_coverage_percentage"] == 100
    listed = await call("GET", f"/schedules/{made['id']}/overrides?{period}")
    [override] = listed["overrides"]
    await call("DELETE", f"/schedules/{made['id']}/overrides/{override['id']}", expect=204)
    ep = await policy(call, "Payments", made)
    on_call = (await call("GET", f"/oncalls?escalation_policy_ids[]={ep['id']}"))["oncalls"]
    assert [each["user"]["summary"] for each in on_call] == ["Ada Lovelace"]


async def test_turns_change_at_the_same_hour_across_dst(call: Caller) -> None:
    made = await schedule(call, "ada@example.com", "grace@example.com")
    shown = await call("GET", f"/schedules/{made['id']}?since=2026-03-23T12:00:00Z&until=2026-04-07T12:00:00Z")
    entries = shown["schedule"]["final_schedule"]["rendered_schedule_entries"]
    assert [each["start"] for each in entries[1:]] == ["2026-03-30T09:00:00+01:00", "2026-04-06T09:00:00+01:00"]


async def test_layers_come_back_reversed_and_end_when_left_out(call: Caller) -> None:
    made = await schedule(call, "ada@example.com")
    [first] = (await call("GET", f"/schedules/{made['id']}"))["schedule"]["schedule_layers"]
    assert first["start"] == "2026-03-02T12:00:00+00:00", "never before the change"
    second = {name: first[name] for name in ("rotation_virtual_start", "rotation_turn_length_seconds", "users")}
    second |= {"name": "Nights", "start": first["start"]}
    wanted = {"type": "schedule", "name": "Payments", "time_zone": "Europe/London"}
    both = [{name: value for name, value in first.items() if value is not None}, second]
    changed = await call("PUT", f"/schedules/{made['id']}", {"schedule": {**wanted, "schedule_layers": both}})
    assert [layer["name"] for layer in changed["schedule"]["schedule_layers"]] == ["Nights", "Week"]
    nights = {name: value for name, value in changed["schedule"]["schedule_layers"][0].items() if value is not None}
    changed = await call("PUT", f"/schedules/{made['id']}", {"schedule": {**wanted, "schedule_layers": [nights]}})
    assert [(layer["name"], bool(layer.get("end"))) for layer in changed["schedule"]["schedule_layers"]] == [
        ("Nights", False),
        ("Week", True),
    ]


async def test_lists_come_by_name_in_pages(call: Caller) -> None:
    for name in ("b", "a", "c"):
        await call("POST", "/teams", {"team": {"type": "team", "name": name}}, 201)
    first = await call("GET", "/teams?limit=2&total=true")
    assert [team["name"] for team in first["teams"]] == ["a", "b"]
    assert (first["more"], first["total"], first["offset"]) == (True, 7, 0)
    last = await call("GET", "/teams?limit=2&offset=6")
    assert (last["more"], last["total"], len(last["teams"])) == (False, None, 1)
    await call("GET", "/teams?limit=100&offset=9950", expect=400)


async def test_workflows_have_steps_and_triggers(call: Caller) -> None:
    ep = await policy(call, "Payments", await schedule(call, "ada@example.com"))
    svc = await service(call, "payments-api", ep["id"])
    action = {"action_id": "pagerduty.com:incident-workflows:send-status-update:1", "inputs": []}
    wanted = {"name": "Major", "steps": [{"name": "Tell", "action_configuration": action}]}
    made = (await call("POST", "/incident_workflows", {"incident_workflow": wanted}, 201))["incident_workflow"]
    assert made["steps"][0]["id"]
    [listed] = (await call("GET", "/incident_workflows"))["incident_workflows"]
    assert "steps" not in listed
    trigger = {
        "type": "workflow_trigger",
        "trigger_type": "manual",
        "workflow": {"id": made["id"]},
        "services": [{"id": svc["id"]}],
        "is_subscribed_to_all_services": False,
    }
    held = (await call("POST", "/incident_workflows/triggers", {"trigger": trigger}, 201))["trigger"]
    [found] = (await call("GET", f"/incident_workflows/triggers?workflow_id={made['id']}"))["triggers"]
    assert found["id"] == held["id"]
    await call("DELETE", f"/incident_workflows/triggers/{held['id']}/services/{svc['id']}", expect=204)
    await call("DELETE", f"/incident_workflows/{made['id']}", expect=204)
    await call("GET", f"/incident_workflows/triggers/{held['id']}", expect=404)


async def test_without_the_key_nothing_is_answered(call: Caller) -> None:
    call.headers["Authorization"] = "Token token=wrong"
    refused = await call("GET", "/users", expect=401)
    assert refused["error"]["code"] == 2006
