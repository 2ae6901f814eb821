"""Grafana: what people look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from pydantic import Field, model_validator

from nthlayer_sync.plugins.grafana.dashboard import DASHBOARD
from nthlayer_sync.plugins.grafana.live_dashboard import LIVE_DASHBOARD
from nthlayer_sync.plugins.grafana.slo import SLO
from nthlayer_sync.plugins.grafana.tool import DASHBOARDS, MANNERS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.signals.addresses import Address


class GrafanaSettings(RestSettings):
    """Where runbooks are, and the Grafana that takes dashboards when they do not land in Git."""

    url: Address = Field(default="", description="Address of Grafana, such as https://grafana.example.com.")
    folder: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9_-]{0,40}$",
        description="The uid of the folder that new dashboards go to; the top when left out.",
    )
    source: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9_-]{0,40}$",
        description="The uid of the Prometheus data source that SLOs are measured in; without it no SLO is made.",
    )
    backstage: Address = Field(
        default="",
        description="Address of Backstage, such as https://backstage.example.com; without it no runbook is linked.",
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.token is None) != (self.url == ""):
            raise ValueError("url and token go together")
        return self


class Plugin(RestPlugin):
    """Dashboards, as files that Grafana's provisioning reads or in a Grafana that the settings name; SLOs there."""

    name = "grafana"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "dashboards and SLOs in Grafana"
    kinds = (DASHBOARD, SLO)
    settings_type = GrafanaSettings
    manners = MANNERS

    def __init__(self, settings: GrafanaSettings, runtime: Runtime | None = None) -> None:
        """The settings say where dashboards go and where the runbooks are."""
        super().__init__(settings, runtime)
        # A kind that is bound takes the place of the one of its name: here the live one that of the file.
        self.bind(LIVE_DASHBOARD if settings.token else DASHBOARD, backstage=settings.backstage.rstrip("/"))
        self.bind(SLO, source=settings.source)

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """Dashboards in the folder that the settings name, and SLOs."""
        assert isinstance(self.settings, GrafanaSettings)
        return [replace(LIVE_DASHBOARD, collection=replace(DASHBOARDS, folder=self.settings.folder)), SLO]
