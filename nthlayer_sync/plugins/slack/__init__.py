"""Slack: where teams are found, and by which name they are called."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.plugins.slack.channel import CHANNEL
from nthlayer_sync.plugins.slack.methods import MANNERS
from nthlayer_sync.plugins.slack.usergroup import USERGROUP
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.signals.addresses import Address


class SlackSettings(RestSettings):
    """Settings of the plugin."""

    backstage: Address = Field(
        default="",
        description="Address of Backstage, such as https://backstage.example.com; without it no topic links to it.",
    )


class Plugin(RestPlugin):
    """Channels and user groups of teams."""

    name = "slack"
    version = "1"
    category = Category.COMMUNICATION
    summary = "channels and user groups of teams"
    kinds = (CHANNEL, USERGROUP)
    url = "https://slack.com/api"
    manners = MANNERS
    settings_type = SlackSettings

    def __init__(self, settings: SlackSettings, runtime: Runtime | None = None) -> None:
        """The settings say where topics link to."""
        super().__init__(settings, runtime)
        self.bind(CHANNEL, backstage=settings.backstage.rstrip("/"))
