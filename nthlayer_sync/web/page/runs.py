"""Runs: what was done, why, and what became of it."""

from __future__ import annotations

from aiohttp import web

from nthlayer_sync.web.api.runs import get_run, list_run_writes, list_runs
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import Context, Paging, Route


async def show_runs(context: Context) -> web.Response:
    """Runs, the newest first."""
    asked = context.asked(Paging)
    found = await list_runs(asking(context, asked))
    return show(context, "runs", "Runs", runs=found.items, next=found.next, later=bool(asked.cursor))


async def show_run(context: Context) -> web.Response:
    """One run, with what it wrote."""
    run, asked = await get_run(context), context.asked(Paging)
    writes = await list_run_writes(asking(context, asked))
    return show(
        context,
        "run",
        f"Run {run.id}",
        run=run,
        writes=writes.items,
        next=writes.next,
        later=bool(asked.cursor),
        may_undo=bool(writes.items) and context.person.may("operator"),
    )


ROUTES = (
    Route("GET", "/runs", "Runs", None, show_runs, "page", query=Paging, media_type="text/html"),
    Route("GET", "/runs/{id}", "One run", None, show_run, "page", query=Paging, media_type="text/html"),
)
