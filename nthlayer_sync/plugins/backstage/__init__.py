"""Results written back to the catalog, where Backstage and its plugins show them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nthlayer_sync.plugins.backstage.annotations import ANNOTATIONS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.runtime import Runtime


class BackstageSettings(PluginSettings):
    """What an organisation may set for the catalog."""

    shown: tuple[Literal["github", "grafana", "pagerduty", "prometheus", "techdocs"], ...] = Field(
        default=("github", "pagerduty", "techdocs"),
        description=(
            "The plugins of your Backstage to write annotations for. Add grafana and prometheus where those plugins "
            "are on here as well, for annotations claim what they make; leave out techdocs where it is off, or where "
            "its pages land in the central repository. An id of PagerDuty stands there once PagerDuty has given one."
        ),
    )
    published: bool = Field(
        default=False, description="Whether sites are published, as `publish` of the techdocs plugin says."
    )


class Plugin(OperationalPlugin):
    """Annotations and links of catalog entities."""

    name = "backstage"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "results as annotations and links in the catalog"
    kinds = (ANNOTATIONS,)
    settings_type = BackstageSettings

    def __init__(self, settings: BackstageSettings, runtime: Runtime | None = None) -> None:
        super().__init__(settings, runtime)
        self.bind(ANNOTATIONS, shown=settings.shown, published=settings.published)
