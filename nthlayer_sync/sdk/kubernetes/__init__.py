"""Kubernetes as a target: a config is one object or a few, merged by the server with what others say of them.

`form` is what a sort of object is to us; `kind` the row a plugin writes; `cluster` asks the API server; `change` makes
one config so, and `target` many; `connection` is the way there, `kubeconfig` and `credentials` what it may need.
"""

from nthlayer_sync.sdk.kubernetes.cluster import Cluster
from nthlayer_sync.sdk.kubernetes.connection import ClusterSettings, Connection
from nthlayer_sync.sdk.kubernetes.form import MANAGED_BY, Form, Object, manifest
from nthlayer_sync.sdk.kubernetes.kind import ManifestKind
from nthlayer_sync.sdk.kubernetes.target import ClusterTarget

__all__ = [
    "MANAGED_BY",
    "Cluster",
    "ClusterSettings",
    "ClusterTarget",
    "Connection",
    "Form",
    "ManifestKind",
    "Object",
    "manifest",
]
