"""Prometheus: recording and alerting rules, as files with tests that promtool runs, or in a server itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Self

from pydantic import Field, model_validator

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Subject
from nthlayer_sync.plugins.prometheus import ruler
from nthlayer_sync.plugins.prometheus.alert_rules import ALERT_RULES
from nthlayer_sync.plugins.prometheus.alert_tests import ALERT_TESTS
from nthlayer_sync.plugins.prometheus.ruler import Ruler
from nthlayer_sync.plugins.prometheus.slo_rules import SLO_RULES
from nthlayer_sync.plugins.prometheus.slo_tests import SLO_TESTS
from nthlayer_sync.sdk.kind import Category, FileKind, Kind
from nthlayer_sync.sdk.mimir import Mimir, MimirSettings
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin
from nthlayer_sync.sdk.reload import ServerSettings, reloaded
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Target
from nthlayer_sync.sdk.texts import TextTarget, key_of
from nthlayer_sync.signals.addresses import Address, Addresses

RULES = {SLO_RULES.name: "slo", ALERT_RULES.name: "alerts"}
"""The kinds that a server can hold, and what their configs are called there."""


class PrometheusSettings(LiveSettings):
    """Where the links of alerts lead, and where rules go when they do not land in Git."""

    backstage: Address = Field(
        default="",
        description="Address of Backstage, such as https://backstage.example.com; without it no runbook is linked.",
    )
    grafana: Address = Field(
        default="",
        description="Address of Grafana, such as https://grafana.example.com; without it no dashboard is linked.",
    )
    mimir: MimirSettings | None = Field(
        default=None, description="A ruler that takes the rules: Mimir, Cortex or Grafana Cloud."
    )
    server: ServerSettings | None = Field(default=None, description="A Prometheus that loads the rules from a folder.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.mimir and self.server:
            raise ValueError("rules go to mimir or to server, not to both")
        return self

    @property
    def account(self) -> str:
        """Where rules go; "" where they land in Git."""
        return "mimir" if self.mimir else "server" if self.server else ""


class Plugin(OperationalPlugin):
    """Rules that Prometheus loads, and proof that they do what they say."""

    name = "prometheus"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "Prometheus rules, with tests"
    kinds = (SLO_RULES, SLO_TESTS, ALERT_RULES, ALERT_TESTS)
    settings_type = PrometheusSettings
    settings: PrometheusSettings

    def __init__(self, settings: PrometheusSettings, runtime: Runtime | None = None) -> None:
        super().__init__(settings, runtime)
        addresses = Addresses(settings.backstage.rstrip("/"), settings.grafana.rstrip("/"))
        for kind in self.kinds:
            self.bind(kind, addresses=addresses)
        if settings.account:
            self.active = tuple(self._live(kind) for kind in self.active)

    def connect(self, runtime: Runtime) -> Target | None:
        """The server that the settings name."""
        settings = self.settings
        if settings.mimir:
            texts = Ruler(Mimir.connect(runtime, self.name, settings.mimir), runtime.instance)
        elif settings.server:
            texts = reloaded(runtime, self.name, settings.server, ruler.COLLECTION, ".rules.yaml")
        else:
            return None
        return TextTarget(self.name, settings.account, texts, read_only=settings.read_only)

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """In the server where the settings name one, else in a file."""
        if self.settings.account and kind.name in RULES:
            path = f"{ruler.COLLECTION}/{key_of(subject.ref, RULES[kind.name])}"
            return Place(f"{self.name}:{self.settings.account}", path)
        return super().place(kind, subject, spec)

    def _live(self, kind: FileKind[Any, Any]) -> FileKind[Any, Any]:
        """A kind as it is where rules go to a server: tests would have no rule file to stand beside."""
        if kind.name not in RULES:
            return replace(kind, generate=_nothing)
        if self.settings.mimir:
            return replace(kind, render=partial(_canonical, kind.render))
        return kind


def _nothing(subject: Subject) -> tuple[()]:
    return ()


def _canonical(render: Callable[[Any], str], spec: Any) -> str:
    return ruler.canonical(render(spec))
