"""What all pages have in common: whose service it is, what its blueprint says about it, and which parts we own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from nthlayer_sync.model.blueprint import Blueprint, Window
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.entity import Link
from nthlayer_sync.model.ref import EntityRef, ref_name
from nthlayer_sync.model.service import Contact, Neighbour, Service, per_blueprint
from nthlayer_sync.sdk.ownership import Blocks
from nthlayer_sync.sdk.template import Page

PACKAGE = "nthlayer_sync.plugins.techdocs"

# Words by which people mark what a link leads to, in its title, type or icon.
_DASHBOARD = re.compile(r"\b(dashboards?|grafana|metrics|datadog)\b", re.IGNORECASE)
_LOGS = re.compile(r"\b(logs?|logging|loki|kibana|splunk)\b", re.IGNORECASE)
_ON_CALL = re.compile(r"\b(on-?call|pager ?duty|opsgenie|rota|schedule)\b", re.IGNORECASE)

SECTIONS = (
    "summary",
    "steps",
    "alerts",
    "alert",
    "needs",
    "map",
    "stores",
    "external",
    "ceiling",
    "reach",
    "rollback",
    "escalation",
    "people",
    "checklist",
    "rules",
)
"""The first words of the names of blocks, in the order that they have on a page."""

BLOCKS = Blocks(open="<!--", close="-->", order=SECTIONS)


def owns(_: ConfigId) -> Blocks:
    """Blocks between HTML comments, which no reader of a page sees."""
    return BLOCKS


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """The service as its pages introduce it. `code` is the address of its repository, `channel` the Slack channel."""

    label: str
    description: str
    type: str
    tier: str
    owner: Contact | None
    channel: str
    links: tuple[Link, ...]
    code: str

    @property
    def dashboards(self) -> tuple[Link, ...]:
        """Links that lead to dashboards."""
        return self._links(_DASHBOARD)

    @property
    def logs(self) -> tuple[Link, ...]:
        """Links that lead to logs."""
        return self._links(_LOGS)

    @property
    def on_call(self) -> tuple[Link, ...]:
        """Links that lead to whoever is on call."""
        return self._links(_ON_CALL)

    def _links(self, words: re.Pattern[str]) -> tuple[Link, ...]:
        return tuple(link for link in self.links if words.search(f"{link.title} {link.type} {link.icon}"))


class Rules(msgspec.Struct, frozen=True):
    """What the blueprint says to everybody who works on the service; spans of time as `15m`."""

    page: bool
    acknowledge: str
    strategy: str
    window: str
    approvals: int


@per_blueprint
def rules_of(blueprint: Blueprint) -> Rules:
    """The rules of a service's blueprint."""
    deployment = blueprint.deployment
    return Rules(
        page=blueprint.incident.page,
        acknowledge=str(blueprint.incident.acknowledge),
        strategy=deployment.strategy,
        window=_window(deployment.windows),
        approvals=deployment.approvals,
    )


def _window(window: Window) -> str:
    if len(window.days) == 7 and (window.opens, window.closes) == (0, 1440):
        return "at any time"
    days = ", ".join(day.capitalize() for day in window.days)
    return f"{days}, {window.hours.replace('-', ' to ')} ({window.timezone})"


def about(service: Service) -> About:
    """How pages introduce a service."""
    return About(
        label=service.label,
        description=service.description,
        type=service.type,
        tier=service.blueprint.tier,
        owner=service.owner,
        channel=channel_of(service),
        links=service.links,
        code=_code(service),
    )


def channel_of(service: Service) -> str:
    """The Slack channel in which the service is talked about."""
    return service.blueprint.communication.channel or (service.owner.channel if service.owner else "")


def by_tier(neighbours: Iterable[Neighbour]) -> list[Neighbour]:
    """The strictest first; those without a tier last."""
    return sorted(neighbours, key=lambda neighbour: (not neighbour.tier, neighbour.tier, neighbour.name, neighbour.ref))


def who(owner: EntityRef | None) -> str:
    """An owner's name in a table."""
    return ref_name(owner) if owner else "–"


def what(neighbour: Neighbour) -> str:
    """What a neighbour is, in a table."""
    known = neighbour.technology or neighbour.type or neighbour.kind
    return ", ".join(
        [known, *(["external"] if neighbour.external else []), *([] if neighbour.known else ["not in the catalog"])]
    )


def percent(share: str) -> str:
    """An availability in a table."""
    return f"{share}%" if share else "–"


def blocks(name: str, wanted: Iterable[str], /, **values: Any) -> dict[str, str]:
    """The text of each of the `wanted` blocks of the template `name`."""
    page = Page(PACKAGE, name)
    return {section: page.block(section, who=who, what=what, percent=percent, **values) for section in wanted}


def _code(service: Service) -> str:
    """Where the code is, for people: a web address or the repository's name, never a path on somebody's machine."""
    own = service.own
    if own is None:
        return ""
    return own.root if own.root.startswith("https://") else own.slug
