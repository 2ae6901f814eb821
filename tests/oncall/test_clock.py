"""What a clock on the wall shows, as an instant: on ordinary days, and when it is put forward or back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.oncall.clock import instant, wall
from tests.oncall.crews import ZONES


@pytest.mark.parametrize(
    ("shown", "zone", "expected"),
    [
        ("2026-06-01T09:00", "Europe/Berlin", "2026-06-01T07:00"),
        ("2026-12-01T09:00", "Europe/Berlin", "2026-12-01T08:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00"),  # left out: the clock goes from 02:00 to 03:00
        ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),  # shown twice: the first time counts
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30"),  # half an hour is left out
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00"),  # a whole day is left out
        ("2028-02-29T09:00", "Asia/Kathmandu", "2028-02-29T03:15"),
    ],
)
def test_instants(shown: str, zone: str, expected: str) -> None:
    assert instant(datetime.fromisoformat(shown), zone) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@given(st.datetimes(datetime(2023, 1, 1), datetime(2031, 1, 1)), st.integers(0, 300), st.sampled_from(ZONES))
def test_later_on_the_clock_is_never_earlier(shown: datetime, minutes: int, zone: str) -> None:
    shown = shown.replace(second=0, microsecond=0)
    assert instant(shown, zone) <= instant(shown + timedelta(minutes=minutes), zone)


@given(st.datetimes(datetime(2023, 1, 1), datetime(2031, 1, 1)), st.sampled_from(ZONES))
def test_the_clock_shows_what_it_showed(shown: datetime, zone: str) -> None:
    shown = shown.replace(second=0, microsecond=0)
    assert wall(instant(shown, zone), zone) >= shown
