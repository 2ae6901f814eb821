"""The first view: what needs somebody, how services stand, what happened last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from nthlayer_sync.daemon.telemetry.fresh import Fresh
from nthlayer_sync.daemon.telemetry.unsettled import Unsettled, unsettled
from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.web.api.asked import AboutEntity
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.api.findings import FindingsAsked, list_conflicts, list_findings
from nthlayer_sync.web.api.runs import list_runs
from nthlayer_sync.web.api.sources import list_sources
from nthlayer_sync.web.api.status import get_status
from nthlayer_sync.web.api.unsettled import Asked, list_drift, list_held, list_waiting
from nthlayer_sync.web.page.may import approvable
from nthlayer_sync.web.page.states import Way, by_tier, states_of
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import Context, Paging, Query, Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon

FEW = 5
"""Of each sort that needs somebody so many are shown; the rest is a link away."""
RUNS = 8
"""Runs that are shown."""
SECONDS = 3.0
"""For which counts over everything are kept."""
LATE = 3
"""A source is late when it was not read for so many times its interval."""


class Overview:
    """Counts over everything are kept for a moment, however many look."""

    def __init__(self, daemon: Daemon) -> None:
        self._counts = Fresh[Unsettled](lambda: unsettled(daemon.store), SECONDS)
        self._tiers = Fresh(lambda: _tiers(daemon), SECONDS)
        self._late = LATE * daemon.settings.serve.every.seconds
        self.routes = (Route("GET", "/", "Overview", None, self.show_overview, "page", query=Query,
                             media_type="text/html"),)  # fmt: skip

    async def show_overview(self, context: Context) -> web.Response:
        """What needs somebody first."""
        counts = await self._counts.get()
        few = asking(context, Asked(limit=FEW))
        waiting: tuple[ChangeShown, ...] = (await list_waiting(few)).items if counts.waiting.total() else ()
        sources = (await list_sources(context)).items
        errors = FindingsAsked(limit=FEW, severity=Severity.ERROR)
        return show(
            context,
            "overview",
            "Overview",
            organisation=context.daemon.settings.organisation,
            status=await get_status(context),
            counts=counts,
            waiting=waiting,
            approvable=approvable(context, waiting),
            held=(await list_held(few)).items if counts.held else (),
            drift=(await list_drift(few)).items if counts.drifted + counts.contested else (),
            conflicts=await list_conflicts(asking(context, AboutEntity(limit=FEW))),
            errors=await list_findings(asking(context, errors)),
            sources=sources,
            troubled=[each for each in sources if not each.complete or each.stale > self._late],
            tiers=await self._tiers.get(),
            ways=list(Way),
            runs=(await list_runs(asking(context, Paging(limit=RUNS)))).items,
            may_operate=context.person.may("operator"),
            may_override=context.person.may("admin"),
        )


async def _tiers(daemon: Daemon) -> dict[str, dict[Way, int]]:
    return {tier: dict(count) for tier, count in by_tier(daemon, await states_of(daemon)).items()}
