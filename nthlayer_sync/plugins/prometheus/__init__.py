"""Prometheus: recording and alerting rules as files, each with tests that promtool runs."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.plugins.prometheus.alert_rules import ALERT_RULES
from nthlayer_sync.plugins.prometheus.alert_tests import ALERT_TESTS
from nthlayer_sync.plugins.prometheus.slo_rules import SLO_RULES
from nthlayer_sync.plugins.prometheus.slo_tests import SLO_TESTS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target
from nthlayer_sync.signals.addresses import Address, Addresses


class PrometheusSettings(PluginSettings):
    """Where the links of alerts lead."""

    backstage: Address = Field(
        default="",
        description="Address of Backstage, such as https://backstage.example.com; without it no runbook is linked.",
    )
    grafana: Address = Field(
        default="",
        description="Address of Grafana, such as https://grafana.example.com; without it no dashboard is linked.",
    )


class Plugin(OperationalPlugin):
    """Rules that Prometheus loads from Git, and proof that they do what they say."""

    name = "prometheus"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "Prometheus rules, with tests"
    kinds = (SLO_RULES, SLO_TESTS, ALERT_RULES, ALERT_TESTS)
    settings_type = PrometheusSettings

    def __init__(self, settings: PrometheusSettings, files: Target) -> None:
        super().__init__(settings, files)
        addresses = Addresses(settings.backstage.rstrip("/"), settings.grafana.rstrip("/"))
        for kind in self.kinds:
            self.bind(kind, addresses=addresses)
