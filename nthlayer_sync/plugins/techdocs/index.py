"""techdocs/index: the front page, or a part of the one that people wrote, that leads to the other pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nthlayer_sync.model.config import ConfigId, Spec
from nthlayer_sync.model.ref import ref_name
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs.page import BLOCKS, SECTIONS, blocks, channel_of
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.sdk.ownership import Blocks


@dataclass(frozen=True)
class FrontPage(Blocks):
    """Blocks as on any page; a page that we begin also gets a title, in a block of another scope, which stays."""

    title: str = ""

    def write(self, text: str | None, content: str) -> str:
        """A page that is there has the title that people gave it, or none."""
        written = super().write(text, content)
        return written if text else self._heading.join({"page": f"# {quote.markdown(self.title)}\n"}) + written

    def remove(self, text: str) -> str | None:
        """The page without our blocks and our title."""
        rest = super().remove(text)
        return None if rest is None else self._heading.remove(rest)

    @property
    def _heading(self) -> Blocks:
        return Blocks(self.open, self.close, scope="title")


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


def _owns(config: ConfigId) -> FrontPage:
    return FrontPage(BLOCKS.open, BLOCKS.close, order=SECTIONS, title=ref_name(config.subject))


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
    owns=_owns,
)
