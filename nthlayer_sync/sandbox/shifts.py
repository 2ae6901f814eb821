"""Who is on call when: turns of a rotation, cut to hours of the day or week, laid over each other.

Times are wall-clock times of the schedule's zone, without zone: a turn of a day changes at the same time of day all
year round, as vendors do it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class Shift(NamedTuple):
    """Somebody is on call from `start` until before `end`."""

    start: datetime
    end: datetime
    user: str


class Window(NamedTuple):
    """Hours that a rotation is cut to: from `start` (since midnight) on a weekday (0 is Monday) or every day."""

    start: timedelta
    duration: timedelta
    weekday: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """Users who take turns.

    Attributes:
        users: In the order of their turns; "" for nobody.
        first: When the first user's first turn begins.
        turn: How long a turn is.
        start: Before it nobody is on call.
        end: From it on nobody is; None is never.
        windows: The hours that count; none is all hours.
    """

    users: tuple[str, ...]
    first: datetime
    turn: timedelta
    start: datetime
    end: datetime | None = None
    windows: tuple[Window, ...] = ()

    def shifts(self, since: datetime, until: datetime) -> list[Shift]:
        """Who is on call between two times."""
        since = max(since, self.start)
        until = min(until, self.end) if self.end else until
        if not self.users or since >= until:
            return []
        found: list[Shift] = []
        turn = (since - self.first) // self.turn
        while (begin := self.first + turn * self.turn) < until:
            user = self.users[turn % len(self.users)]
            for start, end in self._hours(max(begin, since), min(begin + self.turn, until)):
                if user:
                    found.append(Shift(start, end, user))
            turn += 1
        return _joined(found)

    def _hours(self, since: datetime, until: datetime) -> Iterable[tuple[datetime, datetime]]:
        if not self.windows:
            return [(since, until)]
        hours: list[tuple[datetime, datetime]] = []
        day = since.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=7)
        while day < until:
            for window in self.windows:
                if window.weekday in (None, day.weekday()):
                    start = day + window.start
                    hours.append((max(start, since), min(start + window.duration, until)))
            day += timedelta(days=1)
        return [(start, end) for start, end in sorted(hours) if start < end]


def laid_over(lower: list[Shift], upper: list[Shift]) -> list[Shift]:
    """`upper` where it has somebody, `lower` elsewhere."""
    for shift in upper:
        rest: list[Shift] = []
        for below in lower:
            if below.end <= shift.start or below.start >= shift.end:
                rest.append(below)
                continue
            if below.start < shift.start:
                rest.append(below._replace(end=shift.start))
            if below.end > shift.end:
                rest.append(below._replace(start=shift.end))
        lower = [*rest, shift]
    return _joined(lower)


def coverage(shifts: list[Shift], since: datetime, until: datetime) -> float:
    """The percentage of the time in which somebody is on call."""
    covered = sum(((shift.end - shift.start) for shift in shifts), timedelta())
    return round(100 * covered / (until - since), 1) if until > since else 0.0


def _joined(shifts: list[Shift]) -> list[Shift]:
    joined: list[Shift] = []
    for shift in sorted(shifts):
        last = joined[-1] if joined else None
        if last and last.user == shift.user and shift.start <= last.end:
            joined[-1] = last._replace(end=max(last.end, shift.end))
        else:
            joined.append(shift)
    return joined
