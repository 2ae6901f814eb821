"""kubernetes/rbac: who a service is in its cluster, and what its owner may do there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.ref import ref_parts
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.kubernetes.manifest import ManifestSpec, has_namespace, head, identity, runs_here
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.kubernetes import Form, ManifestKind, Object, manifest

_GROUP = "rbac.authorization.k8s.io"
_LOOK = ["get", "list", "watch"]


class RbacSpec(ManifestSpec, frozen=True):
    """A ServiceAccount; where `group` is somebody, also a Role and a RoleBinding for them."""

    group: str
    debug: bool
    """Whether they may get into containers."""


def generate(service: Service, group: str = "{name}") -> Iterator[RbacSpec]:
    """One for every service. `group` is what the cluster calls the group of an owner."""
    if not runs_here(service):
        return
    access, owner = _access(service), service.owner
    known = owner is not None and ref_parts(owner.ref).kind == "group" and access != "none"
    # A role cannot tell the pods of one service from those of another, so nobody gets into those of a shared namespace.
    yield RbacSpec(
        **identity(service),
        group=group.replace("{name}", owner.name) if owner and known else "",
        debug=access == "debug" and has_namespace(service),
    )


@per_blueprint
def _access(blueprint: Blueprint) -> str:
    return blueprint.access.cluster


def objects(spec: RbacSpec) -> list[Object]:
    """The account is no more than a name: its pods get no token for the API server."""
    account = head(SERVICE_ACCOUNT, spec) | {"automountServiceAccountToken": False}
    if not spec.group:
        return [account]
    binding = {
        "subjects": [{"kind": "Group", "apiGroup": _GROUP, "name": spec.group}],
        "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": spec.name},
    }
    return [account, head(ROLE, spec) | {"rules": _rules(spec)}, head(ROLE_BINDING, spec) | binding]


def _rules(spec: RbacSpec) -> list[dict[str, Any]]:
    """Nothing here shows a secret or changes anything; getting into a container does both."""
    rules = [
        _rule("", "pods", "pods/log", "events", "services", "endpoints", "resourcequotas", "limitranges"),
        _rule("apps", "deployments", "replicasets", "statefulsets"),
        _rule("autoscaling", "horizontalpodautoscalers"),
        _rule("batch", "jobs", "cronjobs"),
        _rule("networking.k8s.io", "networkpolicies", "ingresses"),
        _rule("policy", "poddisruptionbudgets"),
    ]
    if spec.debug:
        rules.append(_rule("", "pods/exec", "pods/portforward", verbs=["create", "get"]))
    return rules


def _rule(group: str, *resources: str, verbs: list[str] = _LOOK) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


SERVICE_ACCOUNT = Form("v1", "ServiceAccount", "serviceaccounts", ("automountServiceAccountToken",))
ROLE = Form(f"{_GROUP}/v1", "Role", "roles", ("rules",))
ROLE_BINDING = Form(f"{_GROUP}/v1", "RoleBinding", "rolebindings", ("subjects", "roleRef"))

RBAC = ManifestKind(
    name="kubernetes/rbac",
    version=1,
    summary="who a service is in its cluster, and what its owner may do there",
    category=Category.ACCESS,
    subject=Service,
    spec=RbacSpec,
    generate=generate,
    path=lambda service, spec: "kubernetes/rbac.yaml",
    render=lambda spec: manifest(objects(spec)),
    objects=objects,
    forms=(SERVICE_ACCOUNT, ROLE, ROLE_BINDING),
)
