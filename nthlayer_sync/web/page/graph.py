"""The graph: a picture of it, and the same as a table."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from nthlayer_sync.graph.draw import RELATIONS
from nthlayer_sync.graph.relations import CONSUMES_API, DEPENDS_ON, PROVIDES_API
from nthlayer_sync.web.api.asked import LONGEST_REF
from nthlayer_sync.web.api.graph import GraphAsked, GraphShown, get_graph
from nthlayer_sync.web.page.drawing import draw
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Query, Route

DEPENDENCIES = (DEPENDS_ON, CONSUMES_API, PROVIDES_API)
"""Relations along which failures travel."""
DRAWN = 150
"""Entities in the picture: more is nothing that anybody can read."""
ROWS = 500
"""Rows of the table."""


class PictureAsked(Query):
    """Which part of the graph."""

    around: str = Field(default="", max_length=LONGEST_REF)
    depth: int = Field(default=2, ge=1, le=6)
    all: bool = False
    """Owners, systems and domains too."""


async def show_graph(context: Context) -> web.Response:
    """The graph, or what is near an entity."""
    asked = context.asked(PictureAsked)
    relations = RELATIONS if asked.all else DEPENDENCIES
    found, trouble = GraphShown(nodes=(), edges=()), ""
    try:
        found = await get_graph(asking(context, _question(asked, relations)))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        trouble = refusal.detail
    names = {node.ref: node.name for node in found.nodes}
    return show(
        context,
        "graph",
        f"Around {names.get(asked.around, asked.around)}" if asked.around else "Graph",
        asked=asked,
        graph=found,
        names=names,
        most=ROWS,
        drawing=draw(found, asked.around, DRAWN),
        trouble=trouble,
    )


def _question(asked: PictureAsked, relations: tuple[str, ...]) -> GraphAsked:
    depth = asked.depth if asked.around else 1
    return GraphAsked(around=asked.around, depth=depth, relation=relations)


ROUTES = (Route("GET", "/graph", "Graph", None, show_graph, "page", query=PictureAsked, media_type="text/html"),)
