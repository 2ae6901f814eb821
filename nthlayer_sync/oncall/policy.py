"""The rules of a team's duty, read from its blueprint."""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.service import per_blueprint
from nthlayer_sync.model.units import MILLISECONDS
from nthlayer_sync.oncall.week import ALWAYS, MINUTES_A_DAY, Spans, spans

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Sun(msgspec.Struct, frozen=True):
    """How the duty goes around the world; all in minutes."""

    opens: int
    """After midnight."""
    minutes: int
    """How long a region may have the duty in a day."""
    merge: int
    """Clocks that differ by no more than this are one region."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a blueprint that decides schedules."""

    page: bool
    """Whether anybody is called at all."""
    hours: Spans
    """When somebody is on call, by the clock of `timezone`."""
    window: str
    """What people call these hours."""
    timezone: str
    """Whose clock; "" for that of most members."""
    turn: int
    """Length of a turn in hours: 24, or whole weeks."""
    day: int
    """Day of the hand-off, 0 is Monday."""
    time: int
    """Time of the hand-off, in minutes after midnight."""
    weekend: bool
    """Whether weekends are a rotation of their own."""
    sun: Sun | None
    """How the duty goes around the world; None: it does not."""

    @property
    def always(self) -> bool:
        """Whether somebody is on call at all hours."""
        return self.hours == ALWAYS


@per_blueprint
def policy_of(blueprint: Blueprint) -> Policy:
    """What a blueprint says about on-call. Hours that are not all hours are told by their own clock."""
    incident, on_call = blueprint.incident, blueprint.incident.on_call
    window, sun = incident.hours, on_call.follow_the_sun
    days = [DAYS.index(day) * MINUTES_A_DAY for day in window.days]
    hours = spans((day + window.opens, day + window.closes) for day in days)
    opens, closes = map(_minutes, sun.hours.split("-"))
    return Policy(
        page=incident.page,
        hours=hours,
        window=window.name,
        timezone=(on_call.handoff.timezone or "") if hours == ALWAYS else window.timezone,
        turn=on_call.rotation.milliseconds // MILLISECONDS["h"],
        day=DAYS.index(on_call.handoff.day),
        time=_minutes(on_call.handoff.time),
        weekend=on_call.weekend,
        sun=Sun(opens, (closes - opens) % MINUTES_A_DAY, sun.merge.milliseconds // MILLISECONDS["m"])
        if sun.enabled and hours == ALWAYS
        else None,
    )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
