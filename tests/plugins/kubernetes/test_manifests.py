"""Manifests of all kinds, held to the schemas of Kubernetes."""

import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from nthlayer_sync.plugins.kubernetes import KubernetesSettings, Plugin
from nthlayer_sync.sdk.kubernetes import ManifestKind
from nthlayer_sync.sdk.kubernetes.form import canonical, objects_of
from nthlayer_sync.sdk.testing import service_from

GOLDEN = sorted(Path(__file__).parent.glob("*/*/then.yaml"))
NAMES = {
    "ServiceAccount": "serviceaccount-v1",
    "Role": "role-rbac-v1",
    "RoleBinding": "rolebinding-rbac-v1",
    "NetworkPolicy": "networkpolicy-networking-v1",
    "ResourceQuota": "resourcequota-v1",
    "LimitRange": "limitrange-v1",
    "HorizontalPodAutoscaler": "horizontalpodautoscaler-autoscaling-v2",
}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_golden_manifests_are_valid(path: Path, shared: Path) -> None:
    bundle = json.loads((shared / "specs/artefacts/kubernetes/v1.37-strict-bundle.json").read_text())
    for item in yaml.safe_load_all(path.read_text()):
        for version in ("1.25", kubernetes_validate.latest_version()):
            kubernetes_validate.validate(item, version, strict=True)
        jsonschema.validate(item, {**bundle, "$ref": f"#/$defs/{NAMES[item['kind']]}"})


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_all_of_a_manifest_is_managed(path: Path) -> None:
    """What is wanted, in the form in which it is compared, is what of it comes back from a server."""
    forms = {form.kind: form for kind in Plugin.kinds if isinstance(kind, ManifestKind) for form in kind.forms}
    text = canonical(yaml.safe_load_all(path.read_text()))
    assert canonical(forms[each["kind"]].ours(each) for each in objects_of(text)) == text


def test_the_settings_say_how_the_cluster_names_things() -> None:
    settings = KubernetesSettings.model_validate(
        {"group": "oidc:{name}", "pod_label": "app", "callers": ["gateway"], "kinds": ["rbac", "network_policy"]}
    )
    plugin = Plugin(settings)
    declared = service_from({"blueprint": {"access": {"network": "declared"}}})
    rbac, policy = (plugin.kind(config.id.kind).content(config.spec) for config in plugin.generate_configs(declared))
    [*_, binding] = yaml.safe_load_all(rbac)
    assert binding["subjects"][0]["name"] == "oidc:payments-team"
    spec = yaml.safe_load(policy)["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app": "payments"}}
    callers = [each["namespaceSelector"].get("matchLabels") for each in spec["ingress"][0]["from"]]
    assert callers == [None, {"kubernetes.io/metadata.name": "gateway"}]


def test_a_quota_never_stops_the_autoscaler() -> None:
    plugin = Plugin(KubernetesSettings())
    for most in (1, 2, 3, 4, 5, 99):
        words = {"annotations": {"backstage.io/kubernetes-namespace": "payments"}}
        words |= {"blueprint": {"cost": {"autoscaling": {"min": 1, "max": most}}}}
        [quota] = [
            yaml.safe_load(plugin.kind(config.id.kind).content(config.spec))
            for config in plugin.generate_configs(service_from(words))
            if config.id.kind == "kubernetes/resource_quota"
        ]
        assert int(quota["spec"]["hard"]["pods"]) >= most * 1.25
