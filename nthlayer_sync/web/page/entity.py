"""One entity: who owns it, what it promises, every artefact, what waits, and whom it needs."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from nthlayer_sync.graph.relations import DEPENDS_ON
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web import html
from nthlayer_sync.web.api.artefacts import ArtefactsShown, list_artefacts
from nthlayer_sync.web.api.entities import Neighbourhood, get_entity, get_neighbourhood
from nthlayer_sync.web.api.entity import EntityShown
from nthlayer_sync.web.api.graph import EdgeShown, GraphShown, NodeShown
from nthlayer_sync.web.api.may import may_ask
from nthlayer_sync.web.page.drawing import Drawing, draw
from nthlayer_sync.web.page.duty import Duties
from nthlayer_sync.web.page.may import approvable
from nthlayer_sync.web.page.states import states_of
from nthlayer_sync.web.page.view import show
from nthlayer_sync.web.route import Context, Query, Route

DRAWN = 24
"""Entities in the small picture."""
REACHED = 50
"""Entities of one ring that are named."""
RUNBOOKS = ("techdocs/runbook", "techdocs/site")
"""The kinds whose text people look for when something breaks; a published site has the runbook in it."""
PATH = "/entities/{ref:[^/]+}"


class EntityPage:
    """The view, with what it keeps of who is on call."""

    def __init__(self) -> None:
        self._duties = Duties()
        self.routes = (
            Route("GET", PATH, "One entity", None, self.show_entity, "page", query=Query, media_type="text/html"),
        )

    async def show_entity(self, context: Context) -> web.Response:
        """One entity."""
        entity = await get_entity(context)
        ref = EntityRef(entity.ref)
        artefacts = await list_artefacts(context)
        team = entity.ref if entity.kind == "group" else entity.owner.ref if entity.owner else ""
        near = await get_neighbourhood(context)
        described = context.daemon.engine.graph.entities.get(ref)
        return show(
            context,
            "entity",
            entity.title or entity.name,
            entity=entity,
            way=(await states_of(context.daemon, [ref])).get(ref),
            links=[link for link in described.links if html.web_link(link.url)] if described else [],
            artefacts=artefacts,
            runbook=next((kind for kind in RUNBOOKS if _has(artefacts, kind)), ""),
            duty=await self._duties.of(context, team) if team else None,
            team=team,
            near=near,
            most=REACHED,
            drawing=_picture(entity, near),
            approvable=approvable(context, entity.waiting),
            may_ask=may_ask(context, ref),
        )


def _has(artefacts: ArtefactsShown, kind: str) -> bool:
    return kind in _kinds(artefacts)


def _kinds(artefacts: ArtefactsShown) -> Iterator[str]:
    for category in artefacts.categories:
        for kind in category.kinds:
            yield kind.kind


def _picture(entity: EntityShown, near: Neighbourhood) -> Drawing | None:
    """What is right beside it; None where that is nothing."""
    nodes = {
        entity.ref: NodeShown(
            ref=entity.ref, name=entity.name, kind=entity.kind, tier=entity.tier, owner=None, known=True
        )
    }
    for each in (*near.dependencies, *near.dependents):
        nodes[each.ref] = NodeShown(
            ref=each.ref, name=each.name, kind=each.kind, tier=each.tier, owner=each.owner, known=each.known
        )
    pairs = [
        *((entity.ref, each.ref) for each in near.dependencies),
        *((each.ref, entity.ref) for each in near.dependents),
    ]
    edges = tuple(
        EdgeShown(source=source, relation=DEPENDS_ON, target=target, origins=(), confidence=1)
        for source, target in pairs
    )
    return draw(GraphShown(nodes=tuple(nodes.values()), edges=edges), entity.ref, DRAWN) if edges else None
