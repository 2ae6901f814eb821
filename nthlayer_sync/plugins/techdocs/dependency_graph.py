"""techdocs/dependency_graph: what the service needs, what needs it, and what that allows it to promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_DOWN, Decimal

import msgspec

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.ref import EntityRef, ref_name
from nthlayer_sync.model.service import Neighbour, Service
from nthlayer_sync.plugins.techdocs.diagram import Node, flowchart
from nthlayer_sync.plugins.techdocs.page import BLOCKS, blocks, by_tier, owns
from nthlayer_sync.sdk.kind import Beside, FileKind

DRAWN = 40
"""How many neighbours a diagram shows at most: with more of them nobody can read it. Tables show all."""
STORES = frozenset({"database", "cache", "queue", "stream", "bucket", "storage", "topic", "search"})
"""What resources that keep data are called in `spec.type`."""


class DependencySpec(Spec, frozen=True):
    """The neighbourhood of a service in the graph; `availability` is what it promises in percent, "" for nothing."""

    label: str
    tier: str
    availability: str
    classification: str
    depends_on: tuple[Neighbour, ...]
    dependents: tuple[Neighbour, ...]
    further: tuple[EntityRef, ...]


def generate(service: Service) -> Iterator[DependencySpec]:
    """One for every service."""
    promised = service.blueprint.observability.slo.availability
    yield DependencySpec(
        label=service.label,
        tier=service.blueprint.tier,
        availability=f"{promised.value:f}" if promised and service.runs else "",
        classification=service.blueprint.compliance.classification,
        depends_on=service.depends_on,
        dependents=service.dependents,
        further=service.further,
    )


def render(spec: DependencySpec) -> str:
    """Each diagram has a table beside it, because Mermaid is only drawn where TechDocs has the add-on for it."""
    needs, dependents = by_tier(spec.depends_on), by_tier(spec.dependents)
    stores = [neighbour for neighbour in needs if _is_store(neighbour)]
    return BLOCKS.join(
        blocks(
            "dependencies.md.j2",
            ("summary", "map", "stores", "external", "ceiling", "reach"),
            label=spec.label,
            availability=spec.availability,
            classification=spec.classification,
            needs=needs,
            dependents=dependents,
            stores=stores,
            external=[neighbour for neighbour in needs if neighbour.external],
            further=sorted(ref_name(ref) for ref in spec.further),
            drawn=DRAWN,
            topology=_topology(spec, needs[:DRAWN], dependents[:DRAWN]),
            storage=_topology(spec, stores[:DRAWN], ()),
            ceiling=ceiling_of(spec.availability, needs),
        )
    )


def _is_store(neighbour: Neighbour) -> bool:
    return neighbour.kind == "resource" and bool(neighbour.technology or neighbour.type.lower() in STORES)


def _topology(spec: DependencySpec, needs: Sequence[Neighbour], dependents: Sequence[Neighbour]) -> str:
    nodes = [Node((spec.label, f"tier {spec.tier}"), "self"), *map(_node, dependents), *map(_node, needs)]
    first = len(dependents) + 1
    edges = [(index, 0) for index in range(1, first)] + [(0, index) for index in range(first, len(nodes))]
    return flowchart(nodes, edges)


def _node(neighbour: Neighbour) -> Node:
    shape = "round" if neighbour.external else "store" if _is_store(neighbour) else "box"
    tier = f"tier {neighbour.tier}" if neighbour.tier else ""
    return Node((neighbour.name, neighbour.technology, tier), shape)


class Ceiling(msgspec.Struct, frozen=True):
    """What the promises of dependencies allow at most, in percent: a request that needs all of them fails with any."""

    terms: tuple[str, ...]
    product: str
    reachable: bool
    weakest: Neighbour | None
    silent: tuple[str, ...]
    """Dependencies of which no promise is known."""


def ceiling_of(promised: str, needs: Sequence[Neighbour]) -> Ceiling:
    """The arithmetic for the promise `promised` ("" for none)."""
    known = [neighbour for neighbour in needs if neighbour.availability]
    product = Decimal(100)
    for neighbour in known:
        product = product * Decimal(neighbour.availability) / 100
    return Ceiling(
        terms=tuple(neighbour.availability for neighbour in known),
        product=f"{product.quantize(Decimal('0.0001'), ROUND_DOWN).normalize():f}",
        reachable=not promised or Decimal(promised) <= product,
        weakest=min(known, key=lambda neighbour: Decimal(neighbour.availability), default=None),
        silent=tuple(neighbour.name for neighbour in needs if not neighbour.availability),
    )


DEPENDENCY_GRAPH = FileKind(
    name="techdocs/dependency_graph",
    version=1,
    summary="what it needs and what needs it, databases, external APIs, and the ceiling on its promise",
    subject=Service,
    spec=DependencySpec,
    generate=generate,
    path=lambda service, spec: "docs/dependencies.md",
    render=render,
    beside=Beside.SUBJECT,
    owns=owns,
)
