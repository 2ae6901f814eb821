"""Who takes over on public holidays, and why that makes no new spec every day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.model.calendar import checked_calendar, days_off
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.service import Person
from nthlayer_sync.oncall.clock import DAY, wall
from nthlayer_sync.oncall.duty import Duty, duty_of
from nthlayer_sync.oncall.holidays import covers, horizon
from nthlayer_sync.oncall.members import Member
from nthlayer_sync.oncall.schedule import Layer, Override, Schedule
from nthlayer_sync.oncall.simulate import overlaps, shifts
from tests.oncall.crews import moments, person, policies, team_of

CHRISTMAS = datetime(2026, 12, 21, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC)
WEEK = Schedule("Europe/Berlin", (Layer("all", ("a", "b", "c"), datetime(2026, 12, 21), 168),))


def member(name: str, calendar: str = "", timezone: str = "") -> Member:
    return Member(name, name, timezone, calendar)


def told(found: tuple[Override, ...]) -> list[str]:
    return [
        f"{wall(cover.start, 'Europe/Berlin'):%d %H} {wall(cover.end, 'Europe/Berlin'):%d %H} {cover.person}"
        for cover in found
    ]


def test_the_next_who_works_takes_over() -> None:
    members = [member("a", "DE"), member("b", "DE"), member("c", "IL")]
    found = covers(WEEK, members, (), CHRISTMAS)
    assert told(found) == ["25 00 27 00 c"], "Christmas Day and Boxing Day are one"
    assert covers(WEEK, members, found, CHRISTMAS) == (), "once is enough"


def test_a_day_off_is_that_of_where_somebody_is() -> None:
    found = covers(WEEK, [member("a", "US-CA", "America/Los_Angeles")], (), CHRISTMAS)
    assert told(found) == ["25 09 26 09 b"]


def test_a_person_s_own_swap_stays_and_all_off_means_nobody_takes_over() -> None:
    everybody = [member(name, "DE") for name in "abc"]
    assert covers(WEEK, everybody, (), CHRISTMAS) == ()
    swap = Override(CHRISTMAS[0], CHRISTMAS[1], "b")
    assert covers(WEEK, everybody[:2], [swap], CHRISTMAS) == ()


def test_nobody_is_given_both_schedules_while_somebody_else_is_there() -> None:
    second = Schedule("Europe/Berlin", (Layer("all", ("b", "c", "a"), datetime(2026, 12, 21), 168),))
    others = shifts(second, (), *CHRISTMAS)
    assert [cover.person for cover in covers(WEEK, [member("a", "DE")], (), CHRISTMAS, others=others)] == ["c"]
    pair = [member("a", "DE"), member("c", "DE")]
    assert [cover.person for cover in covers(WEEK, pair, (), CHRISTMAS, others=others)] == ["b"]


def test_the_horizon_moves_with_the_quarters() -> None:
    assert horizon(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 7, 1, tzinfo=UTC)
    assert horizon(datetime(2026, 11, 23, 18, tzinfo=UTC)) == datetime(2027, 4, 1, tzinfo=UTC)
    year = [horizon(datetime(2026, 1, 1, tzinfo=UTC) + day * DAY) for day in range(365)]
    assert len(set(year)) == 4
    assert all(ahead - (datetime(2026, 1, 1, tzinfo=UTC) + day * DAY) > 90 * DAY for day, ahead in enumerate(year))


def test_calendars() -> None:
    assert checked_calendar("DE-BY") == "DE-BY"
    assert len(days_off("DE-BY", 2026)) > len(days_off("DE", 2026))
    with pytest.raises(NotationError, match="no country whose holidays are known"):
        checked_calendar("UK")
    with pytest.raises(NotationError, match="no part of DE") as error:
        checked_calendar("DE-XX")
    assert "DE-BY" in error.value.allowed


crews = st.lists(
    st.builds(
        person,
        st.sampled_from("abcdefgh"),
        st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo"]),
        st.sampled_from(["", "DE", "US-NY", "JP", "IN-MH"]),
    ),
    min_size=2,
    unique_by=lambda found: found.name,
).map(tuple)


@settings(deadline=None, max_examples=60)
@given(crews, policies, moments)
def test_covering_once_is_enough_and_only_who_works_covers(
    people: tuple[Person, ...], on_call: dict[str, Any], now: datetime
) -> None:
    duty = duty_of(team_of(*people, on_call=on_call))
    assert isinstance(duty, Duty)
    within = now, horizon(now)
    found = covers(duty.primary, duty.members, (), within)
    assert covers(duty.primary, duty.members, found, within) == ()
    assert list(found) == sorted(found)
    row = shifts(duty.primary, found, *within)
    assert overlaps(row) == []
    assert (row[0].start, row[-1].end) == within
    calendars = {member.email: member for member in duty.members}
    for cover in found:
        works = calendars[cover.person]
        day = wall(cover.start + (cover.end - cover.start) / 2, works.timezone).date()
        assert not works.calendar or day not in days_off(works.calendar, day.year)
    later = now + timedelta(hours=5)
    assert covers(duty.primary, duty.members, found, (later, horizon(now))) == (), "nor is anything new at five"
