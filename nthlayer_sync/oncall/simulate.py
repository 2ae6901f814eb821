"""Tells who is on call when, from the layers of a schedule and the overrides over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from nthlayer_sync.oncall.clock import DAY, MINUTE, WEEK, instant, wall
from nthlayer_sync.oncall.schedule import Layer, Override, Restriction, Schedule

Span = tuple[datetime, datetime]
"""From an instant to another, the second excluded."""


class Shift(msgspec.Struct, frozen=True, order=True):
    """A time in which one person is on call. Instants in UTC."""

    start: datetime
    end: datetime
    person: str
    layer: str = ""
    """Name of the layer, "" for an override."""


def shifts(schedule: Schedule, overrides: Iterable[Override], start: datetime, end: datetime) -> list[Shift]:
    """Who is on call from `start` to `end`, in order. Of overrides for the same time the last one holds."""
    found = [shift for layer in schedule.layers for shift in _of_layer(layer, schedule.timezone, start, end)]
    for override in overrides:
        taken = Shift(max(override.start, start), min(override.end, end), override.person)
        if taken.start < taken.end:
            found = [piece for shift in found for piece in _without(shift, taken)] + [taken]
    return _joined(sorted(found))


def on_call(schedule: Schedule, overrides: Iterable[Override], moment: datetime) -> Shift | None:
    """The shift at a moment, None when nobody is on call; it tells nothing of what was before or comes after."""
    found = shifts(schedule, overrides, moment, moment + MINUTE)
    return found[-1] if found and found[-1].start == moment else None


def weeks(schedule: Schedule, overrides: Iterable[Override], start: datetime, count: int = 8) -> list[Shift]:
    """The next weeks for people to read: a row for each turn, from its first hour to its last one.

    Where a layer is restricted to some hours, its turn is still one row; an override has its own and splits it.
    """
    rows = list[Shift]()
    latest: dict[str, int] = {}
    for shift in shifts(schedule, overrides, start, start + count * WEEK):
        at = latest.get(shift.layer) if shift.layer else None
        if at is not None and rows[at].person == shift.person:
            rows[at] = msgspec.structs.replace(rows[at], end=shift.end)
            continue
        if not shift.layer:
            latest.clear()
        latest[shift.layer] = len(rows)
        rows.append(shift)
    return rows


def open_times(restrictions: Sequence[Restriction], timezone: str, start: datetime, end: datetime) -> list[Span]:
    """When between two instants one of the restrictions holds, each by itself; without any, all the time."""
    if not restrictions:
        return [(start, end)]
    found = list[Span]()
    midnight = wall(start, timezone).replace(hour=0, minute=0, second=0, microsecond=0) - WEEK - DAY
    last = wall(end, timezone)
    while midnight <= last:
        for restriction in restrictions:
            if restriction.day in (-1, midnight.weekday()):
                opens = midnight + restriction.start * MINUTE
                closes = opens + restriction.minutes * MINUTE
                first, final = max(instant(opens, timezone), start), min(instant(closes, timezone), end)
                if first < final:
                    found.append((first, final))
        midnight += DAY
    return found


def holes(found: Iterable[Shift], wanted: Iterable[Span]) -> list[Span]:
    """When somebody is wanted and nobody is on call."""
    gaps = list(wanted)
    for shift in found:
        gaps = [piece for gap in gaps for piece in _cut(gap, (shift.start, shift.end))]
    return sorted(gaps)


def overlaps(found: Sequence[Shift]) -> list[Span]:
    """When two shifts are on call at once. `found` is in order, as `shifts` gives it."""
    result, latest = list[Span](), None
    for shift in found:
        if latest is not None and shift.start < latest:
            result.append((shift.start, min(shift.end, latest)))
        latest = shift.end if latest is None else max(latest, shift.end)
    return result


def clashes(primary: Sequence[Shift], secondary: Sequence[Shift]) -> list[Shift]:
    """When the same person is on call in both."""
    return [
        Shift(max(one.start, two.start), min(one.end, two.end), one.person)
        for one in primary
        for two in secondary
        if one.person == two.person and one.start < two.end and two.start < one.end
    ]


def slot(layer: Layer, timezone: str, moment: datetime) -> int:
    """How many turns after the one at the layer's start a moment is."""
    found = (wall(moment, timezone) - layer.start) // layer.turn
    while instant(layer.start + (found + 1) * layer.turn, timezone) <= moment:
        found += 1
    while instant(layer.start + found * layer.turn, timezone) > moment:
        found -= 1
    return found


def _of_layer(layer: Layer, timezone: str, start: datetime, end: datetime) -> Iterator[Shift]:
    for opens, closes in open_times(layer.restrictions, timezone, start, end):
        turn = slot(layer, timezone, opens)
        while opens < closes:
            until = min(closes, instant(layer.start + (turn + 1) * layer.turn, timezone))
            if opens < until:
                yield Shift(opens, until, layer.at(turn), layer.name)
            opens, turn = until, turn + 1


def _joined(found: list[Shift]) -> list[Shift]:
    result = list[Shift]()
    for shift in found:
        before = result[-1] if result else None
        if before and (before.end, before.person, before.layer) == (shift.start, shift.person, shift.layer):
            result[-1] = msgspec.structs.replace(before, end=shift.end)
        else:
            result.append(shift)
    return result


def _without(shift: Shift, taken: Shift) -> list[Shift]:
    spans = _cut((shift.start, shift.end), (taken.start, taken.end))
    return [msgspec.structs.replace(shift, start=start, end=end) for start, end in spans]


def _cut(span: Span, away: Span) -> list[Span]:
    """What is left of a span without another one."""
    before, after = (span[0], min(span[1], away[0])), (max(span[0], away[1]), span[1])
    return [piece for piece in (before, after) if piece[0] < piece[1]]
