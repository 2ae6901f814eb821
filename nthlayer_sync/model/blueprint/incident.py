"""What happens when a service is broken: who is called, how soon, and how the nights are shared."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from nthlayer_sync.model.blueprint.deployment import Day, NamedWindow
from nthlayer_sync.model.blueprint.section import Count, Flag, Section, Span, Zone
from nthlayer_sync.model.calendar import PATTERN, checked_calendar
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.units import MILLISECONDS, Duration

_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
LONGEST_ROTATION = 8
"""Weeks; whoever comes that seldom has forgotten how."""


def _turn(value: Duration) -> Duration:
    weeks, rest = divmod(value.milliseconds, MILLISECONDS["w"])
    if value.milliseconds != MILLISECONDS["d"] and (rest or not 1 <= weeks <= LONGEST_ROTATION):
        raise NotationError(f"a turn takes one day, or one to {LONGEST_ROTATION} whole weeks", allowed=("1d", "7days"))
    return value


Calendar = Annotated[str, Field(pattern=PATTERN, examples=["DE-BY", "US-CA", "JP"]), AfterValidator(checked_calendar)]
"""Public holidays of a country or of a part of it, in ISO 3166 codes."""
Badge = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["incident-commander"])]
"""A training that somebody has passed."""


class Handoff(Section):
    """When one person gives the duty to the next, by the clock on the wall, also when it is put forward or back."""

    day: Day
    """Day of the week; without meaning when a turn takes one day."""
    time: str = Field(pattern=r"^([01][0-9]|2[0-3]):(00|30)$", examples=["09:00"])
    """Time of the day, on the hour or half past: Opsgenie knows no other."""
    timezone: Zone | None = None
    """Name in the IANA time zone database; null: where most of the team's people live."""


class FollowTheSun(Section):
    """Whether the duty goes around the world, so that everybody has it in daylight."""

    enabled: Flag
    """Whether each region has the duty by day, where a team's regions cover all hours; else one for all."""
    hours: str = Field(pattern=f"^{_CLOCK}-{_CLOCK}$", examples=["07:00-21:00"])
    """Between which hours, by its own clock, a region may have the duty."""
    merge: Duration = Field(examples=["3h"])
    """People whose clocks differ by no more than this are one region."""


class HolidayCover(Section):
    """Whether somebody else takes the duty on a public holiday."""

    cover: Flag
    """Whether the next person in turn for whom it is an ordinary day takes over."""
    calendar: Calendar | None = None
    """Holidays of people who name none themselves; null: they have none."""


class OnCall(Section):
    """How the members of a team share the duty."""

    rotation: Annotated[Duration, AfterValidator(_turn)] = Field(examples=["7days", "1d"])
    """How long a turn takes: one day, or whole weeks."""
    handoff: Handoff
    """When a turn ends."""
    weekend: Flag
    """Whether weekends are a rotation of their own, from Saturday to Monday at the time of the hand-off."""
    follow_the_sun: FollowTheSun
    """Whether the duty goes around the world."""
    holidays: HolidayCover
    """Who has the duty on public holidays."""


class Badges(Section):
    """Which training a role in an incident needs. Users name theirs in the annotation `nthlayer.dev/badges`."""

    commander: Badge
    """Of those who may command an incident."""
    communications: Badge
    """Of those who may speak for an incident."""
    lead: Badge
    """Of those who are called last, after the members on call."""


class Incident(Section):
    """What happens when the service is broken."""

    page: Flag
    """Whether the person on call is woken; otherwise a ticket waits for working hours."""
    hours: NamedWindow = Field(examples=["always", "business-hours-only"])
    """When somebody is on call: the name of a window in the tier table."""
    acknowledge: Span = Field(examples=["5minutes"])
    """How soon a page must be acknowledged."""
    escalation: tuple[Duration, ...] = Field(examples=[["15minutes", "30minutes"]])
    """How long each level has before the next one is called: who is on call, who is second, then the leads."""
    loops: Annotated[Count, Field(le=9)]
    """How often all levels are called again when nobody answers; PagerDuty allows 9."""
    on_call: OnCall
    """How the members of the team share the duty."""
    commander: Flag
    """Whether an incident has a dedicated commander."""
    communications: Flag
    """Whether an incident has somebody who does nothing but tell the others."""
    badges: Badges
    """Which training a role in an incident needs."""
