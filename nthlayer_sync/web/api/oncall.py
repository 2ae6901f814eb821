"""On call: who of a team is called when in the next weeks."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.engine.outlook import outlook_of
from nthlayer_sync.engine.show import WEEKS
from nthlayer_sync.model.service import Team
from nthlayer_sync.web.api.asked import subject_in_path
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Query, Route


class ScheduleShown(Shown):
    """One schedule of a team."""

    name: str
    """With its time zone."""
    turns: tuple[str, ...]
    """A line for each turn: from when to when by the clock of the schedule, and who."""


class OnCallShown(Shown):
    """Who of a team is called when."""

    entity: str
    schedules: tuple[ScheduleShown, ...]
    connected: bool
    """Whether a tool for on-call says so; otherwise it is the rotation of the blueprint as it would begin."""
    note: str
    """Why it is not what was asked for, or why there is none."""


class Weeks(Query):
    """How far ahead."""

    weeks: int = Field(default=WEEKS, ge=1, le=52, description="How many weeks ahead.")


async def get_oncall(context: Context) -> OnCallShown:
    """Who of a team is on call in the next weeks, as it is after an apply."""
    team = subject_in_path(context)
    if not isinstance(team, Team):
        raise Refusal(404, f"{team.ref} is no team that owns a managed service")
    found = await outlook_of(context.daemon.engine, team, context.asked(Weeks).weeks)
    schedules = [text.splitlines() for text in found.schedules]
    return OnCallShown(
        entity=team.ref,
        schedules=tuple(ScheduleShown(name=lines[0], turns=tuple(lines[1:])) for lines in schedules if lines),
        connected=found.connected,
        note=found.note,
    )


ROUTES = (
    Route("GET", "/api/v1/entities/{ref}/oncall", "Who of a team is on call", OnCallShown, get_oncall, "on-call",
          query=Weeks),
)  # fmt: skip
