"""Deployments: a pipeline tells that a service runs in another version.

It signs as Standard Webhooks say, and sends `{"service": "component:default/shop", "version": "1.2.3", "environment":
"production"}`; a service may be named without its kind and namespace, and what else the body holds is not looked at.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.run import Event
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.hook import Asks, Delivery, Hook, quoted
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.references import reference
from nthlayer_sync.web.hooks.schemes import Standard
from nthlayer_sync.web.problem import Refusal


class _Deployment(msgspec.Struct):
    service: str
    version: str
    environment: str = ""


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    deployment = delivery.read(_Deployment)
    subject = reference(deployment.service, kind="component")
    if subject is None:
        raise Refusal(400, "the body does not fit: `service` is written as kind:namespace/name, or as a name alone")
    where = f" in {quoted(deployment.environment)}" if deployment.environment else ""
    text = f"version {quoted(deployment.version)} was deployed{where}"
    return Asks(
        {Topic.SUBJECT: [subject]}, (Event(at=delivery.at, name="service.deployed", subject=subject, text=text),)
    )


HOOK = Hook("deploy", Standard(), _asks)
