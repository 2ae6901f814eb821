"""Who of a team is on call now, kept for a minute: a tool for on-call may have to be asked."""

from __future__ import annotations

import asyncio
import time

from nthlayer_sync.errors import Failure
from nthlayer_sync.web.api.oncall import OnCallShown, Weeks, get_oncall
from nthlayer_sync.web.page.view import asking
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context

KEPT = 60.0
"""Seconds."""
PATIENCE = 0.5
"""Seconds that a page waits for a tool."""
MOST = 1000
"""Teams that are kept."""
AHEAD = 2
"""Weeks."""


class Duties:
    """The turns of teams."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, OnCallShown | None]] = {}

    async def of(self, context: Context, team: str) -> OnCallShown | None:
        """The turns of a team in the next weeks; None where there are none, or nobody says so in time."""
        kept = self._known.get(team)
        if kept is None or time.monotonic() - kept[0] >= KEPT:
            kept = time.monotonic(), await _asked(context, team)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[team] = kept
        return kept[1]


async def _asked(context: Context, team: str) -> OnCallShown | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await get_oncall(asking(context, Weeks(weeks=AHEAD), ref=team))
    except (Refusal, Failure, TimeoutError):
        return None
