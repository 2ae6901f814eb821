"""The list of entities."""

from __future__ import annotations

from aiohttp import web

from nthlayer_sync.graph.subjects import Subjects
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.web.api.entities import EntitiesAsked, list_entities
from nthlayer_sync.web.api.entity import Standing
from nthlayer_sync.web.page.states import states_of
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import Context, Route

ROWS = 100
"""Entities on a page where nobody asks for more or fewer."""


async def show_entities(context: Context) -> web.Response:
    """Entities, a page at a time."""
    asked, engine = context.asked(EntitiesAsked), context.daemon.engine
    found = await list_entities(asking(context, asked))
    refs = [EntityRef(row.ref) for row in found.items]
    return show(
        context,
        "entities",
        "Entities",
        asked=asked,
        rows=found.items,
        states=await states_of(context.daemon, refs),
        next=_with(context, found.next) if found.next else "",
        first=_with(context, None) if asked.cursor else "",
        kinds=sorted({ref_parts(ref).kind for ref in engine.graph.entities}),
        tiers=tiers(engine.subjects),
        standings=list(Standing),
    )


def tiers(subjects: Subjects) -> list[str]:
    """Names of tiers, the strictest first."""
    return list(dict.fromkeys(subjects.tiers.names.values()))


def _with(context: Context, cursor: str | None) -> str:
    """The same list from a cursor on, or from its beginning."""
    url = context.request.rel_url.without_query_params("cursor")
    return str(url.update_query(cursor=cursor) if cursor else url)


ROUTES = (
    Route("GET", "/entities", "Entities", None, show_entities, "page", query=EntitiesAsked, media_type="text/html"),
)
