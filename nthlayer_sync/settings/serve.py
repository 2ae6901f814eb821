"""How the daemon runs: its clocks, what it listens to, who may do what, when nothing may change."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, field_validator, model_validator

from nthlayer_sync.model.units import Duration
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.settings.part import Part

Role = Literal["viewer", "operator", "admin"]
"""A viewer looks; an operator syncs, approves, pauses and undoes; an admin also overrides guards."""


class PostgresSettings(Part):
    """Memory in PostgreSQL, which several replicas may share."""

    url: str = Field(
        description="The database, without a password in it.", examples=["postgresql://nthlayer@db.internal/nthlayer"]
    )
    password: SecretRef | None = Field(default=None, description="Where the password is.")

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        if not re.fullmatch(r"postgres(ql)?://[^\s:@/]*(@[^\s@]*)?(/[^\s@]*)?", url):
            raise ValueError("a database is written as: postgresql://user@host:port/name, the password in `password`")
        return url


class TokenSettings(Part):
    """One program or person that may come in with a token of its own."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,60}$", description="How it is called in runs and logs.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="The token's SHA-256; `nthlayer-sync token` makes both.")
    role: Role = Field(default="viewer", description="What it may do.")


class BackstageAccess(Part):
    """Lets in who Backstage vouches for: its users and its plugins, by the keys that its auth backend publishes."""

    url: str = Field(
        description="Base address of the backend; the keys are below it, at /api/auth/.well-known/jwks.json."
    )
    role: Role = Field(default="viewer", description="What a signed-in user may do beside what they own.")
    roles: dict[str, Role] = Field(
        default={}, description="More for some: users, groups or plugins, such as `group:default/platform`."
    )


class OidcAccess(Part):
    """Lets in who an OpenID provider vouches for."""

    issuer: str = Field(description="The issuer, as it stands in its tokens; its keys are found from there.")
    audience: str = Field(description="The audience that tokens for the daemon have.")
    claim: str = Field(default="groups", description="The claim that names the groups of a user.")
    user: str = Field(default="email", description="The claim that names the user.")
    role: Role = Field(default="viewer", description="What a user may do whose groups are not below.")
    roles: dict[str, Role] = Field(default={}, description="Role by group.")


class AccessSettings(Part):
    """Who may come in. With nobody named, only this machine may, and may do everything."""

    tokens: tuple[TokenSettings, ...] = Field(default=(), description="Static tokens.")
    backstage: BackstageAccess | None = Field(default=None, description="Users and plugins of a Backstage.")
    oidc: OidcAccess | None = Field(default=None, description="Users of an OpenID provider.")

    def __bool__(self) -> bool:
        return bool(self.tokens or self.backstage or self.oidc)


class WebhookSettings(Part):
    """The secret of each system that may say that something changed; those without one are not listened to."""

    github: SecretRef | None = Field(default=None, description="Secret of the GitHub webhook.")
    gitlab: SecretRef | None = Field(
        default=None, description="GitLab's signing token (whsec_…), or the secret token of older versions."
    )
    backstage: SecretRef | None = Field(default=None, description="Secret shared with our Backstage module.")
    cortex: SecretRef | None = Field(default=None, description="Secret of the Cortex webhook.")
    pagerduty: SecretRef | None = Field(default=None, description="Secret of the PagerDuty webhook subscription.")
    alertmanager: SecretRef | None = Field(default=None, description="Bearer token that Alertmanager sends.")
    deploy: SecretRef | None = Field(default=None, description="Secret with which pipelines sign deploy events.")


class FreezeSettings(Part):
    """A time in which nothing is written."""

    name: str = Field(min_length=1, max_length=80, description="What people call it.", examples=["year end"])
    from_: AwareDatetime = Field(alias="from", description="When it begins, with its time zone.")
    until: AwareDatetime = Field(description="When it ends.")
    plugins: tuple[str, ...] = Field(default=(), description="Only for these plugins; for all when left out.")
    tiers: tuple[str, ...] = Field(default=(), description="Only for subjects of these tiers; for all when left out.")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> FreezeSettings:
        if self.until <= self.from_:
            raise ValueError("a freeze ends after it begins")
        return self

    def holds(self, now: datetime) -> bool:
        """Whether it is on."""
        return self.from_ <= now < self.until


class TracingSettings(Part):
    """Where traces go."""

    endpoint: str = Field(description="An OTLP collector over HTTP.", examples=["http://localhost:4318/v1/traces"])
    share: float = Field(default=1.0, ge=0, le=1, description="Share of runs that are traced.")


def _span(text: str) -> Duration:
    return Duration.parse(text)


class ServeSettings(Part):
    """The daemon."""

    listen: str = Field(
        default="127.0.0.1:8080",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$",
        description="Address and port; anything but this machine's own needs `access`.",
    )
    url: str = Field(default="", description="Where people reach it, for links; http://<listen> when left out.")
    every: Duration = Field(default=_span("10minutes"), description="How often everything is read and compared.")
    poll: Duration = Field(
        default=_span("5seconds"),
        description="How often a Backstage catalog is asked what changed, between full syncs.",
    )
    audit: Duration = Field(
        default=_span("15minutes"), description="How often each live system is looked at for drift."
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(default=4, description="Batches of subjects worked on at once.")
    batch: Annotated[int, Field(ge=1, le=5000)] = Field(default=250, description="Subjects in one batch.")
    lease: Duration = Field(
        default=_span("30seconds"), description="How long a replica that no longer answers keeps what it works on."
    )
    grace: Duration = Field(
        default=_span("25seconds"), description="How long a stopping daemon may finish what it is writing."
    )
    windows: dict[str, tuple[str, ...]] = Field(
        default={}, description="Plugins that write only in a window of the tier table: window to plugins (`*`: all)."
    )
    freezes: tuple[FreezeSettings, ...] = Field(default=(), description="Times in which nothing is written.")
    previews: bool = Field(default=True, description="Tell on pull requests what merging them would change.")
    access: AccessSettings = Field(default=AccessSettings(), description="Who may come in.")
    webhooks: WebhookSettings = Field(default=WebhookSettings(), description="Who may say that something changed.")
    tracing: TracingSettings | None = Field(default=None, description="Where traces go; nowhere when left out.")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)
