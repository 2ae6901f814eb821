"""The two schedules of a team as configs, before a vendor's notation: what they say, and what is written to get there.

    specs_of(team, name) ──▶ RotaSpec, primary and secondary
    told(live, now)      ──▶ what a live schedule says, in the same words
    writing(spec, …)     ──▶ the layers to write, and the overrides to add

Whose turn it is is no part of what is compared, so a schedule is never rewritten because time has passed. Public
holidays are told in the description, where people can read whose are covered and a vendor has no other room for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from nthlayer_sync.model.calendar import checked_calendar
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.clock import wall
from nthlayer_sync.oncall.duty import Unstaffed, duty_of
from nthlayer_sync.oncall.holidays import covers, horizon
from nthlayer_sync.oncall.keep import keeping
from nthlayer_sync.oncall.members import Member
from nthlayer_sync.oncall.schedule import Override, Schedule, canonical, second
from nthlayer_sync.oncall.simulate import shifts, weeks

_HOLIDAYS = "Public holidays covered: "
_CALENDAR = re.compile(r"(\S+) (\S+)(?: (\S+))?")


class RotaSpec(Spec, frozen=True):
    """One of a team's schedules. `primary` is the name of the first one in the second, "" in the first itself."""

    name: str
    description: str
    team: str
    schedule: Schedule
    primary: str = ""
    covered: bool = False
    """Whether public holidays are covered up to the horizon."""


class Live(msgspec.Struct, frozen=True):
    """A schedule as it is live, with the overrides from now to the horizon."""

    name: str
    description: str
    team: str
    schedule: Schedule
    overrides: tuple[Override, ...] = ()


class Written(msgspec.Struct, frozen=True):
    """What to write: the rotation, turned so that nobody's duty changes now, and the overrides to add."""

    schedule: Schedule
    overrides: tuple[Override, ...]


def specs_of(team: Team, name: str) -> Iterator[RotaSpec]:
    """The first and the second schedule of a team, none for a team without a rotation. PermanentError as `duty_of`."""
    duty = duty_of(team)
    if isinstance(duty, Unstaffed):
        return
    cover = team.blueprint.incident.on_call.holidays.cover
    calendars = _told(duty.members) if cover else ""
    for which, schedule, says in (
        ("primary", duty.primary, f"Who is called first for {team.contact.label}."),
        ("secondary", duty.secondary, f"Who is called for {team.contact.label} when the first one does not answer."),
    ):
        yield RotaSpec(
            name=f"{name} {which}",
            description="\n".join(filter(None, (" ".join(says.split()), calendars))),
            team=name,
            schedule=schedule,
            primary=f"{name} primary" if which == "secondary" else "",
            covered=bool(calendars),
        )


def shown(spec: RotaSpec) -> dict[str, Any]:
    """What is compared of a spec."""
    return _compared(spec.name, spec.description, spec.team, spec.schedule) | {"covered": spec.covered}


def told(live: Live, now: datetime) -> dict[str, Any]:
    """The same of a live schedule."""
    members = _members(live.description)
    covered = bool(members) and not covers(live.schedule, members, live.overrides, (now, horizon(now)))
    return _compared(live.name, live.description, live.team, live.schedule) | {"covered": covered}


def writing(spec: RotaSpec, live: Live | None, primary: Live | None, now: datetime) -> Written:
    """What brings a schedule about. `primary` is the first schedule as it is live, for the second one.

    The first one may be written a moment before or after, in which case the turns that it will have count.
    """
    before = live.overrides if live else ()
    old = live.schedule if live and live.schedule.layers else spec.schedule
    if not spec.primary:
        kept = keeping(old, spec.schedule, now, overrides=before)
        others = second(kept.schedule)
        taken: tuple[Override, ...] = ()
    else:
        first = _first(spec.schedule)
        was = primary.schedule if primary and primary.schedule.layers else first
        taken = primary.overrides if primary else ()
        others = keeping(was, first, now, overrides=taken).schedule
        kept = keeping(old, spec.schedule, now, overrides=before, primary=others)
    there = (*before, *kept.stays)
    span = now, horizon(now)
    busy = shifts(others, taken, *span)
    added = covers(kept.schedule, _members(spec.description), there, span, others=busy)
    return Written(kept.schedule, (*kept.stays, *added))


def outlook(spec: RotaSpec, written: Written, overrides: Sequence[Override], now: datetime, count: int) -> str:
    """The names of the next `count` weeks for people to read, a line for each turn, by the clock of the schedule.

    `overrides` are those that are live, beside those that are still to be added.
    """
    zone = spec.schedule.timezone
    rows = weeks(written.schedule, (*overrides, *written.overrides), now, count)
    lines = [f"{_clock(row.start, zone)} to {_clock(row.end, zone)}  {row.person}" for row in rows]
    return "\n".join((f"{spec.name} ({zone})", *lines))


def _clock(moment: datetime, timezone: str) -> str:
    return wall(moment, timezone).strftime("%a %Y-%m-%d %H:%M")


def _compared(name: str, description: str, team: str, schedule: Schedule) -> dict[str, Any]:
    return {"name": name, "description": description, "team": team, "schedule": canonical(schedule)}


def _first(schedule: Schedule) -> Schedule:
    """The schedule of which this is the `second`."""
    return Schedule(schedule.timezone, tuple(layer.turned(-1) for layer in schedule.layers))


def _told(members: tuple[Member, ...]) -> str:
    rows = [" ".join(filter(None, (m.email, m.calendar, m.timezone))) for m in members if m.calendar]
    return f"{_HOLIDAYS}{', '.join(rows)}." if rows else ""


def _members(description: str) -> tuple[Member, ...]:
    """Whose holidays are covered, as the description says it."""
    lines = [line for line in description.splitlines() if line.startswith(_HOLIDAYS)]
    rows = lines[-1].removeprefix(_HOLIDAYS).removesuffix(".").split(", ") if lines else []
    found = [match for row in rows if (match := _CALENDAR.fullmatch(row)) and _known(match[2])]
    return tuple(Member(row[1], row[1], row[3] or "", row[2]) for row in found)


def _known(calendar: str) -> bool:
    """Whether there is such a calendar; anybody may have edited the description."""
    try:
        checked_calendar(calendar)
    except NotationError:
        return False
    return True
