"""Manifests, held to the schemas of Kubernetes."""

import re

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.kubernetes.hpa import HPA, generate
from nthlayer_sync.sdk.testing import service_from


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(min_size=1, max_size=80) | st.from_regex(r"\A[A-Za-z0-9-]{1,70}\Z"),
    system=st.text(min_size=1, max_size=80),
    tier=st.sampled_from("123"),
)
def test_any_name_gives_a_valid_manifest_or_is_refused(name: str, system: str, tier: str) -> None:
    words = {"name": name, "tier": tier, "system": f"system:default/{system}"}
    legal = re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name.lower())
    if not legal:
        with pytest.raises(PermanentError, match="cannot name a Kubernetes object"):
            list(generate(service_from(words)))
        return
    [spec] = generate(service_from(words))
    manifest = yaml.safe_load(HPA.content(spec))
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    assert manifest["metadata"]["name"] == name.lower()
    assert manifest["spec"]["minReplicas"] <= manifest["spec"]["maxReplicas"]
    for value in manifest["metadata"]["labels"].values():
        assert len(value) <= 63


def test_hostile_annotations_are_refused(hostile: str) -> None:
    for annotation in ("backstage.io/kubernetes-id", "backstage.io/kubernetes-namespace"):
        service = service_from({"annotations": {annotation: hostile}})
        if hostile in ("true", "0x10"):
            [spec] = generate(service)
            assert hostile in (spec.name, spec.namespace)
        else:
            with pytest.raises(PermanentError, match=f"component:default/payments: .* the annotation {annotation}"):
                list(generate(service))
