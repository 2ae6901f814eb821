"""techdocs/site where the settings have it published: the whole site of a service, its pages and what joins them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.ref import EntityRef, ref_name, ref_parts
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs import dependency_graph, index, onboarding, runbook
from nthlayer_sync.plugins.techdocs.mkdocs import FRONT
from nthlayer_sync.plugins.techdocs.page import BLOCKS
from nthlayer_sync.plugins.techdocs.publish import source
from nthlayer_sync.plugins.techdocs.publish.source import Source
from nthlayer_sync.plugins.techdocs.site import KINDS, SITE
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK

_MARKERS = re.compile(rf"^{re.escape(BLOCKS.open)} {MARK}: (begin|end) [^\n]*\n", re.MULTILINE)


class PublishedSpec(Spec, frozen=True):
    """What each page of the site is made from; None for a page that the service does not have."""

    ref: EntityRef
    label: str
    description: str
    index: index.IndexSpec | None
    runbook: runbook.RunbookSpec | None
    dependency_graph: dependency_graph.DependencySpec | None
    onboarding: onboarding.OnboardingSpec | None


Pages = Mapping[str, Callable[[Service], Iterator[Any]]]
"""What generates the spec of each page, by the name of its kind."""
PAGES: Pages = {
    "techdocs/index": index.generate,
    "techdocs/runbook": runbook.generate,
    "techdocs/dependency_graph": dependency_graph.generate,
    "techdocs/onboarding": onboarding.generate,
}


def generate(service: Service, *, pages: Pages = PAGES) -> Iterator[PublishedSpec]:
    """One for every service that has no documentation of its own: its site is then for its own people to publish."""
    if service.facts is not None and (service.facts.mkdocs or service.facts.docs):
        return

    def spec_of(kind: str) -> Any:
        return next(pages[kind](service), None) if kind in pages else None

    spec = PublishedSpec(
        ref=service.ref,
        label=service.label,
        description=service.description,
        index=spec_of("techdocs/index"),
        runbook=spec_of("techdocs/runbook"),
        dependency_graph=spec_of("techdocs/dependency_graph"),
        onboarding=spec_of("techdocs/onboarding"),
    )
    if any((spec.index, spec.runbook, spec.dependency_graph, spec.onboarding)):
        yield spec


def render(spec: PublishedSpec) -> str:
    """The sources of the site. Nobody writes between the blocks of a page here, so their marker lines are left out."""
    made = {
        "techdocs/index": index.render(spec.index) if spec.index else "",
        "techdocs/runbook": runbook.render(spec.runbook, kept=False) if spec.runbook else "",
        "techdocs/dependency_graph": dependency_graph.render(spec.dependency_graph) if spec.dependency_graph else "",
        "techdocs/onboarding": onboarding.render(spec.onboarding) if spec.onboarding else "",
    }
    pages = {page: _plain(made[kind]) for page, kind in KINDS.items() if made[kind]}
    title = f"# {quote.markdown(ref_name(spec.ref))}\n\n"
    pages[FRONT] = title + pages.get(FRONT, f"What there is to know about running {quote.markdown(spec.label)}.\n")
    return source.write(Source(_line(spec.label), _line(spec.description), pages))


def _plain(content: str) -> str:
    """Blocks without their marker lines: an empty line stands between two."""
    return _MARKERS.sub(lambda marker: "\n" if marker[1] == "end" else "", content).rstrip("\n") + "\n"


def path_of(ref: EntityRef) -> str:
    """The folder in which TechDocs looks for the site of an entity; PermanentError where there can be none."""
    kind, namespace, name = ref_parts(ref)
    try:
        return source.triplet(f"{namespace}/{kind}/{name}")
    except PermanentError as error:
        raise PermanentError(f"{ref}: {error}") from None


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


PUBLISHED = FileKind(
    name=SITE.name,
    version=SITE.version,
    summary="the built site, where Backstage reads it; none for a service that has documentation of its own",
    subject=Service,
    spec=PublishedSpec,
    generate=generate,
    path=lambda service, spec: path_of(service.ref),
    render=render,
)
