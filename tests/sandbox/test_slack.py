"""Slack as its documentation has it."""

from typing import Any

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.slack, {"Authorization": f"Bearer {sandbox.slack.token}"})


async def said(call: Caller, method: str, **arguments: Any) -> Any:
    async with aiohttp.ClientSession() as session:
        url = f"{call.tool.url}/{method}"
        verb = {"data": arguments} if call.tool.is_write("POST", f"/{method}") else {"params": arguments}
        kind = "POST" if "data" in verb else "GET"
        async with session.request(kind, url, headers=call.headers, **verb) as answer:
            assert answer.status == 200
            return await answer.json()


async def test_a_channel_lives_and_is_archived(call: Caller) -> None:
    listed = await said(call, "conversations.list", limit="3")
    assert [channel["name"] for channel in listed["channels"]] == ["payments", "shop", "search"]
    rest = await said(call, "conversations.list", cursor=listed["response_metadata"]["next_cursor"])
    assert rest["response_metadata"]["next_cursor"] == ""
    made = (await said(call, "conversations.create", name="inc-orders"))["channel"]
    assert made["id"].startswith("C0")
    assert (await said(call, "conversations.create", name="inc-orders"))["error"] == "name_taken"
    assert (await said(call, "conversations.create", name="Inc Orders"))["error"] == "invalid_name_specials"
    topic = (await said(call, "conversations.setTopic", channel=made["id"], topic="P1 & <up>"))["channel"]["topic"]
    assert topic["value"] == "P1 &amp; &lt;up&gt;"
    assert (await said(call, "conversations.setPurpose", channel=made["id"], purpose="x"))["channel"]["purpose"][
        "value"
    ]
    ada = (await said(call, "users.lookupByEmail", email="ada@example.com"))["user"]
    assert (await said(call, "conversations.invite", channel=made["id"], users=ada["id"]))["ok"]
    assert (await said(call, "conversations.invite", channel=made["id"], users=ada["id"]))["error"]
    assert ada["id"] in (await said(call, "conversations.members", channel=made["id"]))["members"]
    await said(call, "conversations.rename", channel=made["id"], name="inc-orders-2")
    assert (await said(call, "conversations.archive", channel=made["id"]))["ok"]
    assert (await said(call, "conversations.archive", channel=made["id"]))["error"] == "already_archived"
    assert (await said(call, "conversations.create", name="inc-orders-2"))["error"] == "name_taken"
    assert (await said(call, "conversations.info", channel=made["id"]))["channel"]["is_archived"]
    assert (await said(call, "conversations.info", channel="C0NOTHERE"))["error"] == "channel_not_found"


async def test_a_group_has_users(call: Caller) -> None:
    users = (await said(call, "users.list"))["members"]
    made = (await said(call, "usergroups.create", name="Payments on call", handle="payments-oncall"))["usergroup"]
    assert made["id"].startswith("S0")
    assert (await said(call, "usergroups.create", name="x", handle="payments-oncall"))["error"] == (
        "handle_already_exists"
    )
    both = ",".join(user["id"] for user in users[:2])
    changed = (await said(call, "usergroups.users.update", usergroup=made["id"], users=both))["usergroup"]
    assert changed["user_count"] == 2
    assert (await said(call, "usergroups.users.list", usergroup=made["id"]))["users"] == both.split(",")
    await said(call, "usergroups.update", usergroup=made["id"], description="Who is on call")
    await said(call, "usergroups.disable", usergroup=made["id"])
    assert (await said(call, "usergroups.list"))["usergroups"] == []
    [held] = (await said(call, "usergroups.list", include_disabled="true"))["usergroups"]
    assert held["description"] == "Who is on call"
    await said(call, "usergroups.enable", usergroup=made["id"])


async def test_refusals_are_200(call: Caller) -> None:
    call.headers["Authorization"] = "Bearer wrong"
    assert await said(call, "auth.test") == {"ok": False, "error": "invalid_auth"}


async def test_each_method_has_its_tier(sandbox: Sandbox, call: Caller) -> None:
    sandbox.slack.tiers = True  # type: ignore[attr-defined]
    for number in range(20):
        await call("POST", "/conversations.create", {"name": f"c{number}"})
    await call("POST", "/conversations.create", {"name": "one-more"}, 429)
    assert call.last["retry-after"] == "3"
    await call("GET", "/users.list")
