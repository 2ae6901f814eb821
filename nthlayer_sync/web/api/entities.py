"""Entities: what the sources show, what was made of their blueprints, and whom they need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pydantic import Field

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.graph.query import blast
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.model.service import Neighbour
from nthlayer_sync.web import cursor
from nthlayer_sync.web.api.asked import LONGEST_REF, entity_in_path, ref_asked
from nthlayer_sync.web.api.entity import EntityShown, Standing, shown, standing_of
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.api.whole import SLICE
from nthlayer_sync.web.route import Context, Page, Paging, Route


class EntityRow(Shown):
    """An entity in a list."""

    ref: str
    kind: str
    name: str
    title: str
    type: str
    owner: str | None
    system: str | None
    tier: str
    """Empty where it has none."""
    standing: Standing
    """Whether configs are made for it."""


class EntitiesAsked(Paging):
    """Which entities; what is left out does not matter."""

    kind: str = Field(default="", max_length=63, description="Only of this kind, such as `component`.")
    owner: str = Field(default="", max_length=LONGEST_REF, description="Only what this group or user owns.")
    system: str = Field(default="", max_length=LONGEST_REF, description="Only parts of this system.")
    tier: str = Field(default="", max_length=63, description="Only of this tier.")
    standing: Standing | None = Field(default=None, description="Only what is managed, held or unmanaged.")
    text: str = Field(default="", max_length=100, description="Only what has this in its reference or title.")


class NeighbourShown(Shown):
    """An entity at the other end of a dependency."""

    ref: str
    name: str
    kind: str
    tier: str
    owner: str | None
    technology: str
    availability: str
    """Its availability objective in percent, empty where it has none."""
    known: bool
    """False where no source describes it."""

    @classmethod
    def of(cls, neighbour: Neighbour) -> NeighbourShown:
        """A neighbour as it is answered."""
        return cls.model_validate({name: getattr(neighbour, name) for name in cls.model_fields})


class Neighbourhood(Shown):
    """Whom an entity needs, who needs it, and whom its failure reaches."""

    dependencies: tuple[NeighbourShown, ...]
    dependents: tuple[NeighbourShown, ...]
    rings: tuple[tuple[str, ...], ...]
    """What a failure reaches: the first ring needs it directly, each next one needs the one before."""
    reached: dict[str, int]
    """How many it reaches, by tier; the empty name counts those without one."""


async def list_entities(context: Context) -> Page[EntityRow]:
    """Every entity that a source shows, in order of reference."""
    asked, engine = context.asked(EntitiesAsked), context.daemon.engine
    last = cursor.read("entities", asked.cursor, str) or ""
    fits = _filter(engine, asked)
    begins = f"{asked.kind.lower()}:" if asked.kind else ""
    refs = sorted(ref for ref in engine.graph.entities if ref > last and ref.startswith(begins))
    rows: list[EntityRow] = []
    until = time.monotonic() + SLICE
    for ref in refs:
        if ref in engine.graph.entities and fits(ref):
            if len(rows) == asked.limit:
                return Page(items=tuple(rows), next=cursor.after("entities", rows[-1].ref))
            rows.append(_row(engine, ref))
        if time.monotonic() >= until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE
    return Page(items=tuple(rows))


async def get_entity(context: Context) -> EntityShown:
    """One entity, with its blueprint and where each value of it comes from, its findings, and how its configs stand."""
    return await shown(context.daemon, entity_in_path(context))


async def get_neighbourhood(context: Context) -> Neighbourhood:
    """Whom an entity needs, who needs it, and whom its failure reaches."""
    ref, subjects = entity_in_path(context), context.daemon.engine.subjects
    reached = blast(subjects, ref)
    return Neighbourhood(
        dependencies=tuple(NeighbourShown.of(subjects.neighbour(o)) for o in sorted(subjects.graph.dependencies(ref))),
        dependents=tuple(NeighbourShown.of(subjects.neighbour(o)) for o in sorted(subjects.graph.dependents(ref))),
        rings=reached.rings,
        reached=reached.tiers,
    )


def _filter(engine: Engine, asked: EntitiesAsked) -> Callable[[EntityRef], bool]:
    """Whether an entity is asked for; the cheap questions come first."""
    graph, subjects = engine.graph, engine.subjects
    owner, system = ref_asked("owner", asked.owner), ref_asked("system", asked.system)
    tier = subjects.tiers.names.get(asked.tier, asked.tier)
    text = asked.text.lower()

    def fits(ref: EntityRef) -> bool:
        return (
            (not text or text in ref or text in graph.entities[ref].title.lower())
            and (owner is None or graph.owner(ref) == owner)
            and (system is None or graph.system(ref) == system)
            and (not tier or subjects.tier(ref) == tier)
            and (asked.standing is None or standing_of(subjects.get(ref)) == asked.standing)
        )

    return fits


def _row(engine: Engine, ref: EntityRef) -> EntityRow:
    entity = engine.graph.entities[ref]
    return EntityRow(
        ref=ref,
        kind=ref_parts(ref).kind,
        name=entity.name,
        title=entity.title,
        type=entity.type,
        owner=engine.graph.owner(ref),
        system=engine.graph.system(ref),
        tier=engine.subjects.tier(ref),
        standing=standing_of(engine.subjects.get(ref)),
    )


ROUTES = (
    Route("GET", "/api/v1/entities", "Entities", Page[EntityRow], list_entities, "entities", query=EntitiesAsked),
    Route("GET", "/api/v1/entities/{ref}", "One entity", EntityShown, get_entity, "entities"),
    Route("GET", "/api/v1/entities/{ref}/neighbourhood", "Whom it needs, and who needs it", Neighbourhood,
          get_neighbourhood, "entities"),
)  # fmt: skip
