"""techdocs/index: the front page, or a part of the one that people wrote, that leads to the other pages."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs.page import BLOCKS, blocks, channel_of, owns
from nthlayer_sync.sdk.kind import Beside, FileKind


class IndexSpec(Spec, frozen=True):
    """The service in a few words, and which pages there are."""

    label: str
    description: str
    tier: str
    owner: str
    channel: str
    runbook: bool
    onboarding: bool


def generate(service: Service) -> Iterator[IndexSpec]:
    """One for every service."""
    documentation = service.blueprint.documentation
    yield IndexSpec(
        label=service.label,
        description=service.description,
        tier=service.blueprint.tier,
        owner=service.owner.label if service.owner else "",
        channel=channel_of(service),
        runbook=documentation.runbook,
        onboarding=documentation.onboarding,
    )


def render(spec: IndexSpec) -> str:
    """One block under a heading of the second level, so that it fits below a title that people wrote."""
    return BLOCKS.join(blocks("index.md.j2", ("summary",), spec=spec))


INDEX = FileKind(
    name="techdocs/index",
    version=1,
    summary="the front page, or a part of it, that leads to the other pages",
    subject=Service,
    spec=IndexSpec,
    generate=generate,
    path=lambda service, spec: "docs/index.md",
    render=render,
    beside=Beside.SUBJECT,
    owns=owns,
)
