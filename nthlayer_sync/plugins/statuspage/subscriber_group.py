"""statuspage/subscriber_group: who may see a service on a page that is not public, and subscribe to it."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.statuspage.component import public_name
from nthlayer_sync.plugins.statuspage.page import ACCESS_GROUPS, COMPONENTS
from nthlayer_sync.sdk.rest import Account, Json, RestKind


class SubscriberGroupSpec(Spec, frozen=True):
    """One page access group. `components` are the names of those that its people see."""

    name: str
    components: tuple[str, ...]


def generate(service: Service) -> Iterator[SubscriberGroupSpec]:
    """One for every service on the status page whose blueprint asks for it."""
    if (name := public_name(service)) and service.blueprint.communication.audience:
        yield SubscriberGroupSpec(name, (name,))


def encode(spec: SubscriberGroupSpec, account: Account, live: Json | None) -> Json:
    """As Statuspage wants it. People are let in by hand or by single sign-on, and stay."""
    return {"name": spec.name, "component_ids": [account.id("components", name) for name in spec.components]}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {
        "name": body["name"],
        "components": sorted(account.key("components", id) for id in body.get("component_ids") or ()),
    }


SUBSCRIBER_GROUP = RestKind(
    name="statuspage/subscriber_group",
    version=1,
    summary="who may see a service on a page that is not public",
    subject=Service,
    spec=SubscriberGroupSpec,
    generate=generate,
    requires=("statuspage/component",),
    collection=ACCESS_GROUPS,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(COMPONENTS,),
)
