"""Findings: where sources contradict each other, and what else is wrong or worth knowing."""

from __future__ import annotations

from aiohttp import web

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.web.api.asked import AboutEntity
from nthlayer_sync.web.api.findings import FindingsAsked, list_conflicts, list_findings
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import Context, Route


async def show_conflicts(context: Context) -> web.Response:
    """Conflicts, and all findings."""
    asked = context.asked(FindingsAsked)
    findings = await list_findings(asking(context, asked))
    conflicts = await list_conflicts(asking(context, AboutEntity(entity=asked.entity)))
    return show(
        context,
        "conflicts",
        "Findings",
        asked=asked,
        conflicts=conflicts,
        findings=findings.items,
        next=findings.next,
        later=bool(asked.cursor),
        severities=list(Severity),
    )


ROUTES = (
    Route("GET", "/conflicts", "Findings", None, show_conflicts, "page", query=FindingsAsked, media_type="text/html"),
)
