"""Statuspage as its documentation has it."""

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.statuspage, {"Authorization": f"OAuth {sandbox.statuspage.token}"})


async def test_a_page_with_components(sandbox: Sandbox, call: Caller) -> None:
    page = f"/pages/{sandbox.statuspage.settings()['page']}"
    assert (await call("GET", page))["name"] == "acme"
    made = await call("POST", f"{page}/components", {"component": {"name": " Checkout ", "status": "operational"}}, 201)
    assert (made["name"], made["position"], made["showcase"]) == ("Checkout", 1, True)
    await call("POST", f"{page}/components", {"component": {"name": "Checkout", "status": "fine"}}, 422)
    await call("POST", f"{page}/components", {"component": {"name": ""}}, 422)
    group = {"component_group": {"name": "Shop", "components": [made["id"]]}, "description": "What buyers see"}
    grouped = await call("POST", f"{page}/component-groups", group, 201)
    assert (await call("GET", f"{page}/components/{made['id']}"))["group_id"] == grouped["id"]
    await call("DELETE", f"{page}/component-groups/{grouped['id']}")
    assert (await call("GET", f"{page}/components/{made['id']}"))["group_id"] is None
    await call("PATCH", f"{page}/components/{made['id']}", {"component": {"description": "Buying"}})
    template = {"name": "Outage", "title": "Checkout is down", "body": "We look.", "component_ids": [made["id"]]}
    await call("POST", f"{page}/incident_templates", {"template": template}, 201)
    assert len(await call("GET", f"{page}/incident_templates")) == 1
    subscriber = {"subscriber": {"email": "ada@example.com", "component_ids": [made["id"]]}}
    held = await call("POST", f"{page}/subscribers", subscriber, 201)
    assert held["mode"] == "email"
    await call("POST", f"{page}/subscribers", subscriber, 422)
    await call("DELETE", f"{page}/subscribers/{held['id']}")
    access = {"page_access_group": {"name": "Partners", "component_ids": [made["id"]]}}
    access = await call("POST", f"{page}/page_access_groups", access, 201)
    await call("GET", f"{page}/page_access_groups")
    await call("DELETE", f"{page}/page_access_groups/{access['id']}")
    await call("DELETE", f"{page}/components/{made['id']}", expect=204)
    await call("GET", f"{page}/components/{made['id']}", expect=404)
    await call("GET", "/pages/nothere", expect=404)
    for number in range(101):
        await call("POST", f"{page}/components", {"component": {"name": f"c{number}"}}, 201)
    assert [len(await call("GET", f"{page}/components?page={number}")) for number in (1, 2, 3)] == [100, 1, 0]
    call.headers["Authorization"] = "OAuth wrong"
    await call("GET", page, expect=401)
