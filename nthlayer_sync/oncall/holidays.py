"""Cover on public holidays: who is on call on a day off is replaced by the next in turn who works.

Holidays have dates, so they are no part of a schedule: a spec with dates in it would be another one tomorrow. A kind
says in its spec only *that* they are covered. When it reads the live schedule it asks `covers` for what is missing up
to the `horizon`; "covered" is live when nothing is. The horizon is the end of the next quarter, so it moves four times
a year, and a cover is there three months before its day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise

from nthlayer_sync.model.calendar import days_off
from nthlayer_sync.oncall.clock import DAY, instant, wall
from nthlayer_sync.oncall.members import Member
from nthlayer_sync.oncall.schedule import Override, Schedule
from nthlayer_sync.oncall.simulate import Shift, Span, shifts


def horizon(now: datetime) -> datetime:
    """The end of the quarter after the one that `now` is in, UTC."""
    found = now.astimezone(UTC)
    quarters = (found.month - 1) // 3 + 2
    return datetime(found.year + quarters // 4, quarters % 4 * 3 + 1, 1, tzinfo=UTC)


def covers(
    schedule: Schedule,
    members: Sequence[Member],
    overrides: Sequence[Override],
    within: Span,
    *,
    others: Sequence[Shift] = (),
) -> tuple[Override, ...]:
    """The overrides to add between two instants, from now to the `horizon`, in order.

    Whatever is overridden already stays as it is: a person decided so, or we did before. When all of a layer are off,
    whoever has the turn keeps it. `others` are the shifts of the other schedule, primary or secondary: nobody is given
    both while somebody else is there.
    """
    start, end = within
    known = {member.email: member for member in members if member.calendar}
    if not known:
        return ()
    orders = {layer.name: tuple(dict.fromkeys(layer.members)) for layer in schedule.layers}
    found = list[Override]()
    for shift in shifts(schedule, overrides, start, end):
        if shift.layer and shift.person in known:
            for off in _off(known[shift.person], schedule.timezone, (shift.start, shift.end)):
                for piece in _pieces(off, known, schedule.timezone):
                    stand_in = _stand_in(orders[shift.layer], shift.person, piece, known, schedule.timezone, others)
                    if found and stand_in and (found[-1].end, found[-1].person) == (piece[0], stand_in):
                        found[-1] = Override(found[-1].start, piece[1], stand_in)
                    elif stand_in:
                        found.append(Override(*piece, stand_in))
    return tuple(found)


def _pieces(off: Span, known: Mapping[str, Member], timezone: str) -> Iterator[Span]:
    """The time in pieces during each of which the same people work, so that what covers it does not depend on when
    somebody asks."""
    edges = {edge for member in known.values() for span in _off(member, timezone, off) for edge in span}
    cuts = sorted({*off, *edges})
    yield from pairwise(cuts)


def _stand_in(
    order: tuple[str, ...],
    person: str,
    off: Span,
    known: Mapping[str, Member],
    timezone: str,
    others: Sequence[Shift],
) -> str:
    """The next in turn who works then, if possible one who is not on call in the other schedule; "" for nobody."""
    at = order.index(person)
    following = [*order[at + 1 :], *order[:at]]
    working = [email for email in following if email not in known or not any(_off(known[email], timezone, off))]
    busy = {shift.person for shift in others if shift.start < off[1] and off[0] < shift.end}
    return next((email for email in working if email not in busy), working[0] if working else "")


def _off(member: Member, default: str, span: Span) -> Iterator[Span]:
    """What of a span of time is a public holiday for somebody, by their own clock; days in a row are one."""
    timezone = member.timezone or default
    day, last = wall(span[0], timezone).date(), wall(span[1], timezone).date()
    begun: date | None = None
    while day <= last + DAY:
        off = day <= last and day in days_off(member.calendar, day.year)
        if off and begun is None:
            begun = day
        if not off and begun is not None:
            first, final = max(span[0], _midnight(begun, timezone)), min(span[1], _midnight(day, timezone))
            if first < final:
                yield first, final
            begun = None
        day += DAY


def _midnight(day: date, timezone: str) -> datetime:
    return instant(datetime(day.year, day.month, day.day), timezone)
