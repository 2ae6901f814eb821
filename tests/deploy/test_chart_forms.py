"""The forms of the Helm chart: alone, several, beside Backstage; who may connect, and what does not go together."""

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
import yaml

Render = Callable[..., dict[str, Any]]
DAEMON = {"app.kubernetes.io/name": "nthlayer-sync", "app.kubernetes.io/instance": "demo"}


def matches(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    """A label selector without expressions; none of them is used."""
    assert not (selector or {}).get("matchExpressions")
    return selector is None or selector.get("matchLabels", {}).items() <= labels.items()


def reaches(
    rules: list[dict[str, Any]], side: str, where: dict[str, Any] | str, port: int | str, by: str = "TCP"
) -> bool:
    """Whether a NetworkPolicy's rules let a connection through: `where` is an address, or a pod's labels and namespace.

    As the API's reference has it: a rule holds for any port when it names none, for any peer when it names none; a peer
    with only a podSelector means pods of the policy's own namespace.
    """

    def is_peer(peer: dict[str, Any]) -> bool:
        if isinstance(where, str):
            block = peer.get("ipBlock")
            return bool(block) and ipaddress.ip_address(where) in ipaddress.ip_network(block["cidr"])
        if "ipBlock" in peer:
            return False
        near = matches(peer["namespaceSelector"], where["namespace"]) if "namespaceSelector" in peer else where["own"]
        return near and matches(peer.get("podSelector"), where["pod"])

    return any(
        (not rule.get("ports") or any(each["port"] == port and each["protocol"] == by for each in rule["ports"]))
        and (not rule.get(side) or any(map(is_peer, rule[side])))
        for rule in rules
    )


def elsewhere(namespace: str = "x", **labels: str) -> dict[str, Any]:
    pod = {f"app.kubernetes.io/{name}": value for name, value in labels.items()}
    return {"namespace": {"kubernetes.io/metadata.name": namespace}, "pod": pod, "own": False}


def test_alone_it_keeps_its_memory_and_is_never_two(render: Render) -> None:
    found = render("one")
    assert found["Deployment"]["spec"]["replicas"] == 1
    assert found["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    claim = found["PersistentVolumeClaim"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    volumes = {each["name"]: each for each in found["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["nthlayer-work"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "PodDisruptionBudget" not in found, "it would keep a node from ever being emptied"
    other = render("one", volume={"existingClaim": "mine", "size": "1Gi"})
    assert "PersistentVolumeClaim" not in other


def test_several_are_spread_and_never_all_gone(render: Render) -> None:
    found = render("several")
    spec, labels = found["Deployment"]["spec"], found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = found["PodDisruptionBudget"]["spec"]
    assert 0 < budget["maxUnavailable"] < spec["replicas"]
    assert matches(budget["selector"], labels)
    spread = spec["template"]["spec"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert all(matches(each["labelSelector"], labels) for each in spread)
    assert "PersistentVolumeClaim" not in found


@pytest.mark.parametrize("name", ["one", "several", "everything"])
def test_objects_find_the_pods_and_only_these(render: Render, name: str) -> None:
    found = render(name)
    labels, test = found["Deployment"]["spec"]["template"]["metadata"]["labels"], found["Pod"]["metadata"]["labels"]
    for selector in (
        found["Deployment"]["spec"]["selector"],
        {"matchLabels": found["Service"]["spec"]["selector"]},
        found["NetworkPolicy"]["spec"]["podSelector"],
    ):
        assert matches(selector, labels)
        assert not matches(selector, test)


@pytest.mark.parametrize("grace", [1, 25, 300])
def test_a_stopping_pod_gets_longer_than_its_daemon(render: Render, grace: int) -> None:
    found = render("one", grace=grace)
    settings = yaml.safe_load(found["ConfigMap"]["data"]["nthlayer-sync.yaml"])
    assert settings["serve"]["grace"] == f"{grace}seconds"
    assert found["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > grace


def test_an_account_has_a_token_only_where_the_cluster_is_managed(render: Render) -> None:
    plain, managing = render("several"), render("everything")
    assert not plain["Deployment"]["spec"]["template"]["spec"]["automountServiceAccountToken"]
    assert "ClusterRole" not in plain
    assert managing["Deployment"]["spec"]["template"]["spec"]["automountServiceAccountToken"]
    (subject,) = managing["ClusterRoleBinding"]["subjects"]
    assert subject["name"] == managing["ServiceAccount"]["metadata"]["name"]
    assert managing["ClusterRoleBinding"]["roleRef"]["name"] == managing["ClusterRole"]["metadata"]["name"]
    granted = {resource for rule in managing["ClusterRole"]["rules"] for resource in rule["resources"]}
    assert granted == {
        *("horizontalpodautoscalers", "limitranges", "networkpolicies", "resourcequotas", "rolebindings", "roles"),
        "serviceaccounts",
    }
    for found in (plain, managing):
        assert found["ServiceAccount"]["automountServiceAccountToken"] is False
        assert found["Pod"]["spec"]["automountServiceAccountToken"] is False


def test_who_may_connect_to_it(render: Render) -> None:
    policy = render("several")["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    test = {"namespace": {}, "own": True, "pod": DAEMON | {"app.kubernetes.io/component": "test"}}
    for friend in (elsewhere(name="backstage"), elsewhere(name="prometheus"), test):
        assert reaches(policy["ingress"], "from", friend, "nthlayer")
    assert not reaches(policy["ingress"], "from", elsewhere(name="ingress-nginx"), "nthlayer")
    assert not reaches(policy["ingress"], "from", test | {"own": False}, "nthlayer")
    assert not reaches(policy["ingress"], "from", "10.1.2.3", "nthlayer")
    shut = render("several", networkPolicy={"from": []})["NetworkPolicy"]["spec"]["ingress"]
    assert not reaches(shut, "from", elsewhere(name="backstage"), "nthlayer"), "nobody named is nobody, not everybody"


def test_what_it_may_connect_to(render: Render) -> None:
    egress = render("several")["NetworkPolicy"]["spec"]["egress"]
    dns = elsewhere(namespace="kube-system")
    assert reaches(egress, "to", dns, 53)
    assert reaches(egress, "to", dns, 53, "UDP")
    assert not reaches(egress, "to", elsewhere(), 53, "UDP")
    assert reaches(egress, "to", "10.0.0.5", 6432)
    assert reaches(egress, "to", "140.82.112.3", 443)
    assert reaches(egress, "to", elsewhere(name="backstage"), 7007)
    assert not reaches(egress, "to", "169.254.169.254", 80), "the node's credentials are there"
    assert not reaches(egress, "to", "10.0.0.5", 22)
    assert not reaches(egress, "to", elsewhere(name="grafana"), 3000)


def test_what_it_may_connect_to_can_be_narrowed(render: Render) -> None:
    narrow = {"database": [{"ipBlock": {"cidr": "10.0.0.5/32"}}], "to": [], "dns": []}
    egress = render("several", networkPolicy=narrow)["NetworkPolicy"]["spec"]["egress"]
    assert reaches(egress, "to", "10.0.0.5", 6432)
    assert not reaches(egress, "to", "10.0.0.6", 6432)
    assert not reaches(egress, "to", "140.82.112.3", 443)
    assert render("one", networkPolicy=narrow)["NetworkPolicy"]["spec"]["egress"] is None, "nothing at all"
    usual = render("sidecar", form="service")["NetworkPolicy"]["spec"]["egress"]
    assert reaches(usual, "to", "10.0.0.5", 5432), "the port that PostgreSQL has when its address names none"


def test_beside_backstage_it_never_takes_backstage_down(render: Render) -> None:
    """A pod is ready only when each of its containers has started and is ready."""
    given = yaml.safe_load(render("sidecar")["Sidecar"]["data"]["values.yaml"])["backstage"]
    (container,) = given["extraContainers"]
    assert not {"readinessProbe", "startupProbe"} & container.keys()
    assert container["livenessProbe"]["initialDelaySeconds"] >= 300


def test_backstage_is_given_what_its_chart_understands(render: Render) -> None:
    """backstage/charts: extraVolumes are rendered only beside extraVolumeMounts, and everything is a template there."""
    found = render("sidecar")
    text = found["Sidecar"]["data"]["values.yaml"]
    given = yaml.safe_load(text)["backstage"]
    assert given.keys() == {"podAnnotations", "extraContainers", "extraVolumes", "extraVolumeMounts"}
    assert given["extraVolumeMounts"]
    assert "{{" not in text
    secret = {each["name"] for each in given["extraVolumes"] if "projected" in each}
    assert not secret & {mount["name"] for mount in given["extraVolumeMounts"]}, "Backstage sees no secret of ours"


def test_beside_backstage_it_is_found_through_backstages_pods(render: Render) -> None:
    found = render("sidecar")
    assert found["Service"]["spec"]["selector"]["app.kubernetes.io/name"] == "backstage"
    (container,) = yaml.safe_load(found["Sidecar"]["data"]["values.yaml"])["backstage"]["extraContainers"]
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
    assert found.keys() == {"ConfigMap", "Service", "Sidecar", "Pod"}, "the pod's own objects are Backstage's"


def test_new_settings_make_new_pods_of_backstage(render: Render) -> None:
    def mark(**others: Any) -> str:
        given = yaml.safe_load(render("sidecar", **others)["Sidecar"]["data"]["values.yaml"])
        return given["backstage"]["podAnnotations"]["checksum/nthlayer-sync"]

    assert mark() != mark(files={"a": "b"})


SETTINGS = {"organisation": "Acme", "serve": {"access": {"backstage": {"url": "http://b"}}}}
IN_CLUSTER = SETTINGS | {"plugins": {"kubernetes": {"cluster": {"in_cluster": True}}}}


@pytest.mark.parametrize(
    ("name", "others", "said"),
    [
        ("one", {"settings": {}}, "settings"),
        ("one", {"settings": {"organisation": "Acme"}}, "settings.serve.access"),
        ("one", {"settings": SETTINGS | {"state": "x"}}, "settings: state and cache"),
        ("one", {"settings": {"organisation": "A", "serve": SETTINGS["serve"] | {"listen": "x"}}}, "settings.serve:"),
        ("one", {"replicas": 2}, "replicas: more than one needs database.url"),
        ("one", {"replicas": 0}, "/replicas"),
        ("one", {"replica": 2}, "replica"),
        ("one", {"form": "daemonset"}, "/form"),
        ("one", {"image": {"repository": "x", "tag": "latest"}}, "/image/tag"),
        ("one", {"pod": {"hostNetwork": True}}, "hostNetwork"),
        ("one", {"files": {"nthlayer-sync.yaml": ""}}, "invalid propertyName"),
        ("several", {"database": {"url": "postgresql://a:b@c/d"}}, "database.url: the password"),
        ("sidecar", {"database": {}}, "database.url: a sidecar needs PostgreSQL"),
        ("sidecar", {"settings": IN_CLUSTER}, "in_cluster"),
        ("sidecar", {"grace": 26}, "grace"),
    ],
)
def test_what_does_not_go_together_is_refused(
    helm: Render, values_of: Render, name: str, others: dict[str, Any], said: str
) -> None:
    assert said in helm(values=values_of(name, **others))["refused"]
