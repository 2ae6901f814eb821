"""Changes a rotation without changing who is on call now.

A kind calls `keeping` at the moment of the write, when it sees the live schedule and the clock; generation never does.
The result is the desired schedule in all that is compared (`schedule.same`): it only has its turns begun by somebody
else. So the write stays what the plan showed, and the next plan is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

import msgspec

from nthlayer_sync.oncall.clock import WEEK
from nthlayer_sync.oncall.schedule import Layer, Override, Schedule, same, second
from nthlayer_sync.oncall.simulate import Shift, holes, on_call, open_times, shifts, slot

_LONGEST = 9 * WEEK
"""Longer than any turn."""


class Kept(msgspec.Struct, frozen=True):
    """What to write."""

    schedule: Schedule
    """The desired rotation, its layers told from the turn that is on now."""
    stays: tuple[Override, ...] = ()
    """Overrides to add in the same step: who is on call now and is no longer a member stays until the next hand-off."""


def keeping(
    live: Schedule,
    desired: Schedule,
    now: datetime,
    *,
    overrides: Sequence[Override] = (),
    primary: Schedule | None = None,
) -> Kept:
    """The desired schedule, turned so that whoever is on call in `live` stays until the next hand-off.

    After that it is the turn of whoever follows them. `overrides` are the live ones: they stay, and nothing is put over
    them. For the secondary schedule, `primary` is the first one as it is to be from now on: whose turn is next there is
    second here, so that nobody is both; who is second now still stays until the next hand-off. For a schedule that does
    not exist yet, `live` is the desired one itself.
    """
    aligned = second(primary) if primary else None
    turned = aligned if aligned and same(aligned, desired) else _turned(live, desired, now)
    schedule = Schedule(turned.timezone, tuple(_told_from(layer, turned.timezone, now) for layer in turned.layers))
    return Kept(schedule, _stays(live, schedule, now, overrides))


def _turned(live: Schedule, desired: Schedule, now: datetime) -> Schedule:
    """Layers of the same people turn together: their weekends stay half a round away from their week."""
    layers = list[Layer]()
    by: dict[tuple[frozenset[str], int], int] = {}
    opening = {layer.name: _opening(layer, desired.timezone, now) for layer in desired.layers}
    for layer in sorted(desired.layers, key=lambda layer: opening[layer.name]):
        group = frozenset(layer.members), layer.hours
        if group not in by:
            place = _place(live, layer, opening[layer.name], now)
            by[group] = 0 if place is None else place - slot(layer, desired.timezone, opening[layer.name])
        layers.append(layer.turned(by[group]))
    names = [layer.name for layer in desired.layers]
    return Schedule(desired.timezone, tuple(sorted(layers, key=lambda layer: names.index(layer.name))))


def _opening(layer: Layer, timezone: str, now: datetime) -> datetime:
    """When the layer is next on call: now, if it is."""
    found = open_times(layer.restrictions, timezone, now, now + 2 * WEEK)
    return min((start for start, _ in found), default=now)


def _place(live: Schedule, layer: Layer, opening: datetime, now: datetime) -> int | None:
    """Where in the layer stands who is to have its turn at the opening: whoever has the duty then in `live`.

    Who is no longer a member is followed by the next who is; at once when nobody of the layer is on call yet, else
    after the hand-off, until which the first one stays.
    """
    found = on_call(live, (), opening)
    if found is None:
        return None
    lived = next(each for each in live.layers if each.name == found.layer and found.person in each.members)
    turn, count = slot(lived, live.timezone, opening), len(layer.members)
    ahead = [lived.at(turn + later) for later in range(max(count, len(lived.members)))]
    if found.person in layer.members:  # it may stand there more than once: then where the same people follow
        places = [place for place in range(count) if layer.members[place] == found.person]
        return max(places, key=lambda place: _alike(ahead, layer.turned(place).members))
    for follower in ahead:
        if follower in layer.members:
            return layer.members.index(follower) - (opening == now)
    return None


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many people are the same from the beginning on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _stays(live: Schedule, schedule: Schedule, now: datetime, overrides: Sequence[Override]) -> tuple[Override, ...]:
    before, after = on_call(live, (), now), on_call(schedule, (), now)
    if before is None or (after and after.person == before.person):
        return ()
    until = min(_next_change(live, now), _next_change(schedule, now))
    taken = [Shift(override.start, override.end, override.person) for override in overrides]
    return tuple(Override(start, end, before.person) for start, end in holes(taken, [(now, until)]))


def _next_change(schedule: Schedule, now: datetime) -> datetime:
    """When the shift that is on ends, or the next one begins."""
    found = shifts(schedule, (), now, now + _LONGEST)[0]
    return found.end if found.start <= now else found.start


def _told_from(layer: Layer, timezone: str, now: datetime) -> Layer:
    """The rotation told from the turn that is on: vendors take a start long ago amiss, and people too."""
    return layer.moved(slot(layer, timezone, now))
