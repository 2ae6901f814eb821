"""What a service is in PagerDuty: what an alert belongs to, whom it calls, and how loudly."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import NOTHING_RUNS, Hours, Neighbour, Service
from nthlayer_sync.oncall.policy import DAYS
from nthlayer_sync.plugins.pagerduty.tool import ESCALATION_POLICIES, SERVICES, reference
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label

_MIDNIGHT = "23:59:59"
"""The end of a day: PagerDuty's clock knows no 24:00."""


class ServiceSpec(Spec, frozen=True):
    """One service. `policy` is the escalation policy's name."""

    name: str
    description: str
    policy: str
    urgency: str
    """`high` at all hours, or `hours`: high within the support hours and low outside of them."""
    hours: Hours | None = None


def calls_people(service: Service) -> bool:
    """Whether it has a service in PagerDuty: it runs, somebody is called for it, and a group has a policy for that."""
    owner = service.owner
    return service.runs and service.blueprint.incident.page and owner is not None and owner.ref.startswith("group:")


def is_called_for(other: Neighbour) -> bool:
    """The same of a neighbour."""
    return (
        other.pages and other.type not in NOTHING_RUNS and other.owner is not None and other.owner.startswith("group:")
    )


def generate(service: Service) -> Iterator[ServiceSpec]:
    """Every service for which somebody is called."""
    owner = service.owner
    if owner is None or not calls_people(service):
        return
    window = service.blueprint.incident.hours
    hours = Hours("", tuple(sorted(window.days, key=DAYS.index)), window.opens, window.closes, window.timezone)
    yield ServiceSpec(
        name=label(service),
        description=" ".join(service.description.split())[:500]
        or " ".join(f"{service.label} of {owner.label}".split())[:500],
        policy=label(owner.ref),
        urgency="high" if hours.always else "hours",
        hours=None if hours.always else hours,
    )


def encode(spec: ServiceSpec, account: Account, live: Json | None) -> Json:
    """As PagerDuty wants it."""
    body: Json = {
        "type": "service",
        "name": spec.name,
        "description": spec.description,
        "escalation_policy": reference("escalation_policy", account.id("escalation_policies", spec.policy)),
        "alert_creation": "create_alerts_and_incidents",
        "incident_urgency_rule": {"type": "constant", "urgency": spec.urgency},
    }
    if spec.hours is None:
        return body
    return body | {
        "incident_urgency_rule": {
            "type": "use_support_hours",
            "during_support_hours": {"type": "constant", "urgency": "high"},
            "outside_support_hours": {"type": "constant", "urgency": "low"},
        },
        "support_hours": {
            "type": "fixed_time_per_day",
            "time_zone": spec.hours.timezone,
            "days_of_week": [DAYS.index(day) + 1 for day in spec.hours.days],
            "start_time": _clock(spec.hours.opens),
            "end_time": _clock(spec.hours.closes),
        },
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; an urgency of another sort, which a person chose, is told as they wrote it."""
    rule = body["incident_urgency_rule"]
    hours: Json | None = None
    urgency = rule.get("urgency") or rule["type"]
    if rule["type"] == "use_support_hours":
        pair = [rule[when].get("urgency") for when in ("during_support_hours", "outside_support_hours")]
        urgency = "hours" if pair == ["high", "low"] else f"{pair[0]} within hours, {pair[1]} outside"
        support = body["support_hours"]
        hours = {
            "name": "",
            "days": [DAYS[day - 1] for day in sorted(support["days_of_week"])],
            "opens": _minutes(support["start_time"]),
            "closes": _minutes(support["end_time"]),
            "timezone": support["time_zone"],
        }
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "policy": account.key("escalation_policies", body["escalation_policy"]["id"]),
        "urgency": urgency,
        "hours": hours,
    }


def _clock(minutes: int) -> str:
    return _MIDNIGHT if minutes == 24 * 60 else f"{minutes // 60:02}:{minutes % 60:02}:00"


def _minutes(clock: str) -> int:
    return 24 * 60 if clock == _MIDNIGHT else int(clock[:2]) * 60 + int(clock[3:5])


SERVICE = RestKind(
    name="pagerduty/service",
    version=1,
    summary="services, with whom they call",
    subject=Service,
    spec=ServiceSpec,
    generate=generate,
    requires=("pagerduty/escalation_policy",),
    collection=SERVICES,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(ESCALATION_POLICIES,),
)
