"""kubernetes/network_policy: only what the catalog says may connect, for services that ask for it.

What the catalog cannot say in pods and ports stays open: a policy that guesses cuts off what works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.service import Neighbour, Service, per_blueprint
from nthlayer_sync.plugins.kubernetes.manifest import ManifestSpec, head, identity, label_value, runs_here
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.kubernetes import Form, ManifestKind, Object, manifest
from nthlayer_sync.signals.packs import PACKS

POD_LABEL = "app.kubernetes.io/name"
CALLERS = ("ingress-nginx", "monitoring")
_DNS = 53
# Every namespace bears its own name: https://kubernetes.io/docs/reference/labels-annotations-taints/
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


class Egress(msgspec.Struct, frozen=True):
    """What a service may connect to: services by what their pods bear, anything else by TCP port."""

    services: tuple[str, ...]
    ports: tuple[int, ...]


class NetworkPolicySpec(ManifestSpec, frozen=True):
    """A NetworkPolicy for the pods that bear `pod` under `label`."""

    label: str
    pod: str
    ingress: tuple[str, ...]
    """What the pods bear that may connect."""
    callers: tuple[str, ...]
    """Namespaces from which anything may connect."""
    egress: Egress | None
    """None: the service may connect to anything."""


def generate(
    service: Service, label: str = POD_LABEL, callers: tuple[str, ...] = CALLERS
) -> Iterator[NetworkPolicySpec]:
    """One for every service whose blueprint says `network: declared`."""
    if not runs_here(service) or _network(service) != "declared":
        return
    own = label_value(service.name)
    yield NetworkPolicySpec(
        **identity(service),
        label=label,
        pod=own,
        ingress=_pods(own, service.dependents),
        callers=tuple(sorted(set(callers))),
        egress=_egress(own, service.depends_on),
    )


@per_blueprint
def _network(blueprint: Blueprint) -> str:
    return blueprint.access.network


def _egress(own: str, needs: Iterable[Neighbour]) -> Egress | None:
    """None where something is needed of which neither pods nor ports are known, such as somebody else's API."""
    services = [other for other in needs if other.kind == "component" and not other.external]
    others = [other for other in needs if other not in services]
    if any(other.technology not in PACKS for other in others):
        return None
    ports = {port for other in others for port in PACKS[other.technology].ports}
    return Egress(_pods(own, services), tuple(sorted(ports)))


def _pods(own: str, others: Iterable[Neighbour]) -> tuple[str, ...]:
    """A service's copies talk to each other, too."""
    names = {label_value(other.name) for other in others if other.kind == "component" and not other.external}
    return tuple(sorted((names | {own}) - {""}))


def objects(spec: NetworkPolicySpec) -> list[Object]:
    """The object. Pods are found by label in any namespace: where a neighbour runs is its own affair."""
    ingress: list[dict[str, Any]] = [{"from": _from(spec, spec.ingress)}]
    if spec.callers:
        ingress[0]["from"] += [_in_namespace(name) for name in spec.callers]
    body: dict[str, Any] = {
        "podSelector": {"matchLabels": {spec.label: spec.pod}},
        "policyTypes": ["Ingress"],
        "ingress": ingress,
    }
    if spec.egress is not None:
        dns = [{"protocol": protocol, "port": _DNS} for protocol in ("UDP", "TCP")]
        body["policyTypes"].append("Egress")
        body["egress"] = [
            {"to": [_in_namespace("kube-system")], "ports": dns},
            {"to": _from(spec, spec.egress.services)},
        ]
        if spec.egress.ports:
            body["egress"].append({"ports": [{"protocol": "TCP", "port": port} for port in spec.egress.ports]})
    return [head(FORM, spec) | {"spec": body}]


def _from(spec: NetworkPolicySpec, pods: tuple[str, ...]) -> list[dict[str, Any]]:
    chosen = {"matchExpressions": [{"key": spec.label, "operator": "In", "values": list(pods)}]}
    return [{"namespaceSelector": {}, "podSelector": chosen}]


def _in_namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: name}}}


FORM = Form(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "networkpolicies",
    ("spec/podSelector", "spec/policyTypes", "spec/ingress", "spec/egress"),
)

NETWORK_POLICY = ManifestKind(
    name="kubernetes/network_policy",
    version=1,
    summary="only what the catalog says may connect",
    category=Category.ACCESS,
    subject=Service,
    spec=NetworkPolicySpec,
    generate=generate,
    path=lambda service, spec: "kubernetes/network-policy.yaml",
    render=lambda spec: manifest(objects(spec)),
    objects=objects,
    forms=(FORM,),
)
