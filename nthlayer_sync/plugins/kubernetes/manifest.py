"""What every Kubernetes object of a service has in common: its name, namespace and labels."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypedDict

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.ref import ref_name
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kubernetes import MANAGED_BY, Form, Object
from nthlayer_sync.sdk.ownership import MARK

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_VALUE = re.compile(r"[^A-Za-z0-9._-]+")

# Annotations of the Kubernetes plugin of Backstage: https://backstage.io/docs/features/kubernetes/configuration
KUBERNETES_ID = "backstage.io/kubernetes-id"
KUBERNETES_NAMESPACE = "backstage.io/kubernetes-namespace"


class Identity(TypedDict):
    """What the objects of one config are called and bear."""

    name: str
    namespace: str
    labels: dict[str, str]


class ManifestSpec(Spec, frozen=True):
    """What every config here has: the objects of one bear one name."""

    name: str
    namespace: str
    labels: dict[str, str]


def runs_here(service: Service) -> bool:
    """Whether a service is taken to run as a Deployment; libraries and websites are not."""
    return service.type == "service"


def has_namespace(service: Service) -> bool:
    """Whether the catalog says that the service has a namespace of its own: one that is called as it is."""
    said = service.annotations.get(KUBERNETES_NAMESPACE, "")
    return runs_here(service) and bool(said) and said.lower() == object_name(service)


def identity(service: Service) -> Identity:
    """Name, namespace and labels of its objects."""
    return Identity(name=object_name(service), namespace=namespace_of(service), labels=standard_labels(service))


def head(form: Form, spec: ManifestSpec) -> Object:
    """What an object begins with."""
    metadata = {"name": spec.name, "namespace": spec.namespace, "labels": spec.labels}
    return {"apiVersion": form.api, "kind": form.kind, "metadata": metadata}


def dns_label(service: Service, annotation: str, otherwise: str) -> str:
    """What `annotation` says, or else `otherwise`, in lower case; PermanentError when that is no DNS label."""
    text = service.annotations.get(annotation) or otherwise
    lowered = text.lower()
    if not _DNS_LABEL.fullmatch(lowered):
        raise PermanentError(
            f"{service.ref}: {text!r} cannot name a Kubernetes object (at most 63 of a-z, 0-9 and -);"
            f" the annotation {annotation} can give another name"
        )
    return lowered


def object_name(service: Service) -> str:
    """The name of the service's workload: its Kubernetes id where Backstage knows one."""
    return dns_label(service, KUBERNETES_ID, service.name)


def namespace_of(service: Service) -> str:
    """The namespace the service runs in."""
    return dns_label(service, KUBERNETES_NAMESPACE, service.namespace)


@lru_cache(maxsize=100_000)
def label_value(text: str) -> str:
    """`text` cut and cleaned to a legal label value."""
    return _LABEL_VALUE.sub("-", text)[:63].strip("-_.")


def standard_labels(service: Service) -> dict[str, str]:
    """The recommended labels. https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/"""
    labels = {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/part-of": ref_name(service.system) if service.system else "",
        MANAGED_BY: MARK,
        "nthlayer.dev/tier": service.blueprint.tier,
        "nthlayer.dev/team": service.owner.name if service.owner else "",
    }
    return {key: cleaned for key, value in labels.items() if (cleaned := label_value(value))}
