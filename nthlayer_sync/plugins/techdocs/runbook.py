"""techdocs/runbook: what to do about each alert, how to roll back, whom to call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby
from typing import Literal

import msgspec

from nthlayer_sync.model.blueprint import Blueprint, Incident
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import NOTHING_RUNS, Contact, Neighbour, Service, per_blueprint
from nthlayer_sync.model.units import MILLISECONDS
from nthlayer_sync.oncall.escalation import Called, steps_of
from nthlayer_sync.plugins.techdocs.page import BLOCKS, About, Rules, about, blocks, by_tier, owns, rules_of
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.signals import golden, packs, slo
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.alert import Alert, Query
from nthlayer_sync.signals.promql import span

TEMPLATE = "runbook.md.j2"
SHOWN = 8
"""How many dependents the first table names; the page on dependencies has all."""


class Call(msgspec.Struct, frozen=True):
    """Who is called next when nobody answers: a level of the escalation, or `all` of them once more."""

    after: str
    """How long after the alert, as `15m`."""
    whom: Called | Literal["all"]


class Response(msgspec.Struct, frozen=True):
    """What the blueprint says about a failure; spans of time as `15m`."""

    commander: bool
    steps: tuple[int, ...]
    """Share of traffic on a new version at each step, in percent."""
    bake: str
    """How long each step is watched, "" for not at all."""
    rollback: bool
    status_page: bool
    stakeholders: tuple[str, ...]


class RunbookSpec(Spec, frozen=True):
    """What the alerts are made from, and what of the graph is needed to find their causes."""

    about: About
    rules: Rules
    response: Response
    escalation: tuple[Call, ...]
    """After the first level."""
    promised: slo.Slo | None
    measured: golden.Golden
    stores: tuple[packs.Instance, ...]
    depends_on: tuple[Neighbour, ...]
    dependents: tuple[str, ...]
    """Names of who needs it, those of the strictest tiers."""
    more: int
    """How many more there are."""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert of the service, as `signals.alerts_of` gives them."""
        return (
            *(slo.alerts(self.promised) if self.promised else ()),
            *golden.alerts(self.measured),
            *(alert for store in self.stores for alert in packs.alerts(store)),
        )


class Look(msgspec.Struct, frozen=True):
    """Queries to look at first, and which of a section's alerts they are for ("" for all)."""

    which: str
    queries: tuple[Query, ...]


class Section(msgspec.Struct, frozen=True):
    """What the runbook says under one heading: all alerts of one name."""

    name: str
    alerts: tuple[Alert, ...]
    looks: tuple[Look, ...]
    causes: tuple[str, ...]
    remedy: tuple[str, ...]
    concerns: tuple[Neighbour, ...]
    pages: tuple[str, ...]
    """Addresses of pages that people wrote about these alerts."""

    @property
    def anchor(self) -> str:
        """The id that Markdown gives the heading, as `signals.watched.runbook_path` expects it."""
        return self.name.lower()

    @property
    def severities(self) -> tuple[str, ...]:
        """Those of its alerts, the loudest first."""
        return tuple(dict.fromkeys(sorted(alert.severity for alert in self.alerts)))


def generate(service: Service, addresses: Addresses = NOWHERE) -> Iterator[RunbookSpec]:
    """One for every service whose blueprint asks for it."""
    if not service.blueprint.documentation.runbook:
        return
    yield RunbookSpec(
        about=about(service),
        rules=rules_of(service),
        response=response_of(service),
        escalation=_calls(service)[_is_alone(service.owner)],
        promised=slo.slo_of(service),
        measured=golden.golden_of(service, addresses),
        stores=packs.instances_of(service),
        depends_on=service.depends_on,
        dependents=tuple(neighbour.name for neighbour in by_tier(service.dependents)[:SHOWN]),
        more=max(0, len(service.dependents) - SHOWN),
    )


@per_blueprint
def response_of(blueprint: Blueprint) -> Response:
    """What a service's blueprint says about a failure."""
    incident, deployment = blueprint.incident, blueprint.deployment
    return Response(
        commander=incident.commander,
        steps=deployment.canary_percent,
        bake=span(deployment.bake.milliseconds) if deployment.bake.milliseconds else "",
        rollback=deployment.rollback,
        status_page=blueprint.communication.status_page,
        stakeholders=blueprint.communication.stakeholders,
    )


