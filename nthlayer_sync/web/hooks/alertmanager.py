"""Alertmanager: alerts fire. What fires is told; a subject is looked at where the alert is one that we made for it.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config: it signs nothing. Its `http_config.
authorization.credentials` is sent as a bearer token; the body is the one of version 4.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.hook import Asks, Delivery, Hook, quoted
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.references import reference
from nthlayer_sync.web.hooks.schemes import Token

MOST_EVENTS = 100
"""Events of one delivery: in an outage hundreds of alerts fire, and only some thousand events are kept."""


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]


class _Group(msgspec.Struct):
    alerts: list[_Alert]


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    alerts = [alert.labels for alert in delivery.read(_Group).alerts if alert.status == "firing"]
    told = {(_subject(labels), labels.get("alertname", "")): None for labels in alerts}
    events = [
        Event(at=delivery.at, name="alert.firing", subject=subject, text=f"the alert {quoted(name)!r} fires")
        for subject, name in told
    ]
    subjects = dict.fromkeys(subject for subject, _ in told if subject)
    return Asks({Topic.SUBJECT: list(subjects)}, tuple(events[:MOST_EVENTS]))


def _subject(labels: dict[str, str]) -> EntityRef | None:
    """Whose alert it is, where it has the labels that our rules give: the entity, and the service's name."""
    return reference(labels["entity"]) if labels.get("service") and "entity" in labels else None


HOOK = Hook("alertmanager", Token("Authorization", bearer=True), _asks)
