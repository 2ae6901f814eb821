"""Confluence and Jira as their documentation has them."""

import base64

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox, Tool
from tests.sandbox.conftest import Caller


def caller(session: aiohttp.ClientSession, tool: Tool, token: str = "") -> Caller:
    secret = f"{tool.settings()['user']}:{token or tool.token}".encode()
    return Caller(session, tool, {"Authorization": f"Basic {base64.b64encode(secret).decode()}"})


@pytest.fixture
def wiki(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return caller(session, sandbox.confluence)


@pytest.fixture
def jira(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return caller(session, sandbox.jira)


async def test_a_page_is_changed_from_the_version_that_is_there(wiki: Caller) -> None:
    [space] = (await wiki("GET", "/wiki/api/v2/spaces?keys=OPE"))["results"]
    body = {"representation": "storage", "value": "<p>How to</p>"}
    wanted = {"spaceId": space["id"], "status": "current", "title": "Orders", "body": body}
    made = await wiki("POST", "/wiki/api/v2/pages", wanted | {"parentId": space["homepageId"]})
    assert (made["version"]["number"], made["parentId"]) == (1, space["homepageId"])
    await wiki("POST", "/wiki/api/v2/pages", wanted, 400)
    await wiki("POST", "/wiki/api/v2/pages", wanted | {"spaceId": "1"}, 404)
    change = {"id": made["id"], "status": "current", "title": "Orders", "body": body}
    await wiki("PUT", f"/wiki/api/v2/pages/{made['id']}", change | {"version": {"number": 1}}, 409)
    await wiki("PUT", f"/wiki/api/v2/pages/{made['id']}", change | {"version": {"number": 2, "message": "new"}})
    shown = await wiki("GET", f"/wiki/api/v2/pages/{made['id']}?body-format=storage")
    assert (shown["version"]["number"], shown["body"]["storage"]["value"]) == (2, "<p>How to</p>")
    [found] = (await wiki("GET", f"/wiki/api/v2/pages?space-id={space['id']}&title=Orders"))["results"]
    assert found["body"] == {}
    first = await wiki("GET", "/wiki/api/v2/pages?limit=4")
    rest = await wiki("GET", first["_links"]["next"])
    assert (len(first["results"]), len(rest["results"]), "next" in rest["_links"]) == (4, 2, False)
    label = {"prefix": "global", "name": "NthLayer-Sync"}
    await wiki("POST", f"/wiki/rest/api/content/{made['id']}/label", [label])
    [held] = (await wiki("GET", f"/wiki/api/v2/pages/{made['id']}/labels"))["results"]
    assert held["name"] == "nthlayer-sync"
    await wiki("DELETE", f"/wiki/rest/api/content/{made['id']}/label/nthlayer-sync", expect=204)
    properties = f"/wiki/api/v2/pages/{made['id']}/properties"
    kept = await wiki("POST", properties, {"key": "nthlayer", "value": {"key": "x"}})
    await wiki("POST", properties, {"key": "nthlayer", "value": {}}, 409)
    change = {"key": "nthlayer", "value": {"key": "y"}, "version": {"number": 2}}
    await wiki("PUT", f"{properties}/{kept['id']}", change)
    await wiki("PUT", f"{properties}/{kept['id']}", change, 409)
    [kept] = (await wiki("GET", f"{properties}?key=nthlayer"))["results"]
    assert kept["value"] == {"key": "y"}
    await wiki("DELETE", f"{properties}/{kept['id']}", expect=204)
    await wiki("DELETE", f"/wiki/api/v2/pages/{made['id']}", expect=204)
    await wiki("GET", f"/wiki/api/v2/pages/{made['id']}", expect=404)


async def test_a_project_has_components_and_properties(jira: Caller) -> None:
    [ada] = await jira("GET", "/rest/api/3/user/search?query=ada@example.com")
    wanted = {"key": "PAY", "name": "Payments", "projectTypeKey": "software", "leadAccountId": ada["accountId"]}
    made = await jira("POST", "/rest/api/3/project", wanted, 201)
    assert isinstance(made["id"], int)
    refused = await jira("POST", "/rest/api/3/project", wanted | {"name": "Other"}, 400)
    assert "projectKey" in refused["errors"]
    await jira("PUT", "/rest/api/3/project/PAY", {"description": "Money"})
    shown = await jira("GET", "/rest/api/3/project/PAY")
    assert (shown["id"], shown["lead"]["displayName"]) == (str(made["id"]), "Ada Lovelace")
    found = await jira("GET", "/rest/api/3/project/search?keys=PAY")
    assert (found["total"], found["isLast"]) == (1, True)
    component = {"name": "payments-api", "project": "PAY", "leadAccountId": ada["accountId"]}
    held = await jira("POST", "/rest/api/3/component", component, 201)
    await jira("POST", "/rest/api/3/component", component, 400)
    await jira("PUT", f"/rest/api/3/component/{held['id']}", {"description": "Takes money"})
    assert (await jira("GET", "/rest/api/3/project/PAY/component"))["values"][0]["description"] == "Takes money"
    assert len(await jira("GET", "/rest/api/3/project/PAY/components")) == 1
    properties = "/rest/api/3/project/PAY/properties"
    await jira("PUT", f"{properties}/nthlayer", {"managed": True}, 201)
    await jira("PUT", f"{properties}/nthlayer", {"managed": True})
    assert (await jira("GET", f"{properties}/nthlayer"))["value"] == {"managed": True}
    assert [key["key"] for key in (await jira("GET", properties))["keys"]] == ["nthlayer"]
    await jira("DELETE", f"{properties}/nthlayer", expect=204)
    issue = {"fields": {"project": {"key": "PAY"}, "summary": "x", "issuetype": {"name": "Task"}, "labels": ["tier-1"]}}
    key = (await jira("POST", "/rest/api/3/issue", issue, 201))["key"]
    assert key == "PAY-1"
    assert (await jira("GET", "/rest/api/3/label"))["values"] == ["tier-1"]
    await jira("PUT", f"/rest/api/3/issue/{key}", {"fields": {"labels": []}}, 204)
    assert (await jira("GET", "/rest/api/3/label"))["values"] == []
    await jira("DELETE", f"/rest/api/3/issue/{key}", expect=204)
    await jira("DELETE", f"/rest/api/3/component/{held['id']}", expect=204)
    await jira("DELETE", "/rest/api/3/project/PAY", expect=204)
    await jira("GET", "/rest/api/3/project/PAY", expect=404)


async def test_another_token_is_refused(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    await caller(session, sandbox.jira, "wrong")("GET", "/rest/api/3/myself", expect=401)
    await caller(session, sandbox.confluence, "wrong")("GET", "/wiki/api/v2/spaces", expect=401)
