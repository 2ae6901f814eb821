"""What a service asks for, by section. These models are what people write, and what they see described in their editor.

A resolved `Blueprint` is complete: whatever nobody wrote comes from the service's tier. No field has a default here,
save for those that may be absent, because every policy number stands in the tier table.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nthlayer_sync.model.blueprint.containers import Containers
from nthlayer_sync.model.blueprint.data import Data, Roles
from nthlayer_sync.model.blueprint.deployment import Deployment, Window
from nthlayer_sync.model.blueprint.incident import Incident, OnCall
from nthlayer_sync.model.blueprint.metrics import Metrics
from nthlayer_sync.model.blueprint.observability import Alert, Burn, Golden, Objective, Observability, Slo
from nthlayer_sync.model.blueprint.packs import Cache, Database, Packs, Queue, Search, Stream
from nthlayer_sync.model.blueprint.section import (
    Channel,
    Count,
    Email,
    Flag,
    Section,
    Span,
    TagKey,
    TagValue,
    Tier,
    WholePercent,
)
from nthlayer_sync.model.units import Duration, Money

__all__ = [
    "Access",
    "Alert",
    "Autoscaling",
    "Backup",
    "Blueprint",
    "Burn",
    "Cache",
    "Communication",
    "Compliance",
    "Containers",
    "Cost",
    "Data",
    "Database",
    "Deployment",
    "Documentation",
    "Golden",
    "Incident",
    "JiraProject",
    "Metrics",
    "Objective",
    "Observability",
    "OnCall",
    "Packs",
    "Queue",
    "Roles",
    "Search",
    "Secrets",
    "Slo",
    "Stream",
    "Window",
]


SecretName = Annotated[
    str, Field(max_length=31, pattern=r"^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$", examples=["session-key"])
]
"""What one secret of the service is called."""


class Secrets(Section):
    """How secrets are kept."""

    rotation: Span = Field(examples=["90days"])
    """How often secrets are replaced."""
    generated: tuple[SecretName, ...] = Field(examples=[["session-key"]])
    """Secrets whose values a vault makes, by name; nobody ever sees them."""


class Access(Section):
    """Who may change what, and for how long keys live."""

    secrets: Secrets
    """How secrets are kept."""
    reviewers: Count
    """How many owners must approve a change to the code."""
    cluster: Literal["none", "view", "debug"]
    """What its owner may do where it runs: nothing, look at it, or also get into its containers."""
    network: Literal["open", "declared"]
    """Who may connect: everybody, or only what the catalog says depends on it and on what it depends."""


class Autoscaling(Section):
    """How many copies of the service run."""

    min: Annotated[Count, Field(ge=1, le=10_000)]
    """Copies that always run."""
    max: Annotated[Count, Field(ge=1, le=10_000)]
    """Copies that run at most."""
    cpu: WholePercent
    """Average use of the requested CPU that is aimed at."""
    memory: WholePercent | None = None
    """Average use of the requested memory that is aimed at; null: memory does not matter."""
    scale_down_stabilisation: Annotated[Duration, Field(examples=["5minutes"])]
    """How long the load must stay low before copies are stopped; at most an hour."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min ({self.min}) is greater than max ({self.max})")
        if self.scale_down_stabilisation.milliseconds > 3_600_000:  # autoscaling/v2: stabilizationWindowSeconds
            raise ValueError("Kubernetes allows at most 1h of scale_down_stabilisation")
        return self


class Cost(Section):
    """What the service may cost."""

    budget: Money | None = Field(default=None, examples=["$5000/month"])
    """What it may cost; null: nobody watches."""
    alerts: tuple[WholePercent, ...] = Field(examples=[["80%", "100%"]])
    """Shares of the budget at which the owner is told."""
    tags: dict[TagKey, TagValue]
    """Tags on its cloud resources beside those of the taxonomy; null removes one."""
    autoscaling: Autoscaling
    """How many copies of it run."""
    containers: Containers
    """What its containers may use."""


class Documentation(Section):
    """What is written about the service."""

    runbook: Flag
    """Whether it has a runbook."""
    onboarding: Flag
    """Whether it has a guide for newcomers."""
    wiki: Flag
    """Whether a page about running it also stands in Confluence."""
    review: Span = Field(examples=["90days"])
    """How often its pages are reviewed."""


class Backup(Section):
    """How its data survives."""

    rpo: Span = Field(examples=["1h"])
    """Recovery point objective: how much of the newest data may be lost."""
    rto: Span = Field(examples=["4h"])
    """Recovery time objective: how soon it works again."""
    retention: Span = Field(examples=["90days"])
    """How long backups are kept."""


class Compliance(Section):
    """Which rules of others the service is held to."""

    frameworks: tuple[Literal["soc2", "gdpr", "hipaa", "pci-dss"], ...]
    """Frameworks whose controls apply."""
    classification: Literal["public", "internal", "confidential", "restricted"]
    """How sensitive its data is."""
    backup: Backup
    """How its data survives."""


PublicName = Annotated[
    str, Field(max_length=100, pattern=r"^[A-Za-z0-9@+._/-]+( [A-Za-z0-9@+._/-]+)*$", examples=["Card payments"])
]
"""What strangers read."""
JiraProject = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,9}$", examples=["PAY"])]
"""Jira's rule for the keys of projects."""


class Communication(Section):
    """Who hears about the service, and where."""

    channel: Channel | None = None
    """Slack channel; null: its owner's."""
    stakeholders: tuple[Email, ...]
    """Who is told about incidents beside its owner."""
    channels: tuple[Literal["team", "incidents"], ...] = Field(examples=[["team", "incidents"]])
    """Slack channels that are made and described for its owner: the owner's own, and one for incidents."""
    user_group: Flag
    """Whether its owner is a user group in Slack, by which all its people are called at once."""
    status_page: Flag
    """Whether it stands on the status page."""
    public_name: PublicName | None = None
    """What the status page calls it; null: it has no name for the public, so it is not put there."""
    public_group: PublicName | None = None
    """Heading of the status page that it stands under; null: none."""
    audience: Flag
    """Whether it has an access group on a status page that is not public, for those who may see it."""
    tickets: JiraProject | None = None
    """Key of the Jira project in which its tickets are opened; null: nothing is set up in Jira."""


class Blueprint(Section):
    """What a service asks for. Everything is optional: what is left out comes from the team, the system, the tier."""

    tier: Tier
    """How much depends on the service; chooses the defaults of everything else."""
    incident: Incident
    """What happens when the service is broken."""
    observability: Observability
    """What is measured, promised, kept, and when somebody is told."""
    deployment: Deployment
    """How a new version reaches its users."""
    access: Access
    """Who may change what, and for how long keys live."""
    cost: Cost
    """What the service may cost."""
    documentation: Documentation
    """What is written about the service."""
    compliance: Compliance
    """Which rules of others the service is held to."""
    communication: Communication
    """Who hears about the service, and where."""
    data: Data
    """How the service uses databases and queues."""
