"""Alertmanager: who hears about which alert."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Subject
from nthlayer_sync.plugins.alertmanager.mimir import PATH, Configuration, Inserted
from nthlayer_sync.plugins.alertmanager.route import (
    CHANNEL,
    ROUTE,
    SLACK_URL_FILE,
    TICKET_HOURS,
    Delivery,
    Mail,
)
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.mimir import Mimir, MimirSettings
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin
from nthlayer_sync.sdk.reload import ServerSettings, reloaded
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.sdk.target import Target
from nthlayer_sync.sdk.texts import TextTarget


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


class MimirAlertsSettings(MimirSettings):
    """Mimir's Alertmanager, which takes secrets in its configuration and no names of files."""

    slack_api_url: SecretRef = Field(description="Where the address of Slack's web hook is kept.")
    smtp_password: SecretRef | None = Field(default=None, description="Where the password of the mail server is kept.")


class AlertmanagerSettings(LiveSettings):
    """Settings of the plugin. Secrets stay in files on Alertmanager's machine, but for Mimir, which is sent them."""

    channel: str = Field(default=CHANNEL, description="Slack channel for alerts whose owner cannot be reached.")
    slack_api_url_file: str = Field(
        default=SLACK_URL_FILE, description="File on Alertmanager's machine with the address of Slack's web hook."
    )
    mail: MailSettings | None = Field(default=None, description="The mail server; without it nobody gets mail.")
    ticket_hours: str | None = Field(
        default=TICKET_HOURS,
        description="The window of the tier table in which tickets are told; null: as soon as they arise.",
    )
    mimir: MimirAlertsSettings | None = Field(
        default=None, description="An Alertmanager that takes its configuration over HTTP: Mimir or Cortex."
    )
    server: ServerSettings | None = Field(
        default=None, description="An Alertmanager that loads alertmanager.yaml from a folder."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.mimir and self.server:
            raise ValueError("the configuration goes to mimir or to server, not to both")
        if self.mimir and self.mail and self.mail.username and not self.mimir.smtp_password:
            raise ValueError("mimir.smtp_password is needed, because mail.username logs in")
        return self

    @property
    def account(self) -> str:
        """Where the configuration goes; "" where it lands in Git."""
        return "mimir" if self.mimir else "server" if self.server else ""


class Plugin(OperationalPlugin):
    """The configuration of Alertmanager."""

    name = "alertmanager"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "who hears about which alert"
    kinds = (ROUTE,)
    settings_type = AlertmanagerSettings
    settings: AlertmanagerSettings

    def __init__(self, settings: AlertmanagerSettings, runtime: Runtime | None = None) -> None:
        """The settings say how people are reached."""
        super().__init__(settings, runtime)
        mail = settings.mail
        delivery = Delivery(
            channel=settings.channel,
            slack_api_url_file=settings.slack_api_url_file,
            mail=Mail(mail.smarthost, mail.sender, mail.username, mail.password_file) if mail else None,
            ticket_hours=settings.ticket_hours,
        )
        self.bind(ROUTE, delivery=delivery)

    def connect(self, runtime: Runtime) -> Target | None:
        """The Alertmanager that the settings name."""
        settings = self.settings
        if settings.mimir:
            mimir = Mimir.connect(runtime, self.name, settings.mimir)
            texts = Configuration(mimir, self._inserted(settings.mimir, runtime))
        elif settings.server:
            texts = reloaded(runtime, self.name, settings.server, PATH.partition("/")[0], ".yaml")
        else:
            return None
        return TextTarget(self.name, settings.account, texts, read_only=settings.read_only)

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """In the server where the settings name one, else in a file."""
        if self.settings.account:
            return Place(f"{self.name}:{self.settings.account}", PATH)
        return super().place(kind, subject, spec)

    def _inserted(self, settings: MimirAlertsSettings, runtime: Runtime) -> Inserted:
        refs = {"slack_api_url": settings.slack_api_url}
        files = {"slack_api_url": self.settings.slack_api_url_file}
        if settings.smtp_password and self.settings.mail:
            refs["smtp_auth_password"] = settings.smtp_password
            files["smtp_auth_password"] = self.settings.mail.password_file
        return Inserted(refs, files, runtime.secrets)
