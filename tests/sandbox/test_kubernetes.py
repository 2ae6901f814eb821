"""The API server as its documentation has it: server-side apply and its conflicts, versions, defaults, refusals."""

from typing import Any

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller

QUOTAS = "/api/v1/namespaces/orders/resourcequotas"
HPAS = "/apis/autoscaling/v2/namespaces/orders/horizontalpodautoscalers"
APPLY = {"Content-Type": "application/apply-patch+yaml"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.kubernetes, {"Authorization": f"Bearer {sandbox.kubernetes.token}"})


def quota(hard: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", **metadata}, "spec": {"hard": hard}}


def by(manager: str, **more: str) -> str:
    return f"{QUOTAS}/q?fieldManager={manager}" + "".join(f"&{key}={value}" for key, value in more.items())


async def test_an_apply_makes_and_merges(call: Caller) -> None:
    made = await call("PATCH", by("a"), quota({"pods": "10", "requests.cpu": "1500m"}), 201, headers=APPLY)
    assert made["spec"]["hard"] == {"pods": "10", "requests.cpu": "1500m"}
    [entry] = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("a", "Apply")
    assert entry["fieldsV1"] == {"f:spec": {"f:hard": {"f:pods": {}, "f:requests.cpu": {}}}}
    # What is applied again changes nothing, not even the version.
    again = await call("PATCH", by("a"), quota({"pods": "10", "requests.cpu": "1500m"}), headers=APPLY)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    # Another manager's field stays, and what one no longer names goes.
    await call("PATCH", by("b"), quota({"requests.memory": "1024Mi", "pods": "10"}), headers=APPLY)
    last = await call("PATCH", by("a"), quota({}), headers=APPLY)
    assert last["spec"]["hard"] == {"requests.memory": "1Gi", "pods": "10"}


async def test_managers_stand_in_each_others_way(call: Caller) -> None:
    await call("PATCH", by("a"), quota({"pods": "10", "requests.cpu": "1"}), 201, headers=APPLY)
    refusal = await call("PATCH", by("b"), quota({"pods": "11"}), 409, headers=APPLY)
    assert refusal["message"] == 'Apply failed with 1 conflict: conflict with "a" using v1: .spec.hard.pods'
    assert refusal["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    both = await call("PATCH", by("b"), quota({"pods": "11", "requests.cpu": "2"}), 409, headers=APPLY)
    assert len(both["details"]["causes"]) == 2
    taken = await call("PATCH", by("b", force="true"), quota({"pods": "11"}), headers=APPLY)
    owners = {
        entry["manager"]: list(entry["fieldsV1"]["f:spec"]["f:hard"]) for entry in taken["metadata"]["managedFields"]
    }
    assert owners == {"a": ["f:requests.cpu"], "b": ["f:pods"]}
    edited = await call("PATCH", by("kubectl-edit"), {"spec": {"hard": {"pods": "3"}}}, headers=MERGE)
    assert [entry["manager"] for entry in edited["metadata"]["managedFields"]] == ["a", "kubectl-edit"]
    await call("PATCH", f"{QUOTAS}/q", quota({"pods": "3"}), 422, headers=APPLY)
    await call("PATCH", by("a"), {"spec": {}}, 415, headers={"Content-Type": "application/json"})


async def test_versions_are_compared(call: Caller) -> None:
    made = await call("PATCH", by("a"), quota({"pods": "1"}), 201, headers=APPLY)
    old = made["metadata"]["resourceVersion"]
    await call("PATCH", by("a"), quota({"pods": "2"}, resourceVersion=old), headers=APPLY)
    refusal = await call("PATCH", by("a"), quota({"pods": "3"}, resourceVersion=old), 409, headers=APPLY)
    assert "the object has been modified" in refusal["message"]
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": old}}
    await call("DELETE", f"{QUOTAS}/q", options, 409)
    await call("DELETE", f"{QUOTAS}/q", options | {"preconditions": {"uid": "another"}}, 409)
    await call("DELETE", f"{QUOTAS}/q", options | {"preconditions": {"uid": made["metadata"]["uid"]}})
    await call("GET", f"{QUOTAS}/q", expect=404)
    gone = quota({"pods": "3"}, uid=made["metadata"]["uid"])
    await call("PATCH", by("a"), gone, 409, headers=APPLY)


async def test_a_dry_run_changes_nothing(call: Caller) -> None:
    await call("PATCH", by("a", dryRun="All"), quota({"pods": "1"}), 201, headers=APPLY)
    await call("GET", f"{QUOTAS}/q", expect=404)


async def test_defaults_and_checks(call: Caller) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders"}
    hpa: dict[str, Any] = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}}
    hpa["spec"] = {"scaleTargetRef": target, "maxReplicas": 3, "behavior": {"scaleDown": {}}}
    made = await call("POST", HPAS, hpa, 201)
    assert made["spec"]["minReplicas"] == 1
    assert made["spec"]["behavior"]["scaleUp"]["selectPolicy"] == "Max"
    assert (await call("POST", HPAS, hpa, 409))["reason"] == "AlreadyExists"
    hpa["spec"] |= {"minReplicas": 9}
    hpa["metadata"] = {"name": "other"}
    assert "must be greater than or equal" in (await call("POST", HPAS, hpa, 422))["message"]
    hpa["metadata"] = {"name": "No_Name"}
    assert "metadata.name: Invalid value" in (await call("POST", HPAS, hpa, 422))["message"]
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}}
    limits["spec"] = {"limits": [{"type": "Container", "max": {"cpu": "2000m"}, "defaultRequest": {"memory": "1Gi"}}]}  # type: ignore[dict-item]
    [row] = (await call("POST", QUOTAS.replace("resourcequotas", "limitranges"), limits, 201))["spec"]["limits"]
    assert (row["default"], row["defaultRequest"]) == ({"cpu": "2"}, {"cpu": "2", "memory": "1Gi"})


