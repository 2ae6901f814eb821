"""Pages for TechDocs, as Markdown beside the code: runbook, dependencies, onboarding, and the site that joins them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nthlayer_sync.plugins.techdocs.dependency_graph import DEPENDENCY_GRAPH
from nthlayer_sync.plugins.techdocs.index import INDEX
from nthlayer_sync.plugins.techdocs.onboarding import ONBOARDING
from nthlayer_sync.plugins.techdocs.runbook import RUNBOOK
from nthlayer_sync.plugins.techdocs.site import SITE
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.signals.addresses import Address, Addresses


class TechdocsSettings(PluginSettings):
    """What an organisation may set for the pages."""

    home: Literal["service", "central"] = Field(
        default="service",
        description="Land pages beside the code, where TechDocs looks for them, or in the central repository.",
    )
    grafana: Address = Field(
        default="",
        description="Address of Grafana, such as https://grafana.example.com; without it no dashboard is linked.",
    )


class Plugin(OperationalPlugin):
    """Pages about running a service."""

    name = "techdocs"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "pages about running a service, for TechDocs"
    kinds = (RUNBOOK, DEPENDENCY_GRAPH, ONBOARDING, INDEX, SITE)
    settings_type = TechdocsSettings

    def __init__(self, settings: TechdocsSettings, runtime: Runtime | None = None) -> None:
        super().__init__(settings, runtime)
        self.bind(RUNBOOK, addresses=Addresses(grafana=settings.grafana.rstrip("/")))
        self.bind(SITE, made=frozenset(kind.name for kind in self.active))
