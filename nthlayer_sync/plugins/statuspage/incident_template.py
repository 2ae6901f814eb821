"""statuspage/incident_template: the first words of an incident, so that nobody has to find them at night."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.statuspage.component import public_name
from nthlayer_sync.plugins.statuspage.page import COMPONENTS, TEMPLATES
from nthlayer_sync.sdk.rest import Account, Json, RestKind


class IncidentTemplateSpec(Spec, frozen=True):
    """One template. `components` are the names of those that it is about."""

    name: str
    title: str
    body: str
    status: str
    components: tuple[str, ...]


def generate(service: Service) -> Iterator[IncidentTemplateSpec]:
    """One for every service that stands on the status page."""
    if name := public_name(service):
        yield IncidentTemplateSpec(
            name=f"{name} - investigating",
            title=f"Problems with {name}",
            body=f"We are looking into problems with {name}. We will tell more as soon as we know it.",
            status="investigating",
            components=(name,),
        )


def encode(spec: IncidentTemplateSpec, account: Account, live: Json | None) -> Json:
    """As Statuspage wants it; nobody is told of an incident without a person saying so."""
    return {
        "name": spec.name,
        "title": spec.title,
        "body": spec.body,
        "update_status": spec.status,
        "should_send_notifications": False,
        "component_ids": [account.id("components", name) for name in spec.components],
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {
        "name": body["name"],
        "title": body["title"],
        "body": body["body"],
        "status": body["update_status"],
        "components": sorted(account.key("components", component["id"]) for component in body["components"]),
    }


INCIDENT_TEMPLATE = RestKind(
    name="statuspage/incident_template",
    version=1,
    summary="the first words of an incident",
    subject=Service,
    spec=IncidentTemplateSpec,
    generate=generate,
    requires=("statuspage/component",),
    deletable=False,
    collection=TEMPLATES,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(COMPONENTS,),
)
