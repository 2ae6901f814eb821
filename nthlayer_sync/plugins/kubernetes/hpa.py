"""kubernetes/hpa: replicas and scaling targets by tier."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.kubernetes.manifest import ManifestSpec, head, identity, runs_here
from nthlayer_sync.sdk.kubernetes import Form, ManifestKind, Object, manifest


class Scaling(msgspec.Struct, frozen=True):
    """How many copies run, from and to, and the loads in percent that are aimed at."""

    replicas: tuple[int, int]
    cpu: int
    memory: int | None
    scale_down_seconds: int


class HpaSpec(ManifestSpec, frozen=True):
    """A HorizontalPodAutoscaler for the service's Deployment."""

    scaling: Scaling


def generate(service: Service) -> Iterator[HpaSpec]:
    """One for every service; libraries and websites have no Deployment to scale."""
    if runs_here(service):
        yield HpaSpec(**identity(service), scaling=scaling_of(service))


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


def objects(spec: HpaSpec) -> list[Object]:
    """An `autoscaling/v2` object."""
    scaling = spec.scaling
    loads = {"cpu": scaling.cpu, "memory": scaling.memory}
    return [
        head(FORM, spec)
        | {
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
        }
    ]


FORM = Form(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    (
        "spec/scaleTargetRef",
        "spec/minReplicas",
        "spec/maxReplicas",
        "spec/metrics",
        "spec/behavior/scaleDown/stabilizationWindowSeconds",
    ),
)
"""Policies of scaling are left to others."""

HPA = ManifestKind(
    name="kubernetes/hpa",
    version=1,
    summary="replicas and scaling targets by tier",
    subject=Service,
    spec=HpaSpec,
    generate=generate,
    path=lambda service, spec: "kubernetes/hpa.yaml",
    render=lambda spec: manifest(objects(spec)),
    objects=objects,
    forms=(FORM,),
)
