"""Pages for TechDocs: runbook, dependencies, onboarding, and the site that joins them.

They are handed to Git as Markdown for those who build in CI, or built here and published.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.plugins.techdocs.dependency_graph import DEPENDENCY_GRAPH
from nthlayer_sync.plugins.techdocs.index import INDEX
from nthlayer_sync.plugins.techdocs.onboarding import ONBOARDING
from nthlayer_sync.plugins.techdocs.publish import gcs
from nthlayer_sync.plugins.techdocs.publish.folder import Folder
from nthlayer_sync.plugins.techdocs.publish.s3 import S3
from nthlayer_sync.plugins.techdocs.publish.settings import FolderSettings, PublishSettings, S3Settings
from nthlayer_sync.plugins.techdocs.publish.shelf import Shelf
from nthlayer_sync.plugins.techdocs.publish.sites import Sites
from nthlayer_sync.plugins.techdocs.published import PUBLISHED, path_of
from nthlayer_sync.plugins.techdocs.runbook import RUNBOOK
from nthlayer_sync.plugins.techdocs.site import SITE
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Target
from nthlayer_sync.sdk.texts import TextTarget
from nthlayer_sync.signals.addresses import Address, Addresses


class TechdocsSettings(LiveSettings):
    """What an organisation may set for the pages."""

    home: Literal["service", "central"] = Field(
        default="service",
        description="Land pages beside the code, where TechDocs looks for them, or in the central repository.",
    )
    grafana: Address = Field(
        default="",
        description="Address of Grafana, such as https://grafana.example.com; without it no dashboard is linked.",
    )
    publish: PublishSettings | None = Field(
        default=None,
        description="Build the sites and publish them there, instead of handing their sources to Git for CI to build.",
    )


class Plugin(OperationalPlugin):
    """Pages about running a service."""

    name = "techdocs"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "pages about running a service, for TechDocs"
    kinds = (RUNBOOK, DEPENDENCY_GRAPH, ONBOARDING, INDEX, SITE)
    settings_type = TechdocsSettings
    settings: TechdocsSettings

    def __init__(self, settings: TechdocsSettings, runtime: Runtime | None = None) -> None:
        """With `publish`, pages are parts of the site and land nowhere by themselves."""
        super().__init__(settings, runtime)
        self.bind(RUNBOOK, addresses=Addresses(grafana=settings.grafana.rstrip("/")))
        if settings.publish is None:
            self.bind(SITE, made=frozenset(kind.name for kind in self.active))
            return
        pages = {kind.name: kind.generate for kind in self.active if kind.name != SITE.name}
        self.active = tuple(replace(k, generate=_nothing) if k.name != SITE.name else k for k in self.active)
        self.bind(PUBLISHED, pages=pages)

    def connect(self, runtime: Runtime) -> Target | None:
        """Where the settings have sites published."""
        publish = self.settings.publish
        if publish is None:
            return None
        shelf: Shelf
        if isinstance(publish, FolderSettings):
            shelf = Folder(publish.directory)
        elif isinstance(publish, S3Settings):
            shelf = S3(publish)
        else:
            shelf = gcs.connect(runtime, self.name, publish)
        sites = Sites(shelf, runtime.instance)
        return TextTarget(self.name, publish.account, sites, read_only=self.settings.read_only)

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """Where TechDocs reads the published site, or in a file."""
        if self.settings.publish is not None and kind.name == SITE.name and isinstance(subject, Service):
            return Place(f"{self.name}:{self.settings.publish.account}", path_of(subject.ref))
        return super().place(kind, subject, spec)


def _nothing(subject: Subject) -> tuple[()]:
    return ()
