"""techdocs/onboarding: a checklist for somebody who is new to the service."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Neighbour, Service, per_blueprint
from nthlayer_sync.plugins.techdocs.page import BLOCKS, About, Rules, about, blocks, by_tier, owns, rules_of
from nthlayer_sync.sdk.kind import Beside, FileKind


class Duties(msgspec.Struct, frozen=True):
    """What the blueprint asks of those who work on the service; spans of time as `90d`."""

    reviewers: int
    rotation: str
    review: str
    availability: str
    """In percent, "" where none is promised."""
    classification: str


class OnboardingSpec(Spec, frozen=True):
    """What a newcomer has to get to know."""

    about: About
    rules: Rules
    duties: Duties
    slug: str
    """`organisation/repository` on the code host, "" when unknown."""
    language: str
    readme: bool
    runbook: bool
    depends_on: tuple[Neighbour, ...]


def generate(service: Service) -> Iterator[OnboardingSpec]:
    """One for every service whose blueprint asks for it."""
    documentation = service.blueprint.documentation
    if not documentation.onboarding:
        return
    duties = duties_of(service)
    yield OnboardingSpec(
        about=about(service),
        rules=rules_of(service),
        duties=duties if service.runs else msgspec.structs.replace(duties, availability=""),
        slug=service.own.slug if service.own else "",
        language=service.language,
        readme=bool(service.facts and service.facts.readme),
        runbook=documentation.runbook,
        depends_on=service.depends_on,
    )


@per_blueprint
def duties_of(blueprint: Blueprint) -> Duties:
    """What a service's blueprint asks of those who work on it."""
    promised = blueprint.observability.slo.availability
    return Duties(
        reviewers=blueprint.access.reviewers,
        rotation=str(blueprint.access.secrets.rotation),
        review=str(blueprint.documentation.review),
        availability=f"{promised.value:f}" if promised else "",
        classification=blueprint.compliance.classification,
    )


def render(spec: OnboardingSpec) -> str:
    """A checklist that people copy into a ticket, and the rules that they will meet."""
    return BLOCKS.join(
        blocks(
            "onboarding.md.j2",
            ("summary", "people", "checklist", "rules"),
            about=spec.about,
            rules=spec.rules,
            duties=spec.duties,
            slug=spec.slug,
            language=spec.language,
            readme=spec.readme,
            runbook=spec.runbook,
            needs=by_tier(spec.depends_on),
        )
    )


ONBOARDING = FileKind(
    name="techdocs/onboarding",
    version=1,
    summary="a checklist for newcomers: people, access, code, dashboards, rules",
    subject=Service,
    spec=OnboardingSpec,
    generate=generate,
    path=lambda service, spec: "docs/onboarding.md",
    render=render,
    beside=Beside.SUBJECT,
    owns=owns,
)
