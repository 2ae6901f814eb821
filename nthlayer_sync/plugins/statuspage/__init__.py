"""Statuspage: what the public is told about services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import msgspec
from pydantic import Field, model_validator

from nthlayer_sync.model.config import Config, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.plugins.statuspage.component import COMPONENT
from nthlayer_sync.plugins.statuspage.incident_template import INCIDENT_TEMPLATE
from nthlayer_sync.plugins.statuspage.page import MANNERS, on
from nthlayer_sync.plugins.statuspage.subscriber_group import SUBSCRIBER_GROUP
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings


class StatuspageSettings(RestSettings):
    """Settings of the plugin."""

    page: str = Field(default="", pattern=r"^[a-z0-9]*$", description="Id of the page; needed where there is a token.")

    @model_validator(mode="after")
    def _connected(self) -> Self:
        if self.token is not None and not self.page:
            raise ValueError("page says which status page is meant; it is needed where there is a token")
        return self


class Plugin(RestPlugin):
    """Components, templates and groups of one status page."""

    name = "statuspage"
    version = "1"
    category = Category.COMMUNICATION
    summary = "services on the public status page"
    kinds = (COMPONENT, INCIDENT_TEMPLATE, SUBSCRIBER_GROUP)
    url = "https://api.statuspage.io/v1"
    manners = MANNERS
    scheme = "OAuth {}"
    settings_type = StatuspageSettings

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """On the settings' page."""
        assert isinstance(self.settings, StatuspageSettings)
        page = self.settings.page
        return [
            replace(kind, collection=on(page, kind.collection), needs=tuple(on(page, each) for each in kind.needs))
            for kind in super().live_kinds()
        ]

    def reconcile(self, desired: Config | None, actual: Observed | None) -> Diff:
        """A template that differs can only be changed by a person: the plan says so instead of trying."""
        diff = super().reconcile(desired, actual)
        if diff.action is Action.UPDATE and diff.id.kind == INCIDENT_TEMPLATE.name:
            reason = "Statuspage's API cannot change an incident template: change it on the page, or delete it there"
            return msgspec.structs.replace(diff, action=Action.REFUSE, reason=reason)
        return diff
