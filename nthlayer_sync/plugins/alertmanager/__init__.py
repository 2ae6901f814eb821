"""Alertmanager: who hears about which alert."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from nthlayer_sync.plugins.alertmanager.route import (
    CHANNEL,
    ROUTE,
    SLACK_URL_FILE,
    TICKET_HOURS,
    Delivery,
    Mail,
)
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target


class MailSettings(BaseModel):
    """The mail server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smarthost: str = Field(pattern=r"^[^\s:]+:\d+$", description="Server and port, such as smtp.example.com:587.")
    sender: str = Field(description="Address that mails come from.")
    username: str | None = Field(default=None, description="Name to log in with; without it nobody logs in.")
    password_file: str = Field(
        default="/etc/alertmanager/secrets/smtp_password",
        description="File on Alertmanager's machine with the password.",
    )


class AlertmanagerSettings(PluginSettings):
    """Settings of the plugin. Secrets stay in files on Alertmanager's machine."""

    channel: str = Field(default=CHANNEL, description="Slack channel for alerts whose owner cannot be reached.")
    slack_api_url_file: str = Field(
        default=SLACK_URL_FILE, description="File on Alertmanager's machine with the address of Slack's web hook."
    )
    mail: MailSettings | None = Field(default=None, description="The mail server; without it nobody gets mail.")
    ticket_hours: str | None = Field(
        default=TICKET_HOURS,
        description="The window of the tier table in which tickets are told; null: as soon as they arise.",
    )


class Plugin(OperationalPlugin):
    """The configuration of Alertmanager."""

    name = "alertmanager"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "who hears about which alert"
    kinds = (ROUTE,)
    settings_type = AlertmanagerSettings

    def __init__(self, settings: AlertmanagerSettings, files: Target) -> None:
        """The settings say how people are reached."""
        super().__init__(settings, files)
        mail = settings.mail
        delivery = Delivery(
            channel=settings.channel,
            slack_api_url_file=settings.slack_api_url_file,
            mail=Mail(mail.smarthost, mail.sender, mail.username, mail.password_file) if mail else None,
            ticket_hours=settings.ticket_hours,
        )
        self.bind(ROUTE, delivery=delivery)
