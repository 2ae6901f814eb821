"""PagerDuty: who is called, for what, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from nthlayer_sync.plugins.pagerduty.escalation_policy import ESCALATION_POLICY
from nthlayer_sync.plugins.pagerduty.incident_workflow import INCIDENT_WORKFLOW
from nthlayer_sync.plugins.pagerduty.schedule import SCHEDULE
from nthlayer_sync.plugins.pagerduty.service import SERVICE
from nthlayer_sync.plugins.pagerduty.service_dependency import SERVICE_DEPENDENCY
from nthlayer_sync.plugins.pagerduty.team import TEAM
from nthlayer_sync.plugins.pagerduty.tool import MANNERS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime


class PagerDutySettings(RestSettings):
    """Settings of the plugin."""

    dependencies: bool = Field(
        default=False,
        description="Also say which service leans on which; looking at them takes a request for every service.",
    )


class Plugin(RestPlugin):
    """Services and what calls people for them."""

    name = "pagerduty"
    version = "1"
    category = Category.INCIDENT
    summary = "services, and who is called for them"
    kinds = (TEAM, SCHEDULE, ESCALATION_POLICY, SERVICE, SERVICE_DEPENDENCY, INCIDENT_WORKFLOW)
    url = "https://api.pagerduty.com"
    manners = MANNERS
    scheme = "Token token={}"
    settings_type = PagerDutySettings

    def __init__(self, settings: PagerDutySettings, runtime: Runtime | None = None) -> None:
        """Dependencies are on where the settings ask for them."""
        super().__init__(settings, runtime)
        if not settings.dependencies:
            self.active = tuple(kind for kind in self.active if kind is not SERVICE_DEPENDENCY)

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """Without what is not on: it would be listed."""
        assert isinstance(self.settings, PagerDutySettings)
        asked = self.settings.dependencies
        return [kind for kind in super().live_kinds() if asked or kind is not SERVICE_DEPENDENCY]
