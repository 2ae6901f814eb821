"""Objects in a cluster, by server-side apply: made, compared, changed and deleted, and what others do meanwhile."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import kubernetes_validate
import pytest
import yaml

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.kubernetes import KubernetesSettings, Plugin
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from
from tests.plugins.hand import Hand
from tests.plugins.kubernetes.conftest import Cluster

Connect = Callable[..., Hand]
HPAS = "/apis/autoscaling/v2/namespaces/payments/horizontalpodautoscalers"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/payments/roles"


def service(**words: Any) -> Service:
    annotations = {"backstage.io/kubernetes-namespace": "payments"}
    return service_from({"annotations": annotations, "blueprint": {"access": {"network": "declared"}}} | words)


def scaled(most: int) -> Service:
    return service(blueprint={"cost": {"autoscaling": {"max": most}}})


async def made(hand: Hand, *services: Service) -> list[Any]:
    configs = hand.configs(*(services or (service(),)))
    results = await hand.apply(*await hand.plan(configs))
    assert [result.reason for result in results if result.outcome != "done"] == []
    return configs


async def test_after_an_apply_the_next_plan_is_empty(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    configs = hand.configs(service())
    assert [config.id.kind.partition("/")[2] for config in configs] == [
        *("rbac", "limit_range", "resource_quota", "network_policy", "hpa")
    ]
    results = await hand.apply(*await hand.plan(configs))
    assert [str(result.outcome) for result in results] == ["done"] * 5
    assert [result.content for result in results] == [None] * 5
    assert all(result.remote for result in results)
    live = await hand.target.revisions("kubernetes", None)
    assert live == {c.place.path: r.revision for c, r in zip(configs, results, strict=True)}
    assert await hand.target.confirm("kubernetes", dict.fromkeys(live, "x")) == live
    assert await hand.plan(configs) == []
    for items in cluster.tool.snapshot().values():
        for item in items:
            bare = {key: value for key, value in item.items() if key != "status"}
            bare["metadata"] = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
            kubernetes_validate.validate(bare, kubernetes_validate.latest_version(), strict=True)
            assert item["metadata"]["annotations"]["nthlayer.dev/instance"] == "default"


async def test_what_is_applied_twice_is_unchanged(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    diffs = await hand.plan(hand.configs(service()))
    await hand.apply(*diffs)
    before = cluster.changed()
    assert await hand.outcomes(*diffs) == ["unchanged"] * 5
    assert cluster.changed() == before


async def test_what_others_add_is_theirs(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [*_, hpa] = configs = await made(hand)
    up = {"scaleUp": {"stabilizationWindowSeconds": 120}}
    labels = {"labels": {"cost-centre": "7"}, "annotations": {"note": "mine"}}
    await cluster.edit(f"{HPAS}/payments", {"spec": {"behavior": up}, "metadata": labels})
    assert await hand.plan(configs) == []
    [*_, wanted] = hand.configs(scaled(9))
    assert (await hand.make(await hand.diff(wanted))).outcome == "done"
    live = await cluster.ask("GET", f"{HPAS}/payments")
    assert live["spec"]["maxReplicas"] == 9
    assert live["spec"]["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 120
    assert live["metadata"]["labels"]["cost-centre"] == "7"
    assert hpa.id == wanted.id


async def test_an_edit_by_hand_is_drift_and_its_manager_is_named(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [*_, hpa] = await made(hand)
    await cluster.edit(f"{HPAS}/payments", {"spec": {"minReplicas": 5}})
    diff = await hand.diff(hpa)
    assert (diff.action, "minReplicas: 5" in (diff.before or "")) == (Action.UPDATE, True)
    result = await hand.make(diff)
    assert (result.outcome, result.temporary) == ("failed", False)
    assert "spec.minReplicas is kubectl-edit's" in result.reason
    assert (await cluster.ask("GET", f"{HPAS}/payments"))["spec"]["minReplicas"] == 5
    await cluster.edit(f"{HPAS}/payments", {"spec": {"maxReplicas": 30}}, "helm")
    result = await hand.make(await hand.diff(hpa))
    assert "spec.maxReplicas is helm's, spec.minReplicas is kubectl-edit's" in result.reason


async def test_enforce_takes_fields_over(connect: Connect, cluster: Cluster) -> None:
    hand = connect(drift={"hpa": "enforce"})
    [*_, hpa] = configs = await made(hand)
    await cluster.edit(f"{HPAS}/payments", {"spec": {"minReplicas": 5}})
    assert (await hand.make(await hand.diff(hpa))).outcome == "done"
    assert await hand.plan(configs) == []
    managers = (await cluster.ask("GET", f"{HPAS}/payments"))["metadata"]["managedFields"]
    assert [entry["manager"] for entry in managers] == ["nthlayer-sync"]
    await cluster.edit(f"{ROLES}/payments", {"rules": []})
    rbac = configs[0]
    assert "rules is kubectl-edit's" in (await hand.make(await hand.diff(rbac))).reason


async def test_one_conflict_leaves_nothing_half_changed(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [rbac, *_] = await made(hand)
    await cluster.edit(f"{ROLES}/payments", {"rules": []})
    account = f"{ROLES.replace('/apis/rbac.authorization.k8s.io/v1', '/api/v1').removesuffix('roles')}serviceaccounts"
    await cluster.edit(f"{account}/payments", {"metadata": {"labels": {"nthlayer.dev/tier": None}}})
    before = cluster.changed()
    result = await hand.make(await hand.diff(rbac))
    assert (result.outcome, "rules is kubectl-edit's" in result.reason) == ("failed", True)
    assert cluster.changed() == before


async def test_an_object_taken_away_from_several_is_drift(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [rbac, *_] = configs = await made(hand)
    await cluster.ask("DELETE", f"{ROLES}/payments")
    diff = await hand.diff(rbac)
    assert diff.action is Action.UPDATE
    assert (await hand.make(diff)).outcome == "done"
    assert await hand.plan(configs) == []


async def test_what_no_longer_belongs_goes(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    await made(hand)
    [rbac, *_] = hand.configs(service(blueprint={"access": {"cluster": "none"}}))
    diff = await hand.diff(rbac)
    assert (await hand.make(diff)).outcome == "done"
    assert (await hand.diff(rbac)).action is Action.NOTHING
    assert {key for key in cluster.tool.snapshot() if "role" in key} == set()


async def test_deletes_are_of_exactly_what_was_read(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    configs = await made(hand)
    removals = [await hand.removal(config) for config in configs]
    assert await hand.outcomes(*removals) == ["done"] * 5
    assert cluster.tool.snapshot() == {}
    assert cluster.changed()[-8:].index("DELETE rolebindings") < cluster.changed()[-8:].index("DELETE serviceaccounts")
    assert await hand.outcomes(*removals) == ["unchanged"] * 5
    assert await hand.target.revisions("kubernetes", None) == {}


async def test_what_was_planned_for_something_else_is_not_made(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [*_, hpa] = await made(hand)
    [*_, wanted] = hand.configs(scaled(9))
    diff, removal = await hand.diff(wanted), await hand.removal(hpa)
    await cluster.edit(f"{HPAS}/payments", {"spec": {"minReplicas": 2}})
    for result in await hand.apply(diff) + await hand.apply(removal):
        assert (result.outcome, result.temporary) == ("failed", True)
        assert "changed since the plan" in result.reason


async def test_a_status_that_moves_does_not_stand_in_the_way(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [*_, hpa] = configs = await made(hand)
    before = await hand.target.revisions("kubernetes", [hpa.place.path])
    await cluster.edit(f"{HPAS}/payments", {"metadata": {"annotations": {"seen": "1"}}}, "controller")
    assert await hand.target.revisions("kubernetes", [hpa.place.path]) == before
    # The version that was read is no longer the present one when it is written: it is read again.
    cluster.tool.faults.add(
        Fault(method="PATCH", status=409, body={"kind": "Status", "message": "the object has been modified"})
    )
    [*_, wanted] = hand.configs(scaled(9))
    assert (await hand.make(await hand.diff(wanted))).outcome == "done"
    cluster.tool.faults.add(
        Fault(method="PATCH", status=409, times=9, body={"kind": "Status", "message": "the object has been modified"})
    )
    result = await hand.make(await hand.diff(configs[-1]))
    assert (result.outcome, result.temporary) == ("failed", True)
    assert "keeps changing" in result.reason


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"nthlayer.dev/instance": "default"}},
        {"labels": {"app.kubernetes.io/managed-by": "nthlayer-sync"}},
        {
            "labels": {"app.kubernetes.io/managed-by": "nthlayer-sync"},
            "annotations": {"nthlayer.dev/instance": "another"},
        },
    ],
)
async def test_what_is_not_ours_is_not_touched(connect: Connect, cluster: Cluster, metadata: Any) -> None:
    hand = connect(drift="enforce")
    [*_, hpa] = hand.configs(service())
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "payments", "namespace": "payments", **metadata},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}},
    }
    before = await cluster.ask("POST", HPAS, body)
    observed = await hand.observed(hpa)
    assert observed is not None
    assert (observed.content, observed.marked) == (None, False)
    diff = await hand.diff(hpa)
    assert (diff.action, "does not bear our mark" in diff.reason) == (Action.REFUSE, True)
    result = await hand.make(diff)
    assert (result.outcome, "does not bear our mark" in result.reason) == ("failed", True)
    assert "does not bear our mark" in (await hand.make(await hand.removal(hpa))).reason
    assert await cluster.ask("GET", f"{HPAS}/payments") == before


async def test_what_cannot_be_made_says_why(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    elsewhere = service(annotations={"backstage.io/kubernetes-namespace": "nowhere"})
    [*_, hpa] = hand.configs(elsewhere)
    result = await hand.make(await hand.diff(hpa))
    assert (result.outcome, result.reason) == ("failed", "the namespace nowhere does not exist, and is not made here")
    cluster.tool.forbidden.add(("patch", "horizontalpodautoscalers"))
    [*_, hpa] = hand.configs(service())
    result = await hand.make(await hand.diff(hpa))
    assert (result.outcome, "is forbidden" in result.reason) == ("failed", True)
    cluster.tool.forbidden.add(("list", "roles"))
    with pytest.raises(PermanentError, match="cannot list resource"):
        await hand.target.revisions("kubernetes", None)
    with pytest.raises(PermanentError, match="the settings name no kubernetes:old any more"):
        await hand.target.read("kubernetes:old", {})
    assert cluster.changed() == []
    # A kind that is switched off is not asked about.
    assert await connect(kinds=["hpa"]).target.revisions("kubernetes", None) == {}
    assert await connect(kinds=["hpa"]).target.confirm("kubernetes", {"rbac/payments/payments": "x"}) == {}


async def test_two_configs_cannot_have_one_object(connect: Connect) -> None:
    hand = connect()
    same = {"backstage.io/kubernetes-id": "payments", "backstage.io/kubernetes-namespace": "payments"}
    [*_, one] = hand.configs(service())
    [*_, two] = hand.configs(service(name="billing", annotations=same))
    results = await hand.apply(await hand.diff(one), await hand.diff(two))
    assert [str(result.outcome) for result in results] == ["done", "failed"]
    assert "two cannot have one object" in results[1].reason


async def test_a_config_that_moves_leaves_nothing_behind(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    [*_, hpa] = await made(hand)
    [*_, moved] = hand.configs(service(annotations={"backstage.io/kubernetes-namespace": "shop"}))
    diff = await hand.diff(moved)
    [result] = await hand.apply(type(diff)(diff.id, Action.UPDATE, moved, None, after=diff.after, was=hpa.place))
    assert result.outcome == "done"
    places = [path for path in await hand.target.revisions("kubernetes", None) if path.startswith("hpa/")]
    assert places == ["hpa/shop/payments"]


async def test_lists_come_in_pages_and_begin_again_when_they_expire(
    connect: Connect, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nthlayer_sync.sdk.kubernetes.cluster.PAGE", 2)
    hand = connect(kinds=["hpa"])
    await made(hand, *(service(name=f"s{number}") for number in range(5)))
    assert len(await hand.target.revisions("kubernetes", None)) == 5
    gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}
    cluster.tool.faults.add(Fault(path="*/horizontalpodautoscalers", first=2, status=410, body=gone))
    assert len(await hand.target.revisions("kubernetes", None)) == 5
    lists = "/apis/autoscaling/v2/horizontalpodautoscalers?limit=2"
    first = await cluster.ask("GET", lists)
    cluster.tool.forget()
    assert (await cluster.ask("GET", f"{lists}&continue={first['metadata']['continue']}"))["code"] == 410
    for request in (2, 4, 6):  # the second page of each try
        cluster.tool.faults.add(Fault(path="*/horizontalpodautoscalers", first=request, status=410, body=gone))
    with pytest.raises(TemporaryError, match="changes faster than it can be read"):
        await hand.target.revisions("kubernetes", None)


async def test_an_answer_that_is_lost_is_looked_after(connect: Connect, cluster: Cluster) -> None:
    hand = connect(kinds=["hpa"])
    [hpa] = hand.configs(service())
    cluster.tool.faults.add(Fault(method="PATCH", reset=True, commit=True))
    result = await hand.make(await hand.diff(hpa))
    assert (result.outcome, result.temporary) == ("unknown", True)
    assert (await hand.diff(hpa)).action is Action.NOTHING
    cluster.tool.faults.add(Fault(status=503, body={}))
    with pytest.raises(TemporaryError):
        await hand.observed(hpa)


async def test_what_waits_to_go_is_not_gone(connect: Connect, cluster: Cluster) -> None:
    hand = connect(kinds=["hpa"])
    [hpa] = await made(hand)
    live = await cluster.ask("GET", f"{HPAS}/payments")
    live["metadata"]["finalizers"] = ["example.com/wait"]
    cluster.tool.faults.add(Fault(method="DELETE", status=200, body=live))
    result = await hand.make(await hand.removal(hpa))
    assert (result.outcome, "waits for example.com/wait" in result.reason) == ("unknown", True)


@pytest.mark.parametrize("body", [[1], "<html>login", {}, {"metadata": {"name": 1}}, {"items": [{}]}, None])
async def test_an_answer_that_is_no_object_is_no_bug(connect: Connect, cluster: Cluster, body: Any) -> None:
    hand = connect(kinds=["hpa"])
    [hpa] = hand.configs(service())
    cluster.tool.faults.add(Fault(path="*/payments", status=200, body=body, times=0))
    with pytest.raises(PermanentError):
        await hand.observed(hpa)
    if isinstance(body, dict) and "items" not in body:
        return
    cluster.tool.faults.add(Fault(path="*scalers", status=200, body=body, times=0))
    with pytest.raises(PermanentError):
        await hand.target.revisions("kubernetes", None)


async def test_half_of_several_is_not_called_a_failure(connect: Connect, cluster: Cluster) -> None:
    hand = connect(kinds=["rbac"])
    [rbac] = hand.configs(service())
    cluster.tool.forbidden.add(("patch", "rolebindings"))
    result = await hand.make(await hand.diff(rbac))
    assert (result.outcome, "is forbidden" in result.reason) == ("unknown", True)


def test_hostile_values_give_valid_objects_or_none() -> None:
    plugin = Plugin(KubernetesSettings())
    texts: set[str] = set()
    for subject in (subject for value in HOSTILE for subject in hostile_services(value)):
        with suppress(PermanentError):  # it cannot name a Kubernetes object
            texts |= {plugin.kind(config.id.kind).content(config.spec) for config in plugin.generate_configs(subject)}
    assert texts
    for text in texts:
        for item in yaml.safe_load_all(text):
            kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)


async def test_hostile_values_stay_values(connect: Connect, cluster: Cluster) -> None:
    hand = connect()
    awkward = service(owner={"ref": "group:default/a", "name": 'a"b: {c}\n---\nd'})
    configs = await made(hand, awkward)
    assert await hand.plan(configs) == []
    assert json.loads(json.dumps(cluster.tool.snapshot()))["rolebindings"][0]["subjects"][0]["name"].startswith('a"b')


async def test_a_path_that_leads_elsewhere_is_refused(connect: Connect) -> None:
    hand = connect()
    with pytest.raises(PermanentError, match="cannot be a part of an address"):
        await hand.target.read("kubernetes", {ConfigId("kubernetes/hpa", service().ref): "hpa/../x"})


def test_without_a_cluster_manifests_land_in_git() -> None:
    plugin = Plugin(KubernetesSettings())
    [*_, hpa] = plugin.generate_configs(service())
    assert isinstance(hpa.place, Place)
    assert hpa.place.root.startswith("https://git.example.com/")
