"""The graph: the whole of it or what is near an entity, its loops, its inversions, and which objectives it allows."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.graph.ceiling import Ceiling, ceilings
from nthlayer_sync.graph.draw import RELATIONS, picture
from nthlayer_sync.graph.query import Cycle, Inversion, cycles, inversions_of
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web.api.asked import LONGEST_REF, AboutEntity, known, ref_asked
from nthlayer_sync.web.api.pages import page
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.api.whole import Whole
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Page, Query, Route

MOST_NODES = 2000
"""Entities of one picture: more is nothing that anybody can look at."""


class NodeShown(Shown):
    """An entity in the graph."""

    ref: str
    name: str
    kind: str
    tier: str
    owner: str | None
    known: bool
    """False where no source describes it."""


class EdgeShown(Shown):
    """`source` stands in `relation` to `target`."""

    source: str
    relation: str
    target: str
    origins: tuple[str, ...]
    """Who says so."""
    confidence: float
    """How far the most trusted of them is trusted, 0 to 1."""


class GraphShown(Shown):
    """A part of the graph, in order."""

    nodes: tuple[NodeShown, ...]
    edges: tuple[EdgeShown, ...]


class GraphAsked(Query):
    """Which part of the graph."""

    around: str = Field(default="", max_length=LONGEST_REF, description="What is near this entity; all without.")
    depth: int = Field(default=1, ge=1, le=20, description="How many steps away from it.")
    relation: tuple[str, ...] = Field(
        default=(), max_length=20, description=f"Only these relations; {', '.join(RELATIONS)} without."
    )


class CycleShown(Shown):
    """Entities that need each other in a loop."""

    members: tuple[str, ...]
    path: tuple[str, ...]
    """One loop through the first of them, closed."""

    @classmethod
    def of(cls, cycle: Cycle) -> CycleShown:
        """A loop as it is answered."""
        return cls(members=cycle.members, path=cycle.path)


class InversionShown(Shown):
    """A service that leans on something of a less strict tier."""

    entity: str
    tier: str
    leans_on: str
    """The tier of the last entity of the path."""
    path: tuple[str, ...]

    @classmethod
    def of(cls, inversion: Inversion) -> InversionShown:
        """An inversion as it is answered."""
        return cls(entity=inversion.path[0], tier=inversion.tier, leans_on=inversion.leans_on, path=inversion.path)


class FactorShown(Shown):
    """A dependency, and its availability objective in percent."""

    ref: str
    availability: str


class CeilingShown(Shown):
    """The availability objective of a service against what its dependencies allow, in percent."""

    entity: str
    objective: str
    limit: str
    """The best that can be reached."""
    reachable: bool
    arithmetic: str
    """The verdict in one line."""
    factors: tuple[FactorShown, ...]
    weakest: FactorShown | None
    """The least available of all that lies below, at any distance."""
    uncounted: tuple[str, ...]
    """Dependencies of which nobody knows an objective."""

    @classmethod
    def of(cls, ceiling: Ceiling) -> CeilingShown:
        """A ceiling as it is answered."""
        factors = [FactorShown(ref=factor.ref, availability=f"{factor.availability:f}") for factor in ceiling.factors]
        weakest = ceiling.weakest
        return cls(
            entity=ceiling.entity,
            objective=f"{ceiling.objective:f}",
            limit=f"{ceiling.limit:f}",
            reachable=ceiling.reachable,
            arithmetic=ceiling.arithmetic,
            factors=tuple(factors),
            weakest=FactorShown(ref=weakest.ref, availability=f"{weakest.availability:f}") if weakest else None,
            uncounted=ceiling.uncounted,
        )


async def get_graph(context: Context) -> GraphShown:
    """The graph, or what of it is near an entity, in either direction. 422 where it is too much for one answer."""
    asked, subjects = context.asked(GraphAsked), context.daemon.engine.subjects
    around = known(context, asked.around) if asked.around else None
    if around is None and len(subjects.graph.refs()) > MOST_NODES:
        raise _too_much(len(subjects.graph.refs()))
    drawn = picture(subjects, around, asked.depth, asked.relation or RELATIONS)
    if len(drawn.nodes) > MOST_NODES:
        raise _too_much(len(drawn.nodes))
    return GraphShown(
        nodes=tuple(
            NodeShown(
                ref=node.ref,
                name=node.name,
                kind=node.kind,
                tier=node.tier,
                owner=subjects.neighbour(node.ref).owner,
                known=node.known,
            )
            for node in drawn.nodes
        ),
        edges=tuple(
            EdgeShown(
                source=arrow.source,
                relation=arrow.relation,
                target=arrow.target,
                origins=arrow.origins,
                confidence=arrow.confidence,
            )
            for arrow in drawn.arrows
        ),
    )


async def list_cycles(context: Context) -> Page[CycleShown]:
    """Every loop of dependencies."""
    asked, about = _asked(context)
    found = await _CYCLES.of(context.daemon.engine)
    rows = [row for row in found if about is None or about in row[1].members]
    return page("cycles", asked, rows, CycleShown.of)


async def list_inversions(context: Context) -> Page[InversionShown]:
    """Every service that leans on something of a less strict tier."""
    asked, about = _asked(context)
    found = await _INVERSIONS.of(context.daemon.engine)
    rows = [row for row in found if about is None or about in row[1].path]
    return page("inversions", asked, rows, InversionShown.of)


async def list_ceilings(context: Context) -> Page[CeilingShown]:
    """What dependencies leave of the availability objective of each service that has one, with the arithmetic."""
    asked, about = _asked(context)
    found = await _CEILINGS.of(context.daemon.engine)
    rows = [row for row in found if about is None or about == row[0]]
    return page("ceilings", asked, rows, CeilingShown.of)


def _asked(context: Context) -> tuple[AboutEntity, EntityRef | None]:
    asked = context.asked(AboutEntity)
    return asked, ref_asked("entity", asked.entity)


def _inversions(engine: Engine) -> Iterator[Inversion | None]:
    for ref in sorted(engine.graph.entities):
        if ref.startswith("component:"):
            yield from inversions_of(engine.subjects, ref)
        yield None


_CYCLES = Whole[Cycle](
    lambda engine: iter(cycles(engine.graph)), lambda cycle: f"{cycle.members[0]} {len(cycle.members)}"
)
_INVERSIONS = Whole[Inversion](_inversions, lambda inversion: f"{inversion.path[0]} {inversion.path[-1]}")
_CEILINGS = Whole[Ceiling](
    lambda engine: ceilings(engine.subjects, sorted(engine.graph.entities)), lambda ceiling: ceiling.entity
)


def _too_much(nodes: int) -> Refusal:
    return Refusal(422, f"{nodes} entities are too many for one answer ({MOST_NODES}); ask for what is around one")


ROUTES = (
    Route("GET", "/api/v1/graph", "The graph, or what is near an entity", GraphShown, get_graph, "graph",
          query=GraphAsked),
    Route("GET", "/api/v1/graph/cycles", "Loops of dependencies", Page[CycleShown], list_cycles, "graph",
          query=AboutEntity),
    Route("GET", "/api/v1/graph/inversions", "Tiers that lean on lower ones", Page[InversionShown], list_inversions,
          "graph", query=AboutEntity),
    Route("GET", "/api/v1/graph/ceilings", "What dependencies leave of objectives", Page[CeilingShown],
          list_ceilings, "graph", query=AboutEntity),
)  # fmt: skip
