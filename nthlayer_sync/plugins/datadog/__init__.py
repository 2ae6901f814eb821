"""Datadog: what is promised of a service, watched, tested from outside and kept of its logs."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from nthlayer_sync.plugins.datadog.log_index import LOG_INDEX, RETENTIONS
from nthlayer_sync.plugins.datadog.log_pipeline import LOG_PIPELINE
from nthlayer_sync.plugins.datadog.monitor import MONITOR
from nthlayer_sync.plugins.datadog.service_definition import SERVICE_DEFINITION
from nthlayer_sync.plugins.datadog.slo import SLO
from nthlayer_sync.plugins.datadog.synthetic_test import SYNTHETIC_TEST
from nthlayer_sync.plugins.datadog.tool import MANNERS
from nthlayer_sync.plugins.datadog.words import Notify
from nthlayer_sync.sdk.http import Authorize
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.signals.addresses import Address

Handle = Annotated[str, Field(pattern=r"^(@[A-Za-z0-9{}@._-]{1,200}( @[A-Za-z0-9{}@._-]{1,200}){0,9})?$")]


class DatadogSettings(RestSettings):
    """How the account is reached, and whom its monitors call."""

    url: str = Field(
        default="", description="Base address of the API of your site; https://api.datadoghq.com when left out."
    )
    token: SecretRef | None = Field(
        default=None,
        alias="api_key",
        description="Where the API key is kept; without one nothing of this plugin is live.",
    )
    application_key: SecretRef | None = Field(
        default=None, description="Where the application key is kept; goes with `api_key`."
    )
    page: Handle = Field(
        default="",
        description=(
            "Whom a monitor calls that must wake somebody: Datadog's handles, with `{service}` and `{team}`, such as "
            "`@pagerduty-{service}`; nobody when left out."
        ),
    )
    ticket: Handle = Field(
        default="",
        description="Whom a monitor calls that can wait, likewise, such as `@slack-{team}`; nobody when left out.",
    )
    backstage: Address = Field(
        default="",
        description="Address of Backstage, such as https://backstage.example.com; without it no runbook is linked.",
    )
    retentions: tuple[Annotated[int, Field(ge=1, le=3650)], ...] = Field(
        default=RETENTIONS, min_length=1, description="Days for which your contract lets an index keep logs."
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.token is None) != (self.application_key is None):
            raise ValueError("api_key and application_key go together")
        return self


class Plugin(RestPlugin):
    """Objectives, monitors, catalog, tests from outside and logs."""

    name = "datadog"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "objectives, monitors, catalog, tests from outside and logs in Datadog"
    kinds = (SLO, MONITOR, SERVICE_DEFINITION, SYNTHETIC_TEST, LOG_PIPELINE, LOG_INDEX)
    settings_type = DatadogSettings
    url = "https://api.datadoghq.com"
    manners = MANNERS

    def __init__(self, settings: DatadogSettings, runtime: Runtime | None = None) -> None:
        super().__init__(settings, runtime)
        notify = Notify(settings.page, settings.ticket, settings.backstage.rstrip("/"))
        for kind in (MONITOR, SERVICE_DEFINITION, SYNTHETIC_TEST):
            self.bind(kind, notify=notify)
        self.bind(LOG_INDEX, retentions=settings.retentions)

    def authorize(self, runtime: Runtime) -> Authorize | None:
        """Both keys (docs.datadoghq.com/account_management/api-app-keys)."""
        assert isinstance(self.settings, DatadogSettings)
        api, application = self.settings.token, self.settings.application_key
        if api is None or application is None:
            return None
        return runtime.secrets.headers({"DD-API-KEY": ("{}", api), "DD-APPLICATION-KEY": ("{}", application)})
