"""The service that signals are about: how its alerts are labelled and where Prometheus keeps its own series."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.promql import number, promql_selector, promql_string, span

OVERVIEW = "grafana/overview-dashboard"
"""Annotation of Backstage's Grafana plugin: the address of an entity's dashboard."""


class Watched(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who a signal is about. `team`, `owner` are "" when nobody owns it."""

    ref: EntityRef
    name: str
    tier: str
    team: str
    owner: str
    overview: str
    """Address of a dashboard that people made for it, "" when none is known."""
    addresses: Addresses = NOWHERE

    @property
    def dashboard(self) -> str:
        """Address of the dashboard that people made, or else of the generated one; "" when it is not known."""
        if self.overview.startswith(("https://", "http://")):
            return self.overview
        return self.addresses.grafana and f"{self.addresses.grafana}{dashboard_path(self.ref)}"

    def runbook(self, alert: str) -> str:
        """Address of what its generated runbook says about an alert; "" when it is not known."""
        return self.addresses.backstage and f"{self.addresses.backstage}{runbook_path(self.ref, alert)}"

    @property
    def identity(self) -> dict[str, str]:
        """Labels of recorded series: only what a new owner or tier leaves as it is, so that no history breaks."""
        return {"entity": self.ref, "service": self.name}

    @property
    def labels(self) -> dict[str, str]:
        """Labels of alerts, for routing: identity and whatever else is known."""
        known = {"tier": self.tier, "team": self.team, "owner": self.owner}
        return self.identity | {label: value for label, value in known.items() if value}


class Series(msgspec.Struct, frozen=True):
    """Where Prometheus keeps the service's own series."""

    requests: str
    """Counter of requests."""
    errors: str
    """Matcher, as PromQL, that tells failed requests from others."""
    outcome: str
    """The label that it looks at."""
    duration: str
    """Histogram of durations in seconds, without suffix."""
    saturation: str | None
    """Gauge of the scarcest resource, 0 to 1; None: CPU and memory against their limits."""
    rate: int
    """Shortest window that a rate is taken over, in milliseconds."""
    selector: dict[str, str]

    def select(self, *matchers: str) -> str:
        """A selector of the service's own series."""
        return promql_selector(self.selector, *matchers)

    def total(self, window: int, *, timed: bool = False, offset: str = "") -> str:
        """PromQL of all requests per second: those counted, or those `timed` by the histogram.

        `rate` comes before `sum`, so that the restart of one instance is not taken for a negative rate.
        """
        return self._rate(f"{self.duration}_count" if timed else self.requests, window, self.select(), offset)

    def failed(self, window: int) -> str:
        """PromQL of failed requests per second; one that never counted does not exist, which is none."""
        return f"{self._rate(self.requests, window, self.select(self.errors))} or 0 * {self.total(window)}"

    def late(self, seconds: Decimal, window: int) -> str:
        """PromQL of requests per second that took longer; absent when the histogram has no bucket at that time."""
        in_time = self._rate(f"{self.duration}_bucket", window, self.select(bucket(seconds)))
        return f"clamp_min({self.total(window, timed=True)} - {in_time}, 0)"

    def quantile(self, share: Decimal, by: str = "le") -> str:
        """PromQL of the time that a share of requests stays within, in seconds."""
        buckets = f"{self.duration}_bucket{self.select()}[{span(self.rate)}]"
        return f"histogram_quantile({number(share)}, sum by ({by}) (rate({buckets})))"

    def _rate(self, metric: str, window: int, selector: str, offset: str = "") -> str:
        return f"sum(rate({metric}{selector}[{span(window)}]{offset and f' offset {offset}'}))"


def bucket(seconds: Decimal) -> str:
    """The matcher of a bucket. Libraries write a whole bound as `1` or as `1.0`."""
    text = number(seconds)
    return f'le="{text}"' if "." in text else f'le=~"{text}([.]0)?"'


def watched(service: Service, addresses: Addresses = NOWHERE) -> Watched:
    """Who a service's signals are about, with links to what `addresses` know."""
    owner = service.owner
    return Watched(
        ref=service.ref,
        name=service.name,
        tier=service.blueprint.tier,
        team=owner.name if owner else "",
        owner=owner.ref if owner else "",
        overview=service.annotations.get(OVERVIEW, ""),
        addresses=addresses,
    )


@per_blueprint
def _named(blueprint: Blueprint) -> tuple[str, str, str, str, str | None, int]:
    metrics = blueprint.observability.metrics
    errors = f"{metrics.errors.label}{metrics.errors.operator}{promql_string(metrics.errors.value)}"
    rate = metrics.rate.milliseconds
    return metrics.requests, errors, metrics.errors.label, metrics.duration, metrics.saturation, rate


def series(service: Service) -> Series:
    """Where the series of `service` are; PermanentError when its selector cannot stand beside a metric name."""
    selector = service.blueprint.observability.metrics.select(service.name, service.namespace)
    if "__name__" in selector:
        raise PermanentError(
            f"{service.ref}: observability.metrics.selector: __name__ is given by requests and duration"
        )
    return Series(*_named(service), selector)


def runbook_path(ref: EntityRef, alert: str) -> str:
    """Where Backstage shows what to do about an alert: the heading of its name on the entity's runbook page."""
    parts = ref_parts(ref)
    return f"/docs/{parts.namespace}/{parts.kind}/{parts.name}/runbook/#{alert.lower()}"


def dashboard_uid(ref: EntityRef) -> str:
    """The uid of the entity's generated dashboard; Grafana allows 40 characters."""
    return "nthlayer-" + blake2b(ref.encode(), digest_size=10).hexdigest()


def dashboard_path(ref: EntityRef) -> str:
    """Where Grafana shows the entity's generated dashboard."""
    return f"/d/{dashboard_uid(ref)}"
