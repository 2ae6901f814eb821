"""Follow the sun: the regions in which a team's members live, and which hours each can have in daylight."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from nthlayer_sync.oncall.clock import MINUTE
from nthlayer_sync.oncall.members import Member
from nthlayer_sync.oncall.policy import Sun
from nthlayer_sync.oncall.week import MINUTES_A_DAY

_STEP = 30
"""Minutes: hand-offs lie on the hour or half past, because Opsgenie knows no other."""


class Region(msgspec.Struct, frozen=True):
    """Members whose clocks are close to each other."""

    timezone: str
    """Where most of them live; it names the region."""
    offset: int
    """Minutes by which its clock is ahead of UTC, on average over the year."""
    members: tuple[Member, ...]


class Stretch(msgspec.Struct, frozen=True):
    """The same hours of every day, in one region's care."""

    region: Region
    start: int
    """Minutes after midnight, UTC."""
    minutes: int


def home(members: tuple[Member, ...], default: str = "UTC") -> str:
    """The time zone in which most members live; `default` when nobody says."""
    found = Counter(member.timezone for member in members if member.timezone)
    return min(found, key=lambda zone: (-found[zone], zone), default=default)


def regions_of(members: tuple[Member, ...], merge: int) -> tuple[Region, ...]:
    """The regions from east to west; who names no time zone is at home with the others."""
    base = home(members)
    placed = sorted((-offset_of(member.timezone or base) % MINUTES_A_DAY, member) for member in members)
    groups = list[list[tuple[int, Member]]]()
    for place, member in _after_the_widest_gap(placed):
        if groups and (place - groups[-1][0][0]) % MINUTES_A_DAY <= merge:
            groups[-1].append((place, member))
        else:
            groups.append([(place, member)])
    return tuple(_region(tuple(sorted(member for _, member in group)), base) for group in groups)


def around_the_clock(regions: tuple[Region, ...], sun: Sun) -> tuple[Stretch, ...] | None:
    """The day shared out among regions, each within its own hours; None when these leave a part of it uncovered.

    Where the hours of two neighbours overlap, the duty changes hands in the middle.
    """
    opens = sorted(((sun.opens - region.offset) % MINUTES_A_DAY, region.timezone, region) for region in regions)
    begins = [start for start, _, _ in opens]
    changes = list[int]()
    for this, following in pairwise([*begins, begins[0] + MINUTES_A_DAY]):
        if following > this + sun.minutes:
            return None
        changes.append((following + this + sun.minutes) // 2 // _STEP * _STEP)
    # A region has the duty from where the one before it ends to where it ends itself.
    starts = [changes[-1] - MINUTES_A_DAY, *changes[:-1]]
    return tuple(
        Stretch(region, start % MINUTES_A_DAY, end - start)
        for (_, _, region), start, end in zip(opens, starts, changes, strict=True)
        if end > start
    )


@lru_cache(maxsize=1024)
def offset_of(timezone: str) -> int:
    """Minutes by which a zone is ahead of UTC, halfway between winter and summer. A fixed year, so that it stays."""
    zone = ZoneInfo(timezone)
    both = [datetime(2024, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)]
    return sum(offset // MINUTE for offset in both if offset is not None) // 2


def _region(members: tuple[Member, ...], base: str) -> Region:
    timezone = home(members, base)
    return Region(timezone, offset_of(timezone), members)


def _after_the_widest_gap(placed: list[tuple[int, Member]]) -> list[tuple[int, Member]]:
    """Around the globe, beginning where the longest stretch without people ends: no region lies across the seam."""
    gaps = [((place - placed[at - 1][0]) % MINUTES_A_DAY, -at) for at, (place, _) in enumerate(placed)]
    first = -max(gaps, default=(0, 0))[1]
    return placed[first:] + placed[:first]