@per_blueprint
def _calls(blueprint: Blueprint) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """Who is called after the first level: of a team, and of a team of one."""
    return _further(blueprint.incident, alone=False), _further(blueprint.incident, alone=True)


def _further(incident: Incident, *, alone: bool) -> tuple[Call, ...]:
    if not incident.page:
        return ()
    steps = steps_of(incident, alone=alone)
    whom: list[Called | Literal["all"]] = [*(calls for calls, _ in steps[1:]), *(["all"] if incident.loops else [])]
    after = accumulate(minutes * MILLISECONDS["m"] for _, minutes in steps)
    return tuple(Call(span(at), next) for at, next in zip(after, whom, strict=False))


def _is_alone(owner: Contact | None) -> bool:
    return owner is not None and len({person.email.lower() for person in owner.people if person.email}) == 1


def render(spec: RunbookSpec, *, kept: bool = True) -> str:
    """The blocks of the page, one for each alert name, so that people can add notes below each.

    `kept` says whether what they write there stays.
    """
    sections = sections_of(spec.alerts, spec.depends_on)
    values = {
        "about": spec.about,
        "kept": kept,
        "rules": spec.rules,
        "promises": spec.promised.promises.objectives if spec.promised else (),
        "sections": sections,
        "needs": by_tier(spec.depends_on),
        "response": spec.response,
        "escalation": spec.escalation,
        "further": [call for call in spec.escalation if call.whom != "all"],
        "dependents": spec.dependents,
        "more": spec.more,
        "workload": quote.shell(spec.measured.workload),
        "namespace": quote.shell(spec.measured.namespace),
        "runs": spec.about.type not in NOTHING_RUNS,
        "span": span,
        "dashboard": spec.measured.watched.dashboard,
    }
    found = blocks(TEMPLATE, ("summary", "steps", "alerts", "needs", "rollback", "escalation", "people"), **values)
    for section in sections:
        found[f"alert.{section.anchor}"] = blocks(TEMPLATE, ("alert",), section=section, **values)["alert"]
    return BLOCKS.join(found)


def sections_of(alerts: Iterable[Alert], neighbours: Iterable[Neighbour]) -> list[Section]:
    """The alerts by name, in the order in which each name comes first."""
    by_name: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_name.setdefault(alert.name, []).append(alert)
    known = {neighbour.ref: neighbour for neighbour in neighbours}
    return [
        Section(
            name=name,
            alerts=tuple(found),
            looks=tuple(_looks(found)),
            causes=_distinct(cause for alert in found for cause in alert.causes),
            remedy=_distinct(step for alert in found for step in alert.remedy),
            concerns=tuple(known[ref] for ref in dict.fromkeys(a.about for a in found if a.about) if ref in known),
            pages=_distinct(alert.runbook for alert in found if alert.runbook),
        )
        for name, found in by_name.items()
    ]


def _looks(alerts: list[Alert]) -> Iterator[Look]:
    """Queries once, however many alerts share them; where they differ, with the labels that tell whose they are."""
    same = {label for label in alerts[0].labels if len({alert.labels.get(label) for alert in alerts}) == 1}
    groups = [
        list(found) for _, found in groupby(sorted(alerts, key=lambda a: _order(a, alerts)), key=lambda a: a.look)
    ]
    for group in groups:
        shared = set(group[0].labels.items()).intersection(*(alert.labels.items() for alert in group))
        which = ", ".join(f"{label} {value}" for label, value in sorted(shared) if label not in same)
        if group[0].look:
            yield Look(which if len(groups) > 1 else "", group[0].look)


def _order(alert: Alert, alerts: list[Alert]) -> int:
    return next(index for index, other in enumerate(alerts) if other.look == alert.look)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


RUNBOOK = FileKind(
    name="techdocs/runbook",
    version=1,
    summary="alerts and what to do about each, roll-back, escalation, contacts",
    subject=Service,
    spec=RunbookSpec,
    generate=generate,
    path=lambda service, spec: "docs/runbook.md",
    render=render,
    beside=Beside.SUBJECT,
    owns=owns,
)
