"""datadog/service_definition: a service in Datadog's software catalog, as an entity of version 3.

https://docs.datadoghq.com/internal_developer_portal/software_catalog/entity_model
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.datadog.tool import ENTITIES, inside
from nthlayer_sync.plugins.datadog.words import Notify, key, tags_of, value
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.sdk.rest import Account, Json, RestKind
from nthlayer_sync.signals.watched import runbook_path

LINKS = frozenset({"runbook", "doc", "repo", "dashboard"})
"""Types of links that Datadog shows in a way of their own; all others are `other`."""
_EMAIL = re.compile(r"[^@\s\"<>(),:;\\\[\]]+@[A-Za-z0-9.-]+\.[A-Za-z0-9]+")
_TEXT, _NAME = 1000, 200
"""Letters of a description, and of a name, that are kept."""


class LinkSpec(Spec, frozen=True):
    """A link on the service's page."""

    name: str
    type: str
    url: str


class ServiceDefinitionSpec(Spec, frozen=True):
    """What the catalog says of a service; "" where nothing is known."""

    name: str
    namespace: str
    title: str
    description: str
    owner: str
    email: str
    tier: str
    lifecycle: str
    type: str
    language: str
    links: tuple[LinkSpec, ...]
    depends_on: tuple[str, ...]
    tags: tuple[str, ...]


def generate(service: Service, notify: Notify | None = None) -> Iterator[ServiceDefinitionSpec]:
    """One for every service that runs; its name is what its traces and metrics are tagged with."""
    if not service.runs:
        return
    owner = service.owner
    email = owner.email if owner and _EMAIL.fullmatch(owner.email) else ""
    others = {value(n.name) for n in service.depends_on if n.kind == "component" and n.known and not n.external}
    yield ServiceDefinitionSpec(
        name=value(service.name),
        namespace=value(service.namespace),
        title=line(service.title)[:_NAME].rstrip(),
        description=line(service.description)[:_TEXT].rstrip(),
        owner=value(owner.name) if owner else "",
        email=email,
        tier=service.blueprint.tier,
        lifecycle=line(service.lifecycle)[:_NAME].rstrip(),
        type=line(service.type)[:_NAME].rstrip(),
        language=line(service.language).lower()[:_NAME].rstrip(),
        links=tuple(_links(service, notify.backstage if notify else "")),
        depends_on=tuple(f"service:{name}" for name in sorted(others)),
        tags=tags_of(service),
    )


def _links(service: Service, backstage: str) -> Iterator[LinkSpec]:
    """Its runbook, its repository, and what its owners link; web addresses only."""
    if backstage:
        address = f"{backstage}{runbook_path(service.ref, '').rstrip('#')}"
        yield LinkSpec(name="Runbook", type="runbook", url=address)
    if service.own and _is_web(service.own.root):
        yield LinkSpec(name="Repository", type="repo", url=service.own.root)
    for link in service.links:
        if _is_web(link.url):
            type = link.type if link.type in LINKS else "other"
            yield LinkSpec(name=line(link.title)[:_NAME].rstrip() or link.url, type=type, url=link.url)


def _is_web(url: str) -> bool:
    return re.fullmatch(r"https?://[^\s<>\"'`{}|\\^\x00-\x20\x7f]{1,1000}", url) is not None and url.isascii()


def encode(spec: ServiceDefinitionSpec, account: Account, live: Json | None) -> Json:
    """As Datadog wants it; parts of the entity that others wrote stay."""
    entity: Json = {
        "name": spec.name,
        "namespace": spec.namespace,
        "displayName": spec.title,
        "description": spec.description,
        "owner": spec.owner,
        "contacts": [{"name": "Email", "type": "email", "contact": spec.email}] if spec.email else [],
        "links": [{"name": link.name, "type": link.type, "url": link.url} for link in spec.links],
        "tags": list(spec.tags),
    }
    written = {
        "tier": spec.tier,
        "lifecycle": spec.lifecycle,
        "type": spec.type,
        "languages": [spec.language] if spec.language else [],
        "dependsOn": list(spec.depends_on),
    }
    kept = {name: held for name, held in inside(live, "spec").items() if name not in written}
    # The schema forbids empty texts here, and allows them in the metadata, where they take away what was there.
    return entity | {"spec": kept | {name: held for name, held in written.items() if held}}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    spec = inside(body, "spec")
    languages: list[str] = spec.get("languages") or []
    contacts = [_contact(each) for each in body.get("contacts") or ()]
    return {
        "name": body["name"],
        "namespace": body.get("namespace") or "default",
        "title": body.get("displayName") or "",
        "description": body.get("description") or "",
        "owner": body.get("owner") or "",
        "email": ", ".join(contacts),
        "tier": spec.get("tier") or "",
        "lifecycle": spec.get("lifecycle") or "",
        "type": spec.get("type") or "",
        "language": ", ".join(languages),
        "links": [
            {"name": link["name"], "type": link.get("type") or "other", "url": link["url"]}
            for link in body.get("links") or ()
        ],
        "depends_on": sorted(spec.get("dependsOn") or ()),
        "tags": sorted(body.get("tags") or ()),
    }


def _contact(contact: Json) -> str:
    """An address as we write it; another contact, which a person added, shows as what it is."""
    return contact["contact"] if contact["type"] == "email" else f"{contact['type']} {contact['contact']}"


SERVICE_DEFINITION = RestKind(
    name="datadog/service_definition",
    version=1,
    summary="a service in the software catalog",
    subject=Service,
    spec=ServiceDefinitionSpec,
    generate=generate,
    collection=ENTITIES,
    key=lambda service, spec: key(service),
    encode=encode,
    decode=decode,
)
