"""What a service asks for, by section. These models are what people write, and what they see described in their editor.

A resolved `Blueprint` is complete: whatever nobody wrote comes from the service's tier. No field has a default here,
save for those that may be absent, because every policy number stands in the tier table.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nthlayer_sync.model.blueprint.deployment import Deployment, Window
from nthlayer_sync.model.blueprint.observability import (
    Alert,
    Burn,
    Cache,
    Database,
    Golden,
    Metrics,
    Objective,
    Observability,
    Packs,
    Queue,
    Search,
    Slo,
    Stream,
)
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
    "Cost",
    "Database",
    "Deployment",
    "Documentation",
    "Golden",
    "Incident",
    "Metrics",
    "Objective",
    "Observability",
    "Packs",
    "Queue",
    "Search",
    "Secrets",
    "Slo",
    "Stream",
    "Window",
]


class Incident(Section):
    """What happens when the service is broken."""

    page: Flag
    """Whether the person on call is woken; otherwise a ticket waits for working hours."""
    acknowledge: Span = Field(examples=["5minutes"])
    """How soon a page must be acknowledged."""
    escalation: tuple[Duration, ...] = Field(examples=[["15minutes", "30minutes"]])
    """How long each level has before the next one is called."""
    commander: Flag
    """Whether an incident has a dedicated commander."""


class Secrets(Section):
    """How secrets are kept."""

    rotation: Span = Field(examples=["90days"])
    """How often secrets are replaced."""


class Access(Section):
    """Who may change what, and for how long keys live."""

    secrets: Secrets
    """How secrets are kept."""
    reviewers: Count
    """How many owners must approve a change to the code."""


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


class Documentation(Section):
    """What is written about the service."""

    runbook: Flag
    """Whether it has a runbook."""
    onboarding: Flag
    """Whether it has a guide for newcomers."""
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


class Communication(Section):
    """Who hears about the service, and where."""

    channel: Channel | None = None
    """Slack channel; null: its owner's."""
    stakeholders: tuple[Email, ...]
    """Who is told about incidents beside its owner."""
    status_page: Flag
    """Whether it stands on the status page."""


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
