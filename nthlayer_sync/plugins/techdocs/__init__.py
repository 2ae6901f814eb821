"""Pages for TechDocs, as Markdown beside the code: runbook, dependencies, onboarding, and the site that joins them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.service import Subject
from nthlayer_sync.plugins.techdocs.dependency_graph import DEPENDENCY_GRAPH
from nthlayer_sync.plugins.techdocs.index import INDEX
from nthlayer_sync.plugins.techdocs.onboarding import ONBOARDING
from nthlayer_sync.plugins.techdocs.runbook import RUNBOOK
from nthlayer_sync.plugins.techdocs.site import KINDS, SITE
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings


class TechdocsSettings(PluginSettings):
    """What an organisation may set for the pages."""

    home: Literal["service", "central"] = Field(
        default="service",
        description="Land pages beside the code, where TechDocs looks for them, or in the central repository.",
    )


class Plugin(OperationalPlugin):
    """Pages about running a service."""

    name = "techdocs"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "pages about running a service, for TechDocs"
    kinds = (RUNBOOK, DEPENDENCY_GRAPH, ONBOARDING, INDEX, SITE)
    settings_type = TechdocsSettings

    def generate(self, kind: Kind[Any, Any], subject: Subject) -> Iterator[Config]:
        """The configs of one kind; the site joins only pages that are made."""
        made = {kind.name for kind in self.active}
        for config in super().generate(kind, subject):
            if kind is not SITE or KINDS[f"{config.id.name}.md"] in made:
                yield config
