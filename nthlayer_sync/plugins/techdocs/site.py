"""techdocs/site: mkdocs.yml, which joins the pages; each page in it is a config of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nthlayer_sync.model.config import ConfigId, Spec
from nthlayer_sync.model.ref import ref_name
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs.mkdocs import FRONT, SiteEntry, entry_text
from nthlayer_sync.sdk.kind import Beside, FileKind

KINDS = {
    FRONT: "techdocs/index",
    "runbook.md": "techdocs/runbook",
    "dependencies.md": "techdocs/dependency_graph",
    "onboarding.md": "techdocs/onboarding",
}
"""The kind that makes each page."""


class SiteSpec(Spec, frozen=True):
    """One page of the site: a key of `TITLES`."""

    page: str


def generate(service: Service, *, made: Collection[str] = frozenset(KINDS.values())) -> Iterator[SiteSpec]:
    """One for each page that the service has, as far as its kind is one of those that are `made` at all."""
    documentation = service.blueprint.documentation
    wanted = {"runbook.md": documentation.runbook, "onboarding.md": documentation.onboarding}
    for page, kind in KINDS.items():
        if kind in made and wanted.get(page, True):
            yield SiteSpec(page=page)


def entry_of(id: ConfigId) -> SiteEntry:
    """What of mkdocs.yml a config owns."""
    return SiteEntry(site=ref_name(id.subject), page=f"{id.name}.md")


SITE = FileKind(
    name="techdocs/site",
    version=1,
    summary="mkdocs.yml, which joins the pages; one that people wrote gets only what is missing",
    subject=Service,
    spec=SiteSpec,
    generate=generate,
    name_of=lambda spec: spec.page.removesuffix(".md"),
    path=lambda service, spec: "mkdocs.yml",
    render=lambda spec: entry_text(spec.page),
    beside=Beside.SUBJECT,
    owns=entry_of,
    requires=tuple(KINDS.values()),
)
