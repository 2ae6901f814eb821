"""Kubernetes: an API server with server-side apply, for the objects that operations makes.

https://kubernetes.io/docs/reference/using-api/api-concepts/ and …/server-side-apply/: managers of fields and their
conflicts, resource versions, lists in pages that expire, dry runs, preconditions of deletes. What it does not do: run
anything, watch, check types beyond what `sorts` says.
"""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.ids import uuid
from nthlayer_sync.sandbox.people import SERVICES
from nthlayer_sync.sandbox.tool import Reply, Tool
from nthlayer_sync.sandbox.vendors.kubernetes.objects import Objects
from nthlayer_sync.sandbox.vendors.kubernetes.routes import Routes
from nthlayer_sync.sandbox.vendors.kubernetes.sorts import SORTS
from nthlayer_sync.sandbox.vendors.kubernetes.status import refusal

_VERSION = (
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
)
_SAID = {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}


class Kubernetes(Tool):
    """The stand-in of an API server.

    Attributes:
        namespaces: Those that exist.
        forbidden: What the caller may not do, as verb and plural.
    """

    name = "kubernetes"
    host = "https://kubernetes.default.svc"
    token = "sandbox-kubernetes"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the routes."""
        self.namespaces: set[str] = set()
        self.forbidden: set[tuple[str, str]] = set()
        self.objects = Objects(self.touched.append, uuid(f"{self.seed}/kubernetes"))
        self._forgotten = 0
        self.route("GET", "/version/", lambda _: Reply(200, dict.fromkeys(_VERSION, "") | _SAID))
        for sort in SORTS:
            Routes(self, sort)

    def seed_people(self) -> None:
        """A namespace for every service."""
        self.namespaces |= {"default", *SERVICES}

    def settings(self) -> dict[str, Any]:
        """As a cluster."""
        return {"cluster": super().settings()}

    def refused(self, status: int, *messages: str) -> Reply:
        """A Status."""
        return refusal(status, "; ".join(messages))

    def forget(self) -> None:
        """Compact: pages that are asked for by an older list are gone."""
        self.objects.version += 1
        self._forgotten = self.objects.version

    def expired(self, version: int) -> bool:
        """Whether the server no longer knows how things were then."""
        return version < self._forgotten

    def snapshot(self) -> dict[str, list[Item]]:
        """Every object, by plural."""
        return self.objects.snapshot()

    def wipe(self, collection: str = "") -> None:
        """Forget the objects of one sort, or everything."""
        self.objects.clear(collection)
        if not collection:
            self.namespaces = set()
            self.forbidden.clear()
            self._forgotten = 0
