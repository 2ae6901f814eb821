"""Kinds of ordinary size that bring a service to 25 artefacts, so that the product makes as many as the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import Category, FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.yaml.emit import dump


class ManifestSpec(Spec):
    """A manifest: names, tier and a few numbers of the blueprint."""

    number: int
    name: str
    namespace: str
    team: str
    tier: str
    replicas: tuple[int, int]
    labels: dict[str, str]


def _generator(number: int) -> Callable[[Service], Iterator[ManifestSpec]]:
    def generate(service: Service) -> Iterator[ManifestSpec]:
        scaling = service.blueprint.cost.autoscaling
        yield ManifestSpec(
            number=number,
            name=service.name,
            namespace=service.namespace,
            team=service.owner.name if service.owner else "",
            tier=service.blueprint.tier,
            replicas=(scaling.min, scaling.max),
            labels=service.labels,
        )

    return generate


def render(spec: ManifestSpec) -> str:
    """A manifest of about 1.5 kB."""
    fields = [{"field": f"value-{spec.name}-{n}", "owner": spec.team, "note": f"tier {spec.tier}"} for n in range(12)]
    metadata = {"name": spec.name, "labels": spec.labels}
    return dump({"kind": f"K{spec.number}", "metadata": metadata, "spec": fields}, header=MARK)


def filler(count: int) -> type[OperationalPlugin]:
    """A plugin of `count` kinds."""
    made: tuple[FileKind[Any, Any], ...] = tuple(
        FileKind(
            name=f"filler/k{number:02d}",
            version=1,
            summary="a manifest",
            subject=Service,
            spec=ManifestSpec,
            generate=_generator(number),
            path=lambda service, spec: f"filler/k{spec.number:02d}.yaml",
            render=render,
        )
        for number in range(count)
    )

    class Filler(OperationalPlugin):
        name = "filler"
        version = "1"
        category = Category.TESTING
        summary = "manifests for the benchmark"
        kinds = made

    return Filler
