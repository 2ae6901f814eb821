"""Grafana as its documentation has it."""

from typing import Any

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.grafana, {"Authorization": f"Bearer {sandbox.grafana.token}"})


async def test_a_dashboard_is_saved_from_the_version_that_is_there(call: Caller) -> None:
    folder = await call("POST", "/api/folders", {"uid": "services", "title": "Services"})
    assert (folder["version"], folder["url"]) == (1, "/dashboards/f/services/services")
    await call("POST", "/api/folders", {"title": "services"}, 409)
    await call("PUT", "/api/folders/services", {"title": "All services", "version": 7}, 412)
    await call("PUT", "/api/folders/services", {"title": "All services", "version": 1})
    dashboard: dict[str, Any] = {"uid": "orders", "title": "Orders", "tags": ["tier-1"], "panels": []}
    saved = await call("POST", "/api/dashboards/db", {"dashboard": dashboard, "folderUid": "services"})
    assert (saved["version"], saved["url"], saved["status"]) == (1, "/d/orders/orders", "success")
    refused = await call("POST", "/api/dashboards/db", {"dashboard": dashboard, "folderUid": "services"}, 412)
    assert refused["status"] == "version-mismatch"
    shown = await call("GET", "/api/dashboards/uid/orders")
    assert (shown["dashboard"]["version"], shown["meta"]["folderTitle"]) == (1, "All services")
    again = {"dashboard": shown["dashboard"], "folderUid": "services", "message": "nthlayer-sync:demo"}
    assert (await call("POST", "/api/dashboards/db", again))["version"] == 2
    await call("POST", "/api/dashboards/db", again | {"overwrite": True})
    other = {"dashboard": {"title": "orders"}, "folderUid": "services"}
    assert (await call("POST", "/api/dashboards/db", other, 412))["status"] == "name-exists"
    await call("POST", "/api/dashboards/db", {"dashboard": {"title": "x"}, "folderUid": "nothere"}, 404)
    [hit] = await call("GET", "/api/search?type=dash-db&tag=tier-1")
    assert (hit["uid"], hit["folderUid"]) == ("orders", "services")
    assert [hit["type"] for hit in await call("GET", "/api/search")] == ["dash-folder", "dash-db"]
    assert len(await call("GET", "/api/folders")) == 1
    await call("DELETE", "/api/dashboards/uid/orders")
    await call("GET", "/api/dashboards/uid/orders", expect=404)
    await call("DELETE", "/api/folders/services")
    await call("GET", "/api/folders/services", expect=404)
    call.headers["Authorization"] = "Bearer wrong"
    await call("GET", "/api/search", expect=401)


async def test_an_objective_is_accepted(call: Caller) -> None:
    base = "/api/plugins/grafana-slo-app/resources/v1/slo"
    wanted = {
        "name": "orders",
        "description": "Orders go through",
        "query": {"type": "freeform", "freeform": {"query": "sum(a) / sum(b)"}},
        "objectives": [{"value": 0.999, "window": "28d"}],
        "labels": [{"key": "service", "value": "orders"}],
    }
    uuid = (await call("POST", base, wanted, 202))["uuid"]
    assert (await call("GET", f"{base}/{uuid}"))["readOnly"]["status"]["type"] == "created"
    await call("PUT", f"{base}/{uuid}", wanted | {"uuid": uuid, "description": "All orders"}, 202)
    assert [slo["description"] for slo in (await call("GET", base))["slos"]] == ["All orders"]
    await call("POST", base, wanted | {"objectives": [{"value": 99.9, "window": "28d"}]}, 400)
    await call("DELETE", f"{base}/{uuid}", expect=204)
    await call("GET", f"{base}/{uuid}", expect=404)
