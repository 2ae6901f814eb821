"""The dashboard as it is in a Grafana that the settings name, instead of in a file."""

from __future__ import annotations

from dataclasses import dataclass

from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.grafana.dashboard import DASHBOARD, DashboardSpec, model
from nthlayer_sync.plugins.grafana.tool import DASHBOARDS
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.rest import Account, Json, RestKind
from nthlayer_sync.sdk.rest.kind import canonical
from nthlayer_sync.signals.watched import dashboard_uid

MANAGED = (
    "annotations", "description", "editable", "graphTooltip", "links", "panels", "refresh", "tags", "templating",
    "time", "timezone", "title", "uid",
)  # fmt: skip
"""Fields that are compared. `schemaVersion` is not: Grafana raises it when it brings a dashboard up to date."""


@dataclass(frozen=True)
class LiveDashboard(RestKind[Service, DashboardSpec]):
    """What is compared is the dashboard that the spec makes."""

    def content(self, spec: DashboardSpec) -> str:
        """The fields that are compared, as canonical JSON."""
        return canonical(_managed(_made(spec)))


def _made(spec: DashboardSpec) -> Json:
    made = model(spec)
    said = f"Managed by {MARK}: change the blueprint, not this dashboard."
    return made | {"title": made["title"].strip(), "description": said}


def encode(spec: DashboardSpec, account: Account, live: Json | None) -> Json:
    """As Grafana wants it."""
    return _made(spec)


def decode(body: Json, account: Account) -> Json:
    """Without ids, versions and what else Grafana adds."""
    return _managed(body)


def _managed(body: Json) -> Json:
    return {name: body[name] for name in MANAGED if name in body}


LIVE_DASHBOARD = LiveDashboard(
    name=DASHBOARD.name,
    version=DASHBOARD.version,
    summary=DASHBOARD.summary,
    subject=Service,
    spec=DashboardSpec,
    generate=DASHBOARD.generate,
    collection=DASHBOARDS,
    key=lambda service, spec: dashboard_uid(service.ref),
    encode=encode,
    decode=decode,
)
