"""Instants of what a clock on the wall shows, also on the days on which it is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@lru_cache(maxsize=65536)
def instant(wall: datetime, timezone: str) -> datetime:
    """When a clock in `timezone` shows `wall` (without a zone), in UTC.

    What it shows twice counts the first time. What it leaves out (02:30 when it goes from 02:00 to 03:00) is the moment
    at which it is put forward. A later time on the clock is therefore never an earlier instant.
    """
    zone = ZoneInfo(timezone)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found
    offset = before.astimezone(zone).utcoffset()
    while after - before > MINUTE:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)


def wall(moment: datetime, timezone: str) -> datetime:
    """What a clock in `timezone` shows at an instant; without a zone."""
    return moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
