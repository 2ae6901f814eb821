"""The schedules of a team."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import gcd
from typing import NoReturn

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.clock import MINUTE
from nthlayer_sync.oncall.members import Member, members_of
from nthlayer_sync.oncall.policy import DAYS, Policy, policy_of
from nthlayer_sync.oncall.regions import Stretch, around_the_clock, home, regions_of
from nthlayer_sync.oncall.schedule import EPOCH, Layer, Schedule, second
from nthlayer_sync.oncall.week import (
    MINUTES_A_DAY,
    Spans,
    common,
    rest,
    restrictions,
    spans,
)

_SATURDAY, _MONDAY = 5, 7
_HOURS_A_WEEK = 168


class Duty(msgspec.Struct, frozen=True):
    """Who shares the duty of a team, and how."""

    primary: Schedule
    """Those who are called first."""
    secondary: Schedule
    """Those who are called when the first do not answer: whose turn is next."""
    members: tuple[Member, ...]
    note: str = ""
    """Why it is not what was asked for, "" when it is."""


class Unstaffed(msgspec.Struct, frozen=True):
    """A team without a schedule, and why: a schedule with a hole in it would be worse."""

    reason: str


def duty_of(team: Team) -> Duty | Unstaffed:
    """The schedules of a team. PermanentError when somebody has to be called and there is nobody.

    The same team has the same schedules on every day. No members at all is an error and no reason, so that nothing is
    deleted because a catalog has lost its people. A team of one has no schedule, because there is no turn to take:
    that person is called directly (`escalation`).
    """
    policy, members = policy_of(team), members_of(team)
    if not policy.page:
        return Unstaffed(f"tier {team.blueprint.tier} calls nobody")
    if len(members) == 1:
        return Unstaffed(f"{members[0].email} is the only member with an e-mail address; a rotation needs two")
    if not members:
        _no_cover(team.ref, f"{policy.window} (all of it): no member has an e-mail address")
    duty = _duty(policy, members)
    if uncovered := rest_of(policy.hours, duty.primary):
        _no_cover(team.ref, ", ".join(map(_told, uncovered)))
    return duty


def rest_of(wanted: Spans, schedule: Schedule) -> Spans:
    """What of the wanted hours of a week no layer has."""
    taken = [
        (day * MINUTES_A_DAY + found.start, day * MINUTES_A_DAY + found.start + found.minutes)
        for layer in schedule.layers
        for found in layer.restrictions
        for day in (range(7) if found.day < 0 else (found.day,))
    ]
    always = any(not layer.restrictions for layer in schedule.layers)
    return () if always else common(wanted, rest(spans(taken)))


@lru_cache(maxsize=4096)
def _duty(policy: Policy, members: tuple[Member, ...]) -> Duty:
    """Thousands of teams do not change from one run to the next."""
    note = ""
    if policy.sun:
        regions = regions_of(members, policy.sun.merge)
        if stretches := around_the_clock(regions, policy.sun):
            schedule = Schedule("UTC", tuple(layer for stretch in stretches for layer in _regional(policy, stretch)))
            return Duty(schedule, second(schedule), members)
        places = ", ".join(region.timezone for region in regions)
        note = f"one rotation for all: its regions ({places}) do not cover the day in daylight"
    schedule = Schedule(policy.timezone or home(members), _layers(policy, [member.email for member in members]))
    return Duty(schedule, second(schedule), members, note)


def _layers(policy: Policy, people: Sequence[str]) -> tuple[Layer, ...]:
    """One rotation for all hours, or one for working days and one for weekends."""
    weekend = spans([(_SATURDAY * MINUTES_A_DAY + policy.time, _MONDAY * MINUTES_A_DAY + policy.time)])
    start = policy.day * MINUTES_A_DAY + policy.time
    off, on = common(policy.hours, weekend), common(policy.hours, rest(weekend))
    if not (policy.weekend and off and on):
        return (_layer("all", people, (start, policy.turn), policy.hours),)
    saturday = _SATURDAY * MINUTES_A_DAY + policy.time
    return (
        _layer("weekdays", people, (start, policy.turn), on),
        _layer("weekend", _rested(people), (saturday, max(policy.turn, _HOURS_A_WEEK)), off),
    )


def _regional(policy: Policy, stretch: Stretch) -> tuple[Layer, ...]:
    """The layers of one region: its hours of every day, or those of working days and those of weekends, told by its own
    days: Monday morning in Sydney is Sunday in UTC.
    """
    region = stretch.region
    people = [member.email for member in region.members]
    noon = stretch.start + stretch.minutes // 2
    days = {
        (day * MINUTES_A_DAY + noon + region.offset) // MINUTES_A_DAY % 7: day * MINUTES_A_DAY + stretch.start
        for day in range(7)
    }
    local = [(days[day], days[day] + stretch.minutes) for day in range(7)]
    if not policy.weekend:
        return (_layer(region.timezone, people, (days[policy.day], policy.turn), spans(local)),)
    weekend_turn = max(policy.turn, _HOURS_A_WEEK)
    return (
        _layer(f"{region.timezone} weekdays", people, (days[policy.day], policy.turn), spans(local[:_SATURDAY])),
        _layer(
            f"{region.timezone} weekend", _rested(people), (days[_SATURDAY], weekend_turn), spans(local[_SATURDAY:])
        ),
    )


def _layer(name: str, people: Sequence[str], turn: tuple[int, int], hours: Spans) -> Layer:
    """A layer whose turns begin at a minute of the week and have a length in hours."""
    start, length = turn
    return Layer(name, _turns(people, length), EPOCH + start * MINUTE, length, restrictions(hours))


def _turns(people: Sequence[str], length: int) -> tuple[str, ...]:
    """Who has the turns, in order, so that everybody has each day of the week equally often.

    Whoever takes turns of a day with six others would have the same day each week; so after each week they move on.
    """
    count = len(people)
    if length % _HOURS_A_WEEK == 0 or gcd(count, 7) == 1:
        return tuple(people)
    stride = next(step for step in range(8, 8 + count) if gcd(step, count) == 1)
    return tuple(people[(week * stride + day) % count] for week in range(count) for day in range(7))


def _rested(people: Sequence[str]) -> Sequence[str]:
    """The order for weekends: half a round away from the week, so that nobody has twelve days in a row."""
    by = (len(people) + 1) // 2 % len(people)
    return [*people[by:], *people[:by]]


def _no_cover(team: EntityRef, hole: str) -> NoReturn:
    raise PermanentError(f"{team}: nobody would be on call at {hole}")


def _told(span: tuple[int, int]) -> str:
    return " to ".join(
        f"{DAYS[minute // MINUTES_A_DAY % 7].capitalize()} {minute % MINUTES_A_DAY // 60:02}:{minute % 60:02}"
        for minute in span
    )
