"""Sources: what is read, how completely, and how long ago."""

from __future__ import annotations

from aiohttp import web

from nthlayer_sync.web.api.sources import list_sources
from nthlayer_sync.web.page.view import show
from nthlayer_sync.web.route import Context, Query, Route


async def show_sources(context: Context) -> web.Response:
    """Every source, in order of precedence."""
    found = await list_sources(context)
    return show(context, "sources", "Sources", sources=found.items, may_operate=context.person.may("operator"))


ROUTES = (Route("GET", "/sources", "Sources", None, show_sources, "page", query=Query, media_type="text/html"),)
