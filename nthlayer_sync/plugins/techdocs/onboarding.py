"""techdocs/onboarding: a checklist for somebody who is new to the service."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.service import Neighbour, Service
from nthlayer_sync.plugins.techdocs.page import BLOCKS, PageSpec, about, blocks, by_tier, owns, rules_of
from nthlayer_sync.sdk.kind import Beside, FileKind


class OnboardingSpec(PageSpec, frozen=True):
    """What a newcomer has to get to know."""

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
    yield OnboardingSpec(
        about=about(service),
        rules=rules_of(service),
        slug=service.own.slug if service.own else "",
        language=service.language,
        readme=bool(service.facts and service.facts.readme),
        runbook=documentation.runbook,
        depends_on=service.depends_on,
    )


def render(spec: OnboardingSpec) -> str:
    """A checklist that people copy into a ticket, and the rules that they will meet."""
    return BLOCKS.join(
        blocks(
            "onboarding.md.j2",
            ("summary", "people", "checklist", "rules"),
            about=spec.about,
            rules=spec.rules,
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
