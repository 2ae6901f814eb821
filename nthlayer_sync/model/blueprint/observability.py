"""What is measured about a service, what it promises, and when somebody is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

import msgspec
from pydantic import Field, Strict, model_validator

from nthlayer_sync.model.blueprint.metrics import Datadog, Metrics
from nthlayer_sync.model.blueprint.packs import Packs
from nthlayer_sync.model.blueprint.section import (
    Count,
    Factor,
    Measured,
    Row,
    Section,
    Severity,
    Span,
    Target,
    Text,
    Url,
)
from nthlayer_sync.model.units import Duration, Percent


class Objective(msgspec.Struct, frozen=True):
    """One promise in the form that rules are made from: `target` percent of requests are good."""

    name: str
    """`availability`, `error_rate`, `latency_p50`, `latency_p95` or `latency_p99`."""
    target: Percent
    threshold: Duration | None = None
    """A request is good when it is answered within this time; None when it is good because it does not fail."""


class Slo(Section):
    """What the service promises to those who use it; null takes a promise away."""

    availability: Target | None = Field(default=None, examples=[99.95])
    """Share of requests that succeed, in percent."""
    error_rate: Target | None = Field(default=None, examples=["0.1%"])
    """Share of requests that may fail: 0.1% promises that 99.9% succeed."""
    latency_p50: Span | None = Field(default=None, examples=["50ms"])
    """Half of the requests are answered within this time."""
    latency_p95: Span | None = Field(default=None, examples=["500ms"])
    """95% of the requests are answered within this time."""
    latency_p99: Span | None = Field(default=None, examples=["200ms"])
    """99% of the requests are answered within this time."""
    window: Span = Field(examples=["30days"])
    """The rolling time over which the promises are kept."""
    min_events: Count
    """Requests below which a span of time says nothing: no alert on a share of fewer requests."""
    missing: Span = Field(examples=["15minutes"])
    """How long the service's series may be missing before a ticket is opened."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The promises as shares of good requests."""
        found = list[Objective]()
        if self.availability:
            found.append(Objective("availability", self.availability))
        if self.error_rate:
            found.append(Objective("error_rate", Percent(100 - self.error_rate.value)))
        for name, share in (("latency_p50", 50), ("latency_p95", 95), ("latency_p99", 99)):
            threshold: Duration | None = getattr(self, name)
            if threshold:
                found.append(Objective(name, Percent(Decimal(share)), threshold))
        return tuple(found)


class Burn(Row):
    """A pair of windows that raises an alert while the error budget burns too fast in both.

    The burn rate is the share of bad requests divided by the share that the objective allows, so at a rate of 1 the
    budget lasts exactly the objective's window. At rate `factor`, `factor * long / window` of the budget is gone when
    the alert fires: 14.4 over 1 h of 30 days is 2%. With another window the same factor stands for another share. No
    rate exceeds `100 / (100 - target)`, so a factor above that can never be reached.
    """

    long: Span
    """The window that shows that a relevant part of the budget is gone."""
    short: Span
    """The window that shows that it still burns; ends the alert soon after the cause is gone."""
    factor: Factor
    """How many times faster than allowed the budget burns."""
    severity: Severity
    """Whether somebody is woken or a ticket is opened."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.short >= self.long:
            raise ValueError("the short window must be shorter than the long one")
        return self


class Uptime(Section):
    """How a service is called from outside to see whether it is up."""

    interval: Span | None = Field(default=None, examples=["1minute"])
    """How often it is called from each place; null: it is not."""
    locations: tuple[Text, ...] = Field(examples=[["aws:eu-central-1", "aws:us-east-1"]])
    """Where it is called from, as the vendor names its places."""
    failing: Annotated[int, Strict(), Field(ge=1, le=100)]
    """In how many places it must fail at a time before somebody is told."""
    severity: Severity
    """Whether somebody is woken or a ticket is opened."""


class Alert(Row):
    """An alert of the service's own."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$", examples=["CheckoutSlow"])
    """Its name, unique in the service."""
    when: Measured
    """What must hold."""
    for_: Duration = Field(alias="for", examples=["10m"])
    """How long it must hold before the alert fires."""
    severity: Severity
    """Whether somebody is woken or a ticket is opened."""
    summary: Text
    """One sentence for the person who is told."""
    runbook: Url | None = None
    """Page that says what to do; null: the generated runbook."""


class Golden(Section):
    """Thresholds of the alerts on the golden signals; null: no such alert."""

    error_rate: Percent | None = None
    """Share of failed requests above which an alert fires."""
    latency_factor: Factor | None = None
    """An alert fires when a promised latency is exceeded this many times over."""
    saturation: Percent | None = None
    """Share of the scarcest resource in use above which an alert fires."""
    traffic_drop: Percent | None = None
    """An alert fires when there is this much less traffic than at the same time a week before."""
    for_: Duration = Field(alias="for")
    """How long a threshold must be crossed before the alert fires."""
    severity: Severity
    """Whether somebody is woken or a ticket is opened for errors and latency, which users feel."""
    cause_severity: Severity
    """Whether somebody is woken or a ticket is opened for saturation and traffic: causes at most, or nothing."""


class Observability(Section):
    """What is measured, promised, kept, and when somebody is told."""

    slo: Slo
    """Service-level objectives."""
    burn: tuple[Burn, ...]
    """Windows and rates of the alerts on the error budget."""
    metrics: Metrics
    """Where Prometheus keeps the service's own series."""
    datadog: Datadog
    """Where Datadog keeps the service's own metrics."""
    uptime: Uptime
    """How the service is called from outside."""
    alerts: tuple[Alert, ...]
    """Alerts of the service's own."""
    golden: Golden
    """Thresholds of the alerts on the golden signals."""
    packs: Packs
    """Thresholds of the alerts on the technologies the service depends on."""
    retention: Span = Field(examples=["1year"])
    """How long logs are kept."""
    traces: Percent = Field(examples=["10%"])
    """Share of traces that are kept."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if long := [str(row.long) for row in self.burn if row.long > self.slo.window]:
            raise ValueError(f"the burn window {long[0]} is longer than the objectives' window {self.slo.window}")
        names = [alert.name for alert in self.alerts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two alerts have the name {twice[0]}")
        return self
