"""Grafana: what people look at."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.plugins.grafana.dashboard import DASHBOARD
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target
from nthlayer_sync.signals.addresses import Address


class GrafanaSettings(PluginSettings):
    """Settings of the plugin."""

    backstage: Address = Field(
        default="",
        description="Address of Backstage, such as https://backstage.example.com; without it no runbook is linked.",
    )


class Plugin(OperationalPlugin):
    """Dashboards, as files that Grafana's provisioning reads."""

    name = "grafana"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "dashboards in Grafana"
    kinds = (DASHBOARD,)
    settings_type = GrafanaSettings

    def __init__(self, settings: GrafanaSettings, files: Target) -> None:
        """The settings say where the runbooks are."""
        super().__init__(settings, files)
        self.bind(DASHBOARD, backstage=settings.backstage.rstrip("/"))
