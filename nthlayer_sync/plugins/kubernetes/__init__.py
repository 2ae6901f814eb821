"""Kubernetes objects, as manifests in Git for Argo CD, Flux or `kubectl apply`, or in a cluster itself."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Subject
from nthlayer_sync.plugins.kubernetes.hpa import HPA
from nthlayer_sync.plugins.kubernetes.limit_range import LIMIT_RANGE
from nthlayer_sync.plugins.kubernetes.network_policy import CALLERS, NETWORK_POLICY, POD_LABEL
from nthlayer_sync.plugins.kubernetes.rbac import RBAC
from nthlayer_sync.plugins.kubernetes.resource_quota import RESOURCE_QUOTA
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.kubernetes import Cluster, ClusterSettings, ClusterTarget, Connection, ManifestKind
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Target

Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]


class KubernetesSettings(LiveSettings):
    """Settings of the plugin."""

    cluster: ClusterSettings | None = Field(
        default=None, description="The cluster that the objects are made in; left out, they land in Git as manifests."
    )
    group: str = Field(
        default="{name}",
        pattern=r"^[A-Za-z0-9_.:/@-]*\{name\}[A-Za-z0-9_.:/@-]*$",
        description="What the cluster calls the group that owns a service, such as oidc:{name}.",
    )
    pod_label: str = Field(
        default=POD_LABEL,
        pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
        description="Label under which pods bear the name that their service has in the catalog.",
    )
    callers: tuple[Namespace, ...] = Field(
        default=CALLERS,
        description="Namespaces from which every service may be reached: ingress controllers, monitoring.",
    )

    @property
    def root(self) -> str:
        """Where objects land in a cluster."""
        return f"kubernetes:{self.cluster.name}" if self.cluster and self.cluster.name else "kubernetes"


class Plugin(OperationalPlugin):
    """Objects that operations, not the application, decides on."""

    name = "kubernetes"
    version = "2"
    category = Category.COST
    summary = "Kubernetes objects that operations decides on"
    kinds = (RBAC, LIMIT_RANGE, RESOURCE_QUOTA, NETWORK_POLICY, HPA)
    settings_type = KubernetesSettings
    settings: KubernetesSettings

    def __init__(self, settings: KubernetesSettings, runtime: Runtime | None = None) -> None:
        """The settings say how the cluster names things, and whether objects land there."""
        super().__init__(settings, runtime)
        self.bind(RBAC, group=settings.group)
        self.bind(NETWORK_POLICY, label=settings.pod_label, callers=settings.callers)
        if settings.cluster is not None:
            self.active = tuple(_live(kind) for kind in self.active)

    def connect(self, runtime: Runtime) -> Target | None:
        """The cluster that the settings name."""
        settings = self.settings
        if settings.cluster is None:
            return None
        cluster = Cluster(Connection(settings.root, settings.cluster, runtime).open)
        return ClusterTarget(settings.root, cluster, self.kinds, settings, runtime.instance)

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """In the cluster where the settings name one, else in a file."""
        if self.settings.cluster is not None and isinstance(kind, ManifestKind):
            return Place(self.settings.root, kind.path_of(spec))
        return super().place(kind, subject, spec)


def _live(kind: Kind[Any, Any]) -> Kind[Any, Any]:
    return kind.live() if isinstance(kind, ManifestKind) else kind