async def test_who_may_not_is_told_so(call: Caller, sandbox: Sandbox) -> None:
    sandbox.kubernetes.forbidden.add(("list", "resourcequotas"))  # type: ignore[attr-defined]
    refusal = await call("GET", QUOTAS, expect=403)
    assert refusal["message"].endswith(
        'cannot list resource "resourcequotas" in API group "" in the namespace "orders"'
    )
    missing = await call("PATCH", by("a").replace("orders", "nowhere"), quota({}), 404, headers=APPLY)
    assert missing["message"] == 'namespaces "nowhere" not found'
    assert (await call("GET", "/version/"))["major"] == "1"
    call.headers["Authorization"] = "Bearer wrong"
    assert (await call("GET", HPAS, expect=401))["reason"] == "Unauthorized"


async def test_lists_are_chosen_and_cut_into_pages(call: Caller, sandbox: Sandbox) -> None:
    for number in range(5):
        body = quota({"pods": "1"}, labels={"odd": str(number % 2)}) | {}
        body["metadata"]["name"] = f"q{number}"
        await call("POST", QUOTAS, body, 201)
    everywhere = "/api/v1/resourcequotas"
    first = await call("GET", f"{everywhere}?limit=2&labelSelector=odd%3D0")
    assert ([each["metadata"]["name"] for each in first["items"]], first["metadata"]["remainingItemCount"]) == (
        ["q0", "q2"],
        1,
    )
    token = first["metadata"]["continue"]
    second = await call("GET", f"{everywhere}?limit=2&labelSelector=odd%3D0&continue={token}")
    assert ([each["metadata"]["name"] for each in second["items"]], "continue" in second["metadata"]) == (["q4"], False)
    await call("GET", f"{everywhere}?continue=nonsense", expect=400)
    sandbox.kubernetes.forget()  # type: ignore[attr-defined]
    assert (await call("GET", f"{everywhere}?limit=2&continue={token}", expect=410))["reason"] == "Expired"
    sandbox.kubernetes.wipe("resourcequotas")
    assert (await call("GET", everywhere))["items"] == []
