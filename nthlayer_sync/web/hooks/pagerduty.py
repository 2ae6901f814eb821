"""PagerDuty: somebody changed a service, so what we applied there is to be looked at.

https://docs.pagerduty.com/developer/verifying-webhook-signatures: `X-PagerDuty-Signature` holds `v1=<HMAC of the body>`
for each secret of the subscription, with commas between them. The body holds an id of the event that is signed with it.
What bodies hold: https://docs.pagerduty.com/developer/webhooks-overview.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.hook import NOTHING, Asks, Delivery, Hook
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.schemes import Signed

OURS = "nthlayer-sync"
"""What the name of the user or app has in it whose token we write with; then our own writes wake nothing.

PagerDuty names nobody for an account's own token: such a write costs one look more, which finds nothing.
"""
CONFIGURATION = ("service.",)
"""How the types of events begin that tell of configuration; all others are about incidents."""


class _Agent(msgspec.Struct):
    summary: str | None = None
    name: str | None = None


class _Event(msgspec.Struct):
    event_type: str
    agent: _Agent | None = None
    client: _Agent | None = None


class _Body(msgspec.Struct):
    event: _Event


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    event = delivery.read(_Body).event
    names = [name for agent in (event.agent, event.client) if agent for name in (agent.summary, agent.name) if name]
    if not event.event_type.startswith(CONFIGURATION) or any(OURS in name.lower() for name in names):
        return NOTHING
    return Asks({Topic.AUDIT: landscape.accounts("pagerduty")})


HOOK = Hook("pagerduty", Signed("X-PagerDuty-Signature", "v1="), _asks)
