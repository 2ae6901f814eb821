"""Datadog as its documentation has it."""

from typing import Any

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    keys = sandbox.datadog.settings()
    headers = {"DD-API-KEY": keys["api_key"], "DD-APPLICATION-KEY": keys["application_key"]}
    return Caller(session, sandbox.datadog, headers)


MONITOR: dict[str, Any] = {
    "name": "orders errors",
    "type": "query alert",
    "query": "avg(last_5m):sum:trace.http.errors{service:orders} > 5",
    "tags": ["Service:Orders", "managed by:us"],
    "options": {"thresholds": {"critical": 5}},
}


async def test_a_monitor_gets_options_and_plain_tags(call: Caller) -> None:
    made = await call("POST", "/api/v1/monitor", MONITOR)
    assert made["tags"] == ["service:orders", "managed_by:us"]
    assert made["options"]["notify_audit"] is False
    assert made["options"]["thresholds"] == {"critical": 5.0}
    await call("POST", "/api/v1/monitor", MONITOR | {"options": {"thresholds": {"critical": 6}}}, 400)
    assert [each["id"] for each in await call("GET", "/api/v1/monitor?monitor_tags=service:orders")] == [made["id"]]
    await call("PUT", f"/api/v1/monitor/{made['id']}", {"message": "Look at the runbook"})
    assert await call("DELETE", f"/api/v1/monitor/{made['id']}") == {"deleted_monitor_id": made["id"]}
    await call("GET", f"/api/v1/monitor/{made['id']}", expect=404)


async def test_an_objective_keeps_its_monitors(call: Caller) -> None:
    monitor = await call("POST", "/api/v1/monitor", MONITOR)
    wanted = {
        "name": "orders",
        "type": "monitor",
        "monitor_ids": [monitor["id"]],
        "thresholds": [{"timeframe": "30d", "target": 99.9, "warning": 99.95}],
        "tags": ["service:orders"],
    }
    [made] = (await call("POST", "/api/v1/slo", wanted))["data"]
    assert made["thresholds"][0]["target_display"] == "99.9"
    assert len(made["id"]) == 32
    await call("DELETE", f"/api/v1/monitor/{monitor['id']}", expect=400)
    await call("POST", "/api/v1/slo", wanted | {"monitor_ids": [1]}, 400)
    metric = {"name": "orders", "type": "metric", "thresholds": [{"timeframe": "7d", "target": 99}]}
    await call("POST", "/api/v1/slo", metric, 400)
    await call("POST", "/api/v1/slo", metric | {"query": {"numerator": "sum:a{}", "denominator": "sum:b{}"}})
    listed = await call("GET", "/api/v1/slo?limit=1&offset=1")
    assert (len(listed["data"]), listed["metadata"]["page"]["total_count"]) == (1, 2)
    assert (await call("GET", f"/api/v1/slo/{made['id']}"))["data"]["name"] == "orders"
    await call("PUT", f"/api/v1/slo/{made['id']}", wanted | {"description": "Orders go through"})
    await call("DELETE", f"/api/v1/slo/{made['id']}")
    await call("DELETE", f"/api/v1/monitor/{monitor['id']}")


async def test_a_definition_is_put_in_place(call: Caller) -> None:
    wanted = {"schema-version": "v2.2", "dd-service": "Orders", "team": "shop", "tags": ["Tier:1"]}
    [made] = (await call("POST", "/api/v2/services/definitions", wanted))["data"]
    assert made["id"] == "orders"
    await call("POST", "/api/v2/services/definitions", wanted | {"team": "payments"})
    assert len((await call("GET", "/api/v2/services/definitions?page[size]=5"))["data"]) == 1
    shown = (await call("GET", "/api/v2/services/definitions/orders"))["data"]
    assert shown["attributes"]["schema"]["team"] == "payments"
    await call("DELETE", "/api/v2/services/definitions/orders", expect=204)
    await call("GET", "/api/v2/services/definitions/orders", expect=404)


async def test_an_entity_is_put_in_place(call: Caller) -> None:
    wanted = {"apiVersion": "v3", "kind": "service", "metadata": {"name": "orders", "owner": "shop", "tags": ["A:b"]}}
    answer = await call("POST", "/api/v2/catalog/entity", wanted, 202)
    assert answer["data"][0]["attributes"]["tags"] == ["a:b"]
    wanted["metadata"] |= {"owner": "payments"}  # type: ignore[operator]
    again = await call("POST", "/api/v2/catalog/entity", wanted, 202)
    assert again["data"][0]["id"] == answer["data"][0]["id"]
    listed = await call("GET", "/api/v2/catalog/entity?filter[ref]=service:default/orders&include=schema")
    assert listed["data"][0]["attributes"]["owner"] == "payments"
    assert listed["included"][0]["attributes"]["schema"]["metadata"]["owner"] == "payments"
    await call("POST", "/api/v2/catalog/entity", {**wanted, "metadata": {}}, 400)
    await call("DELETE", "/api/v2/catalog/entity/service:orders", expect=204)
    await call("DELETE", "/api/v2/catalog/entity/service:orders", expect=404)


async def test_synthetic_tests_are_deleted_together(call: Caller) -> None:
    wanted = {
        "name": "orders",
        "type": "api",
        "subtype": "http",
        "config": {
            "request": {"method": "GET", "url": "https://example.com"},
            "assertions": [{"type": "statusCode", "operator": "is", "target": 200}],
        },
        "locations": ["aws:eu-west-1"],
        "message": "Down",
        "options": {"tick_every": 60},
    }
    made = await call("POST", "/api/v1/synthetics/tests/api", wanted)
    assert [len(part) for part in made["public_id"].split("-")] == [3, 3, 3]
    await call("PUT", f"/api/v1/synthetics/tests/api/{made['public_id']}", wanted | {"name": "orders health"})
    assert (await call("GET", "/api/v1/synthetics/tests"))["tests"][0]["name"] == "orders health"
    await call("POST", "/api/v1/synthetics/tests/delete", {"public_ids": [made["public_id"]]})
    await call("POST", "/api/v1/synthetics/tests/delete", {"public_ids": [made["public_id"]]}, 404)


async def test_logs_have_pipelines_and_indexes(call: Caller) -> None:
    processor = {"type": "status-remapper", "sources": ["level"], "is_enabled": True}
    wanted = {"name": "orders", "filter": {"query": "service:orders"}, "is_enabled": True, "processors": [processor]}
    made = await call("POST", "/api/v1/logs/config/pipelines", wanted)
    await call("PUT", f"/api/v1/logs/config/pipelines/{made['id']}", wanted)
    assert len(await call("GET", "/api/v1/logs/config/pipelines")) == 1
    await call("DELETE", f"/api/v1/logs/config/pipelines/{made['id']}")
    index = {"name": "orders", "filter": {"query": "service:orders"}, "num_retention_days": 15}
    await call("POST", "/api/v1/logs/config/indexes", index)
    await call("POST", "/api/v1/logs/config/indexes", index, 400)
    await call("PUT", "/api/v1/logs/config/indexes/orders", {"filter": {"query": "*"}, "num_retention_days": 30})
    assert (await call("GET", "/api/v1/logs/config/indexes"))["indexes"][0]["num_retention_days"] == 30
    await call("DELETE", "/api/v1/logs/config/indexes/orders")
    call.headers["DD-API-KEY"] = "wrong"
    await call("GET", "/api/v1/monitor", expect=403)
