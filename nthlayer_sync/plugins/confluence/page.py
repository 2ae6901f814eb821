"""confluence/page: what whoever repairs a service needs to know, as a page of the wiki."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Neighbour, Service
from nthlayer_sync.plugins.confluence.space import PAGES
from nthlayer_sync.plugins.confluence.storage import Block, block, cell, read, write
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label
from nthlayer_sync.signals.alert import Alert
from nthlayer_sync.signals.alerts import alerts_of
from nthlayer_sync.signals.slo import promises

MOST = 200
"""Rows of one table; a page that is longer is read by nobody."""


class PageSpec(Spec, frozen=True):
    """A page, block by block."""

    title: str
    blocks: tuple[Block, ...]


def generate(service: Service) -> Iterator[PageSpec]:
    """One for every service whose blueprint asks for it."""
    if service.blueprint.documentation.wiki:
        yield PageSpec(
            title=f"{label(service)} overview", blocks=tuple(each for each in _blocks(service) if _says(each))
        )


def _says(block: Block) -> bool:
    return any(each.text or each.link for each in block.cells)


def _blocks(service: Service) -> Iterator[Block]:
    yield block("p", service.description or f"What whoever repairs {service.label} needs to know.")
    yield from _facts(service)
    yield from _links(service)
    yield from _alerts(service)
    yield from _response(service)
    yield from _needs(service)


def _facts(service: Service) -> Iterator[Block]:
    owner, blueprint = service.owner, service.blueprint
    channel = blueprint.communication.channel or (owner.channel if owner else "")
    yield block("h2", "What it is")
    yield block("tr", "Name", service.label)
    yield block("tr", "Tier", blueprint.tier)
    yield block("tr", "Owner", owner.label if owner else "nobody known: find one before you need one")
    if owner and owner.email:
        yield block("tr", "Mail", cell(owner.email, f"mailto:{owner.email}"))
    if channel:
        yield block("tr", "Channel", channel)
    for objective in promises(service).objectives:
        yield block("tr", "Promise", objective.promise)


def _links(service: Service) -> Iterator[Block]:
    if service.links:
        yield block("h2", "Where to look")
    for link in service.links[:MOST]:
        yield block("li", cell(link.title or link.url, link.url))


def _alerts(service: Service) -> Iterator[Block]:
    alerts: dict[str, Alert] = {}
    for alert in alerts_of(service):
        alerts.setdefault(alert.name, alert)
    if not alerts:
        return
    yield block("h2", "What its alerts mean")
    yield block("tr", "Alert", "Says", "Means", "What to do")
    for alert in list(alerts.values())[:MOST]:
        yield block("tr", alert.name, alert.summary, alert.meaning, " ".join(alert.remedy))


def _response(service: Service) -> Iterator[Block]:
    incident, communication = service.blueprint.incident, service.blueprint.communication
    yield block("h2", "When it is broken")
    if incident.page:
        yield block("li", f"Acknowledge the page within {incident.acknowledge}, so that nobody else is woken.")
    else:
        yield block("li", f"Nobody is woken; take the ticket within {incident.acknowledge}.")
    if incident.commander:
        yield block("li", "Users notice? Declare an incident and call a commander: they speak, you repair.")
    if communication.status_page:
        yield block("li", "Users notice? Put it on the status page, and again when it is over.")
    if communication.stakeholders:
        yield block("li", f"Tell as well: {', '.join(communication.stakeholders)}")


def _needs(service: Service) -> Iterator[Block]:
    if not service.depends_on:
        return
    yield block("h2", "What it needs")
    yield block("tr", "Name", "What", "Tier", "Ask in")
    for other in sorted(service.depends_on, key=_strictest)[:MOST]:
        yield block("tr", other.name, other.technology or other.type or other.kind, other.tier, other.channel)


def _strictest(other: Neighbour) -> tuple[bool, str, str, str]:
    return not other.tier, other.tier, other.name, other.ref


def encode(spec: PageSpec, account: Account, live: Json | None) -> Json:
    """In storage format."""
    return {"title": spec.title, "value": write(spec.blocks)}


def decode(body: Json, account: Account) -> Json:
    """Block by block."""
    return {"title": body["title"], "blocks": read(body["value"])}


PAGE = RestKind(
    name="confluence/page",
    version=1,
    summary="what whoever repairs a service needs to know",
    subject=Service,
    spec=PageSpec,
    generate=generate,
    collection=PAGES,
    key=lambda service, spec: spec.title,
    encode=encode,
    decode=decode,
)


def page_in(space: str) -> RestKind[Service, PageSpec]:
    """The kind in one space."""
    return replace(PAGE, collection=replace(PAGES, space=space))
