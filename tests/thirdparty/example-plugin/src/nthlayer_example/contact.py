"""example/contact: who answers for a service."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.yaml.emit import dump


class ContactSpec(Spec, frozen=True):
    """All that the content depends on, and nothing else: what is not in here causes no update."""

    service: str
    owner: str
    channel: str
    tier: str


def generate(service: Service) -> Iterator[ContactSpec]:
    """One for every service with an owner. Pure and fast: it runs for each service, and renders nothing."""
    if service.owner is None:
        return
    yield ContactSpec(
        service=service.ref,
        owner=line(service.owner.label),
        channel=line(service.owner.channel),
        tier=service.blueprint.tier,
    )


def render(spec: ContactSpec) -> str:
    """YAML from data, never from a template: what people wrote in the catalog cannot break out of it."""
    contact = {"owner": spec.owner, "channel": spec.channel} if spec.channel else {"owner": spec.owner}
    return dump(
        {"service": spec.service, "tier": spec.tier, "contact": contact},
        header=f"Managed by {MARK}: change the blueprint, not this file.",
    )


CONTACT = FileKind(
    name="example/contact",
    version=1,
    summary="who answers for a service",
    subject=Service,
    spec=ContactSpec,
    generate=generate,
    path=lambda service, spec: "contact.yaml",
    render=render,
)
