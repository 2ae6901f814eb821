"""kubernetes/hpa: replicas and scaling targets by tier."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.kubernetes.manifest import namespace_of, object_name, standard_labels
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.yaml.emit import dump


class Scaling(msgspec.Struct, frozen=True):
    """How many copies run, from and to, and the loads in percent that are aimed at."""

    replicas: tuple[int, int]
    cpu: int
    memory: int | None
    scale_down_seconds: int


class HpaSpec(Spec, frozen=True):
    """A HorizontalPodAutoscaler for the service's Deployment."""

    name: str
    namespace: str
    labels: dict[str, str]
    scaling: Scaling


def generate(service: Service) -> Iterator[HpaSpec]:
    """One for every service; libraries and websites have no Deployment to scale."""
    if service.type != "service":
        return
    yield HpaSpec(
        name=object_name(service),
        namespace=namespace_of(service),
        labels=standard_labels(service),
        scaling=scaling_of(service),
    )


@per_blueprint
def scaling_of(blueprint: Blueprint) -> Scaling:
    """What the blueprint asks for."""
    asked = blueprint.cost.autoscaling
    return Scaling(
        replicas=(asked.min, asked.max),
        cpu=round(asked.cpu.value),
        memory=round(asked.memory.value) if asked.memory else None,
        scale_down_seconds=round(asked.scale_down_stabilisation.seconds),
    )


def render(spec: HpaSpec) -> str:
    """An `autoscaling/v2` manifest."""
    scaling = spec.scaling
    loads = {"cpu": scaling.cpu, "memory": scaling.memory}
    return dump(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": spec.name, "namespace": spec.namespace, "labels": spec.labels},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": spec.name},
                "minReplicas": scaling.replicas[0],
                "maxReplicas": scaling.replicas[1],
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": load}},
                    }
                    for name, load in loads.items()
                    if load is not None
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": scaling.scale_down_seconds}},
            },
        },
        header=f"Managed by {MARK}: change the blueprint, not this file.",
    )


HPA = FileKind(
    name="kubernetes/hpa",
    version=1,
    summary="replicas and scaling targets by tier",
    subject=Service,
    spec=HpaSpec,
    generate=generate,
    path=lambda service, spec: "kubernetes/hpa.yaml",
    render=render,
)
