"""kubernetes/resource_quota: what a namespace may use in all, where it is one service's own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.blueprint.containers import amount, cpu_of, memory_of
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.kubernetes.manifest import ManifestSpec, has_namespace, head, identity
from nthlayer_sync.sdk.kubernetes import Form, ManifestKind, Object, manifest

_SURGE = 4
"""One in so many copies more may run while a new version comes: maxSurge of a Deployment is 25 % by default.
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge"""


class Quota(msgspec.Struct, frozen=True):
    """What all pods of a namespace may ask for together."""

    pods: int
    cpu: str
    memory: str


class QuotaSpec(ManifestSpec, frozen=True):
    """A ResourceQuota for the service's namespace."""

    quota: Quota


def generate(service: Service) -> Iterator[QuotaSpec]:
    """One for every service that has a namespace of its own: in a shared one it would bound its neighbours."""
    if has_namespace(service):
        yield QuotaSpec(**identity(service), quota=quota_of(service))


@per_blueprint
def quota_of(blueprint: Blueprint) -> Quota:
    """As many copies as may run at once, each as large as one may be: it never stops the autoscaler."""
    most, each = blueprint.cost.autoscaling.max, blueprint.cost.containers
    pods = most + -(-most // _SURGE) + each.spare
    return Quota(pods, cpu_of(amount(each.most_cpu) * pods), memory_of(amount(each.most_memory) * pods))


def objects(spec: QuotaSpec) -> list[Object]:
    """The object."""
    quota = spec.quota
    hard = {"pods": str(quota.pods), "requests.cpu": quota.cpu, "requests.memory": quota.memory}
    return [head(FORM, spec) | {"spec": {"hard": hard}}]


FORM = Form(
    "v1",
    "ResourceQuota",
    "resourcequotas",
    ("spec/hard/pods", "spec/hard/requests.cpu", "spec/hard/requests.memory", "spec/scopes", "spec/scopeSelector"),
)

RESOURCE_QUOTA = ManifestKind(
    name="kubernetes/resource_quota",
    version=1,
    summary="what a service's own namespace may use in all",
    subject=Service,
    spec=QuotaSpec,
    generate=generate,
    # A quota refuses pods that ask for nothing; the limit range makes every pod ask.
    requires=("kubernetes/limit_range",),
    path=lambda service, spec: "kubernetes/resource-quota.yaml",
    render=lambda spec: manifest(objects(spec)),
    objects=objects,
    forms=(FORM,),
)
