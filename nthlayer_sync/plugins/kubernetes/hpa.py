"""kubernetes/hpa: replicas and scaling targets by tier."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.kubernetes.manifest import namespace_of, object_name, standard_labels
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.yaml.emit import dump


class HpaSpec(Spec, frozen=True):
    """A HorizontalPodAutoscaler for the service's Deployment; times in seconds, loads in percent."""

    name: str
    namespace: str
    labels: dict[str, str]
    replicas: tuple[int, int]
    cpu: int
    memory: int | None
    scale_down_seconds: int


def generate(service: Service) -> Iterator[HpaSpec]:
    """One for every service; libraries and websites have no Deployment to scale."""
    if service.type != "service":
        return
    scaling = service.blueprint.cost.autoscaling
    yield HpaSpec(
        name=object_name(service),
        namespace=namespace_of(service),
        labels=standard_labels(service),
        replicas=(scaling.min, scaling.max),
        cpu=round(scaling.cpu.value),
        memory=round(scaling.memory.value) if scaling.memory else None,
        scale_down_seconds=round(scaling.scale_down_stabilisation.seconds),
    )


def render(spec: HpaSpec) -> str:
    """An `autoscaling/v2` manifest."""
    loads = {"cpu": spec.cpu, "memory": spec.memory}
    return dump(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": spec.name, "namespace": spec.namespace, "labels": spec.labels},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": spec.name},
                "minReplicas": spec.replicas[0],
                "maxReplicas": spec.replicas[1],
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": load}},
                    }
                    for name, load in loads.items()
                    if load is not None
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": spec.scale_down_seconds}},
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
