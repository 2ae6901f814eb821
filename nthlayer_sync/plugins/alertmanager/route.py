"""alertmanager/route: the routing tree and its receivers, by owner and severity, for the whole organisation.

An alert finds its team by the label `owner`, the full reference, because two teams may bear the same name. It says
`page` or `ticket`; tickets wait for the hours in which somebody looks at them. How long Alertmanager collects and when
it repeats itself is left to its own defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Hours, Organisation
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.quote import go_template
from nthlayer_sync.yaml.emit import dump

CHANNEL = "#alerts"
SLACK_URL_FILE = "/etc/alertmanager/secrets/slack_api_url"
TICKET_HOURS = "business-hours-only"

_DAYS = {
    "mon": "monday",
    "tue": "tuesday",
    "wed": "wednesday",
    "thu": "thursday",
    "fri": "friday",
    "sat": "saturday",
    "sun": "sunday",
}

# Texts of alerts are literal for Prometheus, but Slack would still find mentions and links in them.
# https://api.slack.com/reference/surfaces/formatting#escaping
_LITERAL = (
    '{{ define "literal" }}'
    '{{ . | reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;" }}'
    "{{ end }}"
)
_TITLE = _LITERAL + (
    '{{ if eq .Status "firing" }}{{ .Alerts.Firing | len }} firing{{ else }}Resolved{{ end }}: '
    '{{ template "literal" (or .CommonLabels.service .CommonLabels.alertname) }}'
    "{{ with .CommonLabels.severity }} ({{ . }}){{ end }}"
)
_TITLE_LINK = "{{ or .CommonAnnotations.runbook_url .CommonAnnotations.dashboard .ExternalURL }}"
_TEXT = (
    _LITERAL
    + """{{ range .Alerts -}}
*{{ template "literal" (or .Annotations.summary .Labels.alertname) }}*{{ if eq .Status "resolved" }} (resolved){{ end }}
{{ with .Annotations.description }}{{ template "literal" . }}
{{ end }}{{ with .Annotations.runbook_url }}Runbook: {{ template "literal" . }}
{{ end }}{{ with .Annotations.dashboard }}Dashboard: {{ template "literal" . }}
{{ end }}
{{- end }}"""
)

Part = dict[str, Any]


class Mail(msgspec.Struct, frozen=True):
    """The mail server; without a user name nobody logs in."""

    smarthost: str
    sender: str
    username: str | None
    password_file: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How people are reached: see the settings of the plugin."""

    channel: str = CHANNEL
    slack_api_url_file: str = SLACK_URL_FILE
    mail: Mail | None = None
    ticket_hours: str | None = TICKET_HOURS


class Receiver(msgspec.Struct, frozen=True, order=True):
    """A team as Alertmanager knows it; "" where it cannot be reached that way."""

    owner: EntityRef
    channel: str
    email: str


class RouteSpec(Spec, frozen=True):
    """Everybody who hears of alerts. `hours` are those of tickets, None when they are told at any time."""

    receivers: tuple[Receiver, ...]
    hours: Hours | None
    delivery: Delivery


def generate(organisation: Organisation, delivery: Delivery = Delivery()) -> Iterator[RouteSpec]:  # noqa: B008 - frozen
    """One for the organisation; teams that cannot be reached fall to the default receiver."""
    receivers = [
        Receiver(team.ref, team.channel, team.email if delivery.mail else "")
        for team in organisation.teams
        if team.channel or (team.email and delivery.mail)
    ]
    yield RouteSpec(receivers=tuple(sorted(receivers)), hours=_ticket_hours(organisation, delivery), delivery=delivery)


def render(spec: RouteSpec) -> str:
    """A configuration file. https://prometheus.io/docs/alerting/0.25/configuration/"""
    document = {
        "global": _global(spec.delivery),
        "route": {
            "receiver": "default",
            "group_by": ["entity", "severity"],
            "routes": [_team(receiver, spec.hours) for receiver in spec.receivers]
            + [_severity("ticket", "default", spec.hours)],
        },
        # While somebody is woken for an objective, a ticket about the same objective tells them nothing.
        "inhibit_rules": [
            {
                "source_matchers": ['severity="page"', 'slo!=""'],
                "target_matchers": ['severity="ticket"', 'slo!=""'],
                "equal": ["entity", "slo"],
            }
        ],
        "receivers": [
            {"name": "default", "slack_configs": [_slack(spec.delivery.channel)]},
            *(_receiver(receiver, severity) for receiver in spec.receivers for severity in ("page", "ticket")),
        ],
    }
    if spec.hours:
        document["time_intervals"] = [_interval(spec.hours)]
    return dump(document, header=f"Managed by {MARK}: change the catalog or the settings, not this file.")


def _ticket_hours(organisation: Organisation, delivery: Delivery) -> Hours | None:
    name = delivery.ticket_hours
    if name is None:
        return None
    for window in organisation.windows:
        if window.name == name:
            return None if window.always else window
    known = ", ".join(window.name for window in organisation.windows) or "none"
    raise PermanentError(
        f"the setting ticket_hours names {name!r}, which is no window of the tier table; it has: {known}"
    )


def _global(delivery: Delivery) -> Part:
    part: Part = {"slack_api_url_file": delivery.slack_api_url_file}
    mail = delivery.mail
    if mail:
        part |= {"smtp_smarthost": mail.smarthost, "smtp_from": mail.sender}
        if mail.username:
            part |= {"smtp_auth_username": mail.username, "smtp_auth_password_file": mail.password_file}
    return part


def _team(receiver: Receiver, hours: Hours | None) -> Part:
    """A page goes to the first route, whatever is no page to the second."""
    name = receiver.owner
    return {
        "matchers": [matcher("owner", name)],
        "receiver": f"{name} page",
        "routes": [_severity("ticket", f"{name} ticket", hours)],
    }


def _severity(severity: str, receiver: str, hours: Hours | None) -> Part:
    waiting: Part = {"active_time_intervals": [hours.name]} if hours else {}
    return {"matchers": [matcher("severity", severity)], "receiver": receiver, **waiting}


def _receiver(receiver: Receiver, severity: str) -> Part:
    """A page uses every way there is; a ticket goes to the channel, and by mail only where there is none."""
    part: Part = {"name": f"{receiver.owner} {severity}"}
    if receiver.channel:
        part["slack_configs"] = [_slack(receiver.channel)]
    if receiver.email and (severity == "page" or not receiver.channel):
        part["email_configs"] = [{"to": go_template(receiver.email), "send_resolved": True}]
    return part


def _slack(channel: str) -> Part:
    """What an alert says, and where its runbook is: by itself Alertmanager shows nothing but labels."""
    return {
        "channel": go_template(channel),
        "send_resolved": True,
        "title": _TITLE,
        "title_link": _TITLE_LINK,
        "text": _TEXT,
    }


def _interval(hours: Hours) -> Part:
    times = {"start_time": _clock(hours.opens), "end_time": _clock(hours.closes)}
    weekdays = [_DAYS[day] for day in sorted(hours.days, key=list(_DAYS).index)]
    return {
        "name": hours.name,
        "time_intervals": [{"weekdays": weekdays, "times": [times], "location": hours.timezone}],
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def matcher(label: str, value: str) -> str:
    """A matcher in Alertmanager's notation, whose strings know these three escapes only."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}="{escaped}"'


ROUTE = FileKind(
    name="alertmanager/route",
    version=1,
    summary="routing tree and receivers by owner and severity",
    subject=Organisation,
    spec=RouteSpec,
    generate=generate,
    path=lambda organisation, spec: "alertmanager/alertmanager.yaml",
    render=render,
)
