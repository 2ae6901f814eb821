"""statuspage/component: a service as the public knows it."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.statuspage.page import COMPONENTS, GROUPS
from nthlayer_sync.sdk.rest import Account, Json, RestKind


class ComponentSpec(Spec, frozen=True):
    """One component. `group` is the name of the heading that it stands under, "" for none."""

    name: str
    group: str


def public_name(service: Service) -> str:
    """What strangers call the service, "" where it does not stand on the page."""
    communication = service.blueprint.communication
    return (communication.public_name or "") if communication.status_page and service.runs else ""


def generate(service: Service) -> Iterator[ComponentSpec]:
    """One for every service that stands on the status page and has a name for the public."""
    if name := public_name(service):
        yield ComponentSpec(name, service.blueprint.communication.public_group or "")


def encode(spec: ComponentSpec, account: Account, live: Json | None) -> Json:
    """As Statuspage wants it. Its status is never sent: incidents change it."""
    body: Json = {"name": spec.name}
    if spec.group or (live and live.get("group_id")):
        body["group_id"] = account.id("component_groups", spec.group) if spec.group else ""
    return body


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    group = body.get("group_id")
    return {"name": body["name"], "group": account.key("component_groups", group) if group else ""}


COMPONENT = RestKind(
    name="statuspage/component",
    version=1,
    summary="services on the status page",
    subject=Service,
    spec=ComponentSpec,
    generate=generate,
    collection=COMPONENTS,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(GROUPS,),
)
