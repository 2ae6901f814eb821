"""Who is on call when: written down by hand, and when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.oncall.clock import DAY, HOUR, WEEK, instant
from nthlayer_sync.oncall.schedule import Layer, Override, Restriction, Schedule
from nthlayer_sync.oncall.simulate import Shift, holes, on_call, overlaps, shifts, slot, weeks

BERLIN = Schedule("Europe/Berlin", (Layer("all", ("a", "b"), datetime(2026, 1, 5, 9), 168),))


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return instant(datetime.fromisoformat(text), zone)


@pytest.mark.parametrize(("day", "length"), [("2026-03-23", 167), ("2026-10-19", 169), ("2026-06-01", 168)])
def test_a_week_ends_at_nine_though_it_has_an_hour_less_or_more(day: str, length: int) -> None:
    (shift,) = shifts(BERLIN, (), at(f"{day}T09:00"), at(f"{day}T09:00") + length * HOUR)
    assert shift.end - shift.start == length * HOUR
    following = on_call(BERLIN, (), shift.end)
    assert following is not None
    assert following.person != shift.person


def test_a_hand_off_that_the_clock_leaves_out_or_shows_twice_happens_once() -> None:
    early = Schedule("Europe/Berlin", (Layer("all", ("a", "b"), datetime(2026, 1, 1, 2, 30), 24),))
    for night in ("2026-03-28T12:00", "2026-10-24T12:00"):
        row = shifts(early, (), at(night), at(night) + DAY)
        assert len(row) == 2
        assert row[0].end == row[1].start
    assert shifts(early, (), at("2026-03-28T12:00"), at("2026-03-29T12:00"))[0].end == at("2026-03-29T03:00")


def test_nights_and_leap_days() -> None:
    night = Restriction(-1, 22 * 60, 8 * 60)
    layer = Layer("nights", ("a", "b", "c"), datetime(2028, 2, 28, 22), 24, (night,))
    row = shifts(Schedule("UTC", (layer,)), (), at("2028-02-28T12:00", "UTC"), at("2028-03-02T12:00", "UTC"))
    assert [(shift.start.day, shift.end.day, shift.person) for shift in row] == [
        (28, 29, "a"),
        (29, 1, "b"),
        (1, 2, "c"),
    ]


def test_overrides() -> None:
    start = at("2026-06-01T09:00")
    swap = Override(start + DAY, start + 2 * DAY, "c")
    later = Override(start + DAY + HOUR, start + DAY + 2 * HOUR, "d")
    row = shifts(BERLIN, (swap, later), start, start + WEEK)
    assert "".join(shift.person for shift in row) == "bcdcb"
    assert overlaps(row) == []
    assert holes(row, [(start, start + WEEK)]) == []
    empty = Schedule("UTC", ())
    assert shifts(empty, (swap,), start, start + WEEK) == [Shift(swap.start, swap.end, "c")]


def test_gaps_and_overlaps_are_found() -> None:
    start, hour = at("2026-06-01T09:00"), HOUR
    row = [Shift(start, start + hour, "a"), Shift(start + 2 * hour, start + 5 * hour, "b")]
    assert holes(row, [(start, start + 6 * hour)]) == [
        (start + hour, start + 2 * hour),
        (start + 5 * hour, start + 6 * hour),
    ]
    over = [Shift(start, start + 4 * hour, "a"), Shift(start + hour, start + 2 * hour, "b")]
    assert overlaps([*over, Shift(start + 3 * hour, start + 5 * hour, "c")]) == [
        (start + hour, start + 2 * hour),
        (start + 3 * hour, start + 4 * hour),
    ]


def test_the_next_eight_weeks_have_a_row_for_each_turn() -> None:
    start = at("2026-11-23T12:00")
    rows = weeks(BERLIN, (), start)
    assert [row.person for row in rows] == list("abababab" + "a")
    assert (rows[0].start, rows[0].end) == (start, at("2026-11-30T09:00"))
    assert rows[-1].end == start + 8 * WEEK
    office = Restriction(0, 540, 420), Restriction(1, 540, 420), Restriction(2, 540, 420)
    layer = Layer("office", ("a", "b"), datetime(2026, 1, 5, 9), 168, office)
    rows = weeks(Schedule("UTC", (layer,)), (), at("2026-11-23T00:00", "UTC"), 2)
    assert [(str(row.start), str(row.end), row.person) for row in rows] == [
        ("2026-11-23 09:00:00+00:00", "2026-11-25 16:00:00+00:00", "a"),
        ("2026-11-30 09:00:00+00:00", "2026-12-02 16:00:00+00:00", "b"),
    ]
    swap = Override(at("2026-11-24T00:00", "UTC"), at("2026-11-25T00:00", "UTC"), "c")
    rows = weeks(Schedule("UTC", (layer,)), (swap,), at("2026-11-23T00:00", "UTC"), 1)
    assert [(row.person, row.layer) for row in rows] == [("a", "office"), ("c", ""), ("a", "office")]


@given(
    st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 1439), st.integers(1, 10080)), max_size=3),
    st.integers(1, 200),
    st.integers(0, 5000),
    st.integers(0, 500_000),
)
def test_it_agrees_with_counting_minutes(rules: list[tuple[int, int, int]], hours: int, first: int, later: int) -> None:
    start = datetime(2026, 1, 5) + timedelta(minutes=first)
    layer = Layer("all", ("a", "b", "c"), start, hours, tuple(Restriction(*rule) for rule in rules))
    moment = datetime(2026, 1, 5) + timedelta(minutes=later)
    minute = later % 10080
    opens = [
        (day * 1440 + begin, length) for rule, begin, length in rules for day in (range(7) if rule < 0 else (rule,))
    ]
    is_open = not rules or any((minute - begin) % 10080 < length for begin, length in opens)
    found = on_call(Schedule("UTC", (layer,)), (), moment.replace(tzinfo=UTC))
    assert (found.person if found else None) == ("abc"[(later - first) // 60 // hours % 3] if is_open else None)


def test_turns_are_counted_from_any_start() -> None:
    (layer,) = BERLIN.layers
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
        for hours in range(0, 24 * 400, 7):
            moment = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(hours=hours)
            turn = slot(layer, zone, moment)
            assert instant(layer.start + turn * layer.turn, zone) <= moment
            assert moment < instant(layer.start + (turn + 1) * layer.turn, zone)
