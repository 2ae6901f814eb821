"""kubernetes/limit_range: what a container gets that asks for nothing, in a namespace that is one service's own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.plugins.kubernetes.manifest import ManifestSpec, has_namespace, head, identity
from nthlayer_sync.sdk.kubernetes import Form, ManifestKind, Object, manifest


class Limits(msgspec.Struct, frozen=True):
    """What a container asks for, and where it is stopped."""

    cpu: str
    memory: str
    memory_limit: str
    most_memory: str


class LimitRangeSpec(ManifestSpec, frozen=True):
    """A LimitRange for the service's namespace."""

    limits: Limits


def generate(service: Service) -> Iterator[LimitRangeSpec]:
    """One for every service that has a namespace of its own."""
    if has_namespace(service):
        yield LimitRangeSpec(**identity(service), limits=limits_of(service))


@per_blueprint
def limits_of(blueprint: Blueprint) -> Limits:
    """What the blueprint asks for."""
    asked = blueprint.cost.containers
    return Limits(asked.cpu, asked.memory, asked.memory_limit, asked.most_memory)


def objects(spec: LimitRangeSpec) -> list[Object]:
    """The object. Without a `max` of CPU the server adds no default of its own: it takes the one from the other."""
    limits = spec.limits
    row = {
        "type": "Container",
        "defaultRequest": {"cpu": limits.cpu, "memory": limits.memory},
        "default": {"memory": limits.memory_limit},
        "max": {"memory": limits.most_memory},
    }
    return [head(FORM, spec) | {"spec": {"limits": [row]}}]


FORM = Form("v1", "LimitRange", "limitranges", ("spec/limits",))

LIMIT_RANGE = ManifestKind(
    name="kubernetes/limit_range",
    version=1,
    summary="what a container gets that asks for nothing",
    subject=Service,
    spec=LimitRangeSpec,
    generate=generate,
    path=lambda service, spec: "kubernetes/limit-range.yaml",
    render=lambda spec: manifest(objects(spec)),
    objects=objects,
    forms=(FORM,),
)
