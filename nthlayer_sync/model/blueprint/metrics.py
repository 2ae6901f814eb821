"""Where the metrics of a service are kept."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from nthlayer_sync.model.blueprint.section import LabelName, MetricName, Section, Span, Template
from nthlayer_sync.model.units import Matcher

Selector = dict[LabelName, Template]


def filled(selector: Selector, name: str, namespace: str) -> dict[str, str]:
    """Label values as plain texts: the templates with the name and namespace of one entity."""
    given = {"{name}": name, "{namespace}": namespace}
    return {
        label: re.sub(r"\{name\}|\{namespace\}", lambda found: given[found[0]], template)
        for label, template in sorted(selector.items())
    }


class Metrics(Section):
    """Where Prometheus keeps the service's own series."""

    requests: MetricName
    """Counter of requests."""
    errors: Matcher
    """Label matcher that tells failed requests from others."""
    duration: MetricName = Field(examples=["http_request_duration_seconds"])
    """Histogram of request durations in seconds, without `_bucket`, `_sum`, `_count`."""
    saturation: MetricName | None = Field(default=None, examples=["app_saturation_ratio"])
    """Gauge of the scarcest resource in use, 0 to 1; null: CPU and memory against their limits are taken instead."""
    rate: Span = Field(examples=["5minutes"])
    """Shortest window a rate is taken over: four scrape intervals or more, so that one lost scrape does no harm."""
    selector: Selector = Field(min_length=1, examples=[{"service": "{name}"}])
    """Labels that pick the service's own series; `{name}` and `{namespace}` are the entity's, null removes a label."""

    def select(self, name: str, namespace: str) -> dict[str, str]:
        """Label values that pick the series of one entity, as plain texts; whoever writes PromQL quotes them."""
        return filled(self.selector, name, namespace)


TagName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_./-]{0,99}$")]
DatadogMetric = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,199}$", examples=["trace.http.request.hits"])]
"""https://docs.datadoghq.com/metrics/custom_metrics/#naming-custom-metrics"""


class Datadog(Section):
    """Where Datadog keeps the service's own metrics; null: what would be made of it is not made there."""

    requests: DatadogMetric | None = None
    """Count of requests."""
    errors: DatadogMetric | None = None
    """Count of failed requests."""
    duration: DatadogMetric | None = Field(default=None, examples=["trace.http.request"])
    """Distribution of request durations in seconds, with percentiles."""
    saturation: DatadogMetric | None = Field(default=None, examples=["app.saturation"])
    """Gauge of the scarcest resource in use, 0 to 1."""
    selector: dict[TagName, Template] = Field(min_length=1, examples=[{"service": "{name}"}])
    """Tags that pick the service's own metrics; `{name}` and `{namespace}` are the entity's, null removes a tag."""

    def select(self, name: str, namespace: str) -> dict[str, str]:
        """Tag values that pick the metrics of one entity, as plain texts; whoever writes a query quotes them."""
        return filled(self.selector, name, namespace)
