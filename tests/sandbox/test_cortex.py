"""Cortex as its documentation has it."""

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.cortex, {"Authorization": f"Bearer {sandbox.cortex.token}"})


async def test_custom_data_is_put_under_keys(call: Caller) -> None:
    listed = await call("GET", "/api/v1/catalog?page=0&pageSize=5")
    assert (len(listed["entities"]), listed["totalPages"]) == (5, 3)
    orders = await call("GET", "/api/v1/catalog/orders")
    assert orders["id"].startswith("en")
    path = "/api/v1/catalog/orders/custom-data"
    await call("POST", path, {"key": "tier", "value": {"tier": "1"}})
    changed = await call("POST", path, {"key": "tier", "value": {"tier": "2"}})
    assert changed["source"] == "API"
    assert (await call("GET", f"{path}/tier"))["value"] == {"tier": "2"}
    assert len(await call("GET", f"{path}?page=0&pageSize=10")) == 1
    many = {"values": {"orders": [{"key": "slo", "value": {"target": 0.999}}], "nothere": []}}
    answer = await call("PUT", "/api/v1/catalog/custom-data", many)
    assert (len(answer["values"]), list(answer["errors"])) == (1, ["nothere"])
    await call("POST", path, {"value": {}}, 400)
    await call("DELETE", f"{path}?key=tier")
    await call("GET", f"{path}/tier", expect=404)
    await call("GET", "/api/v1/catalog/nothere/custom-data?page=0&pageSize=10", expect=404)
    call.headers["Authorization"] = "Bearer wrong"
    await call("GET", "/api/v1/catalog?page=0&pageSize=5", expect=401)
