"""The first view: what needs somebody, how services stand, what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from nthlayer_sync.daemon.telemetry.unsettled import Unsettled, unsettled
from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.web.api.asked import AboutEntity
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.api.findings import ConflictShown, FindingsAsked, list_conflicts, list_findings
from nthlayer_sync.web.api.runs import list_runs
from nthlayer_sync.web.api.shown import Finding
from nthlayer_sync.web.api.sources import list_sources
from nthlayer_sync.web.api.status import get_status
from nthlayer_sync.web.api.unsettled import Asked, list_drift, list_held, list_waiting
from nthlayer_sync.web.page.lately import Lately
from nthlayer_sync.web.page.may import approvable
from nthlayer_sync.web.page.states import Way, by_tier, states_of
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import Context, Page, Paging, Query, Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon

FEW = 5
"""Of each sort that needs somebody so many are shown; the rest is a link away."""
RUNS = 8
"""Runs that are shown."""
LATE = 3
"""A source is late when it was not read for so many times its interval."""


@dataclass(frozen=True)
class Counted:
    """What is found by looking at everything."""

    unsettled: Unsettled
    tiers: dict[str, dict[Way, int]]
    conflicts: Page[ConflictShown]
    errors: Page[Finding]


class Overview:
    """The view, with what it counted lately."""

    def __init__(self, daemon: Daemon) -> None:
        self._counted = Lately[Counted]()
        self._late = LATE * daemon.settings.serve.every.seconds
        self.routes = (Route("GET", "/", "Overview", None, self.show_overview, "page", query=Query,
                             media_type="text/html"),)  # fmt: skip

    async def show_overview(self, context: Context) -> web.Response:
        """What needs somebody first."""
        status, sources = await get_status(context), (await list_sources(context)).items
        runs = (await list_runs(asking(context, Paging(limit=RUNS)))).items
        # After these, as it may keep the processor busy from here on.
        counted = await self._counted.get(lambda: _counted(context))
        counts = counted.unsettled if counted else Unsettled()
        few = asking(context, Asked(limit=FEW))
        waiting: tuple[ChangeShown, ...] = (await list_waiting(few)).items if counts.waiting.total() else ()
        return show(
            context,
            "overview",
            "Overview",
            organisation=context.daemon.settings.organisation,
            status=status,
            counts=counts,
            waiting=waiting,
            approvable=approvable(context, waiting),
            held=(await list_held(few)).items if counts.held else (),
            drift=(await list_drift(few)).items if counts.drifted + counts.contested else (),
            counting=counted is None,
            conflicts=counted.conflicts if counted else Page[ConflictShown](items=()),
            errors=counted.errors if counted else Page[Finding](items=()),
            sources=sources,
            troubled=[each for each in sources if not each.complete or each.stale > self._late],
            tiers=counted.tiers if counted else {},
            ways=list(Way),
            runs=runs,
            may_operate=context.person.may("operator"),
            may_override=context.person.may("admin"),
        )

    async def close(self, app: web.Application) -> None:
        """Count nothing any more."""
        await self._counted.close()


async def _counted(context: Context) -> Counted:
    daemon = context.daemon
    errors = FindingsAsked(limit=FEW, severity=Severity.ERROR)
    return Counted(
        unsettled=await unsettled(daemon.store),
        tiers={tier: dict(count) for tier, count in by_tier(daemon, await states_of(daemon)).items()},
        conflicts=await list_conflicts(asking(context, AboutEntity(limit=FEW))),
        errors=await list_findings(asking(context, errors)),
    )
