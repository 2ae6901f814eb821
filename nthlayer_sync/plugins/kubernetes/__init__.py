"""Kubernetes objects, as manifests in Git for Argo CD, Flux or `kubectl apply`."""

from nthlayer_sync.plugins.kubernetes.hpa import HPA
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin


class Plugin(OperationalPlugin):
    """Manifests of the objects that operations, not the application, decides on."""

    name = "kubernetes"
    version = "1"
    category = Category.COST
    summary = "Kubernetes objects that operations decides on"
    kinds = (HPA,)
