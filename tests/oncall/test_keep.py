"""An apply changes the rotation and leaves alone who is on call now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nthlayer_sync.model.service import Person
from nthlayer_sync.oncall.clock import HOUR, WEEK
from nthlayer_sync.oncall.duty import Duty, duty_of
from nthlayer_sync.oncall.keep import Kept, keeping
from nthlayer_sync.oncall.policy import policy_of
from nthlayer_sync.oncall.schedule import Override, Schedule, canonical, same, second
from nthlayer_sync.oncall.simulate import clashes, holes, on_call, open_times, overlaps, shifts
from nthlayer_sync.oncall.week import restrictions
from tests.oncall.crews import crews, hours, moments, person, policies, team_of

swaps = st.lists(st.tuples(st.integers(-30, 200), st.integers(1, 100)), max_size=3)
NOW = datetime(2026, 11, 25, 13, 5, tzinfo=UTC)
"""A Wednesday."""
PLAIN = {"weekend": False, "follow_the_sun": {"enabled": False}}


def duty(names: str, on_call: Any = PLAIN) -> Duty:
    found = duty_of(team_of(*map(person, names), on_call=on_call))
    assert isinstance(found, Duty)
    return found


def names(found: Kept, count: int = 6) -> str:
    """Who is on call now and in the turns to come."""
    row = shifts(found.schedule, found.stays, NOW, NOW + 20 * WEEK)
    return "".join(shift.person[0] for shift in row)[:count]


def at_turn_of(name: str, schedule: Schedule) -> Schedule:
    """The schedule, turned until it is somebody's turn now."""
    for by in range(20):
        turned = Schedule(schedule.timezone, tuple(layer.turned(by) for layer in schedule.layers))
        found = on_call(turned, (), NOW)
        if found and found.person[0] == name:
            return turned
    raise AssertionError(name)


def test_who_joins_waits_for_their_turn() -> None:
    kept = keeping(at_turn_of("c", duty("ace").primary), duty("abce").primary, NOW)
    assert names(kept) == "ceabce"
    assert kept.stays == ()
    assert kept.schedule.layers[0].start == datetime(2026, 11, 23, 9), "told from the turn that is on"


def test_who_leaves_stays_to_the_end_of_their_turn_and_the_next_one_follows() -> None:
    kept = keeping(at_turn_of("c", duty("abcde").primary), duty("abde").primary, NOW)
    assert names(kept) == "cdeabd"
    assert kept.stays == (Override(NOW, datetime(2026, 11, 30, 9, tzinfo=UTC), "c@example.com"),)


def test_a_new_team_takes_over_at_the_hand_off() -> None:
    kept = keeping(at_turn_of("b", duty("ab").primary), duty("xyz").primary, NOW)
    assert names(kept)[0] == "b"
    assert set(names(kept)[1:]) == set("xyz")


def test_the_same_rotation_is_left_as_it_is() -> None:
    live = at_turn_of("b", duty("abc").primary)
    kept = keeping(live, duty("abc").primary, NOW)
    assert kept.stays == ()
    assert shifts(kept.schedule, (), NOW, NOW + 9 * WEEK) == shifts(live, (), NOW, NOW + 9 * WEEK)


def test_what_somebody_swapped_stays() -> None:
    swap = Override(NOW - timedelta(hours=1), NOW + timedelta(hours=3), "e@example.com")
    kept = keeping(at_turn_of("c", duty("abcde").primary), duty("abde").primary, NOW, overrides=[swap])
    assert [stay.start for stay in kept.stays] == [swap.end]
    now = on_call(kept.schedule, [swap, *kept.stays], NOW)
    assert now is not None
    assert now.person == "e@example.com"


def test_nobody_gets_a_week_and_its_weekend() -> None:
    """Also after the team has shrunk: the weekend layer turns with the week."""
    weekends = {"weekend": True, "follow_the_sun": {"enabled": False}}
    live = duty("abcd", weekends).primary
    for team in ("abc", "ab", "xab"):
        live = keeping(live, duty(team, weekends).primary, NOW).schedule
        row = shifts(live, (), NOW + WEEK, NOW + 9 * WEEK)
        assert all(one.person != two.person for one, two in zip(row[::2], row[1::2], strict=False))


def test_the_second_is_never_the_first() -> None:
    live, wanted = duty("abcd"), duty("abd")
    primary = keeping(at_turn_of("b", live.primary), wanted.primary, NOW)
    before = at_turn_of("c", live.secondary)
    secondary = keeping(before, wanted.secondary, NOW, primary=primary.schedule)
    assert names(secondary)[:3] == "cab"
    assert same(secondary.schedule, wanted.secondary)
    end = NOW + 9 * WEEK
    rows = [shifts(found.schedule, found.stays, NOW, end) for found in (primary, secondary)]
    assert clashes(*rows) == []


def test_a_region_asleep_goes_on_with_whom_it_had() -> None:
    """It is afternoon in Berlin: who has the week in Tokyo has it still, though somebody joined there."""
    sun = {"weekend": False, "follow_the_sun": {"enabled": True, "hours": "06:00-20:00"}}
    places = {"a": "Asia/Tokyo", "b": "Asia/Tokyo", "d": "Asia/Tokyo", "k": "Europe/Berlin", "l": "Europe/Berlin"}
    places |= {"s": "America/Los_Angeles", "t": "America/Los_Angeles"}
    crew = [person(name, zone) for name, zone in places.items()]
    before, after = (
        duty_of(team_of(*crew, on_call=sun)),
        duty_of(team_of(*crew, person("c", "Asia/Tokyo"), on_call=sun)),
    )
    assert isinstance(before, Duty)
    assert isinstance(after, Duty)
    for turn in range(4):
        live = Schedule("UTC", tuple(layer.turned(turn) for layer in before.primary.layers))
        kept = keeping(live, after.primary, NOW)
        assert kept.stays == ()
        end = NOW + timedelta(days=4)
        assert shifts(kept.schedule, (), NOW, end) == shifts(live, (), NOW, end)


@settings(deadline=None, max_examples=200)
@given(crews(), crews(), policies, policies, hours, moments, st.integers(0, 40), swaps)
def test_an_apply_changes_nobody_s_evening(
    before: tuple[Person, ...],
    after: tuple[Person, ...],
    old: dict[str, Any],
    new: dict[str, Any],
    when: str,
    now: datetime,
    turn: int,
    swapped: list[tuple[int, int]],
) -> None:
    """People join and leave, the policy changes, at any minute of seven years: who is on call now stays on call."""
    then, wanted = duty_of(team_of(*before, on_call=old, hours=when)), duty_of(team_of(*after, on_call=new, hours=when))
    assert isinstance(then, Duty)
    assert isinstance(wanted, Duty)
    live = Schedule(then.primary.timezone, tuple(layer.turned(turn) for layer in then.primary.layers))
    start = now.replace(minute=0)
    swaps = [Override(start + at * HOUR, start + (at + long) * HOUR, "swap") for at, long in swapped]
    kept = keeping(live, wanted.primary, now, overrides=swaps)
    was, is_now = on_call(live, swaps, now), on_call(kept.schedule, (*swaps, *kept.stays), now)
    assert (is_now and is_now.person) == (was.person if was else is_now and is_now.person)
    assert same(kept.schedule, wanted.primary), "the next plan is empty"
    assert canonical(kept.schedule) == canonical(wanted.primary)
    end = now + 4 * WEEK
    policy = policy_of(team_of(*after, on_call=new, hours=when))
    found = shifts(kept.schedule, (*swaps, *kept.stays), now, end)
    theirs = [(shift.start, shift.end) for shift in shifts(live, swaps, now, end) if not shift.layer]
    assert holes([shift for shift in found if shift.person == "swap"], theirs) == [], "swaps stay as they are"
    assert holes(found, open_times(restrictions(policy.hours), kept.schedule.timezone, now, end)) == []
    assert overlaps(found) == []
    again = keeping(kept.schedule, wanted.primary, now + timedelta(minutes=1))
    later = now + WEEK
    assert shifts(again.schedule, (), later, end) == shifts(kept.schedule, (), later, end), "applying again is nothing"


@settings(deadline=None, max_examples=100)
@given(crews(), crews(), policies, moments)
def test_the_pair_stays_a_pair(
    before: tuple[Person, ...], after: tuple[Person, ...], on_call_policy: dict[str, Any], now: datetime
) -> None:
    then, wanted = duty_of(team_of(*before, on_call=on_call_policy)), duty_of(team_of(*after, on_call=on_call_policy))
    assert isinstance(then, Duty)
    assert isinstance(wanted, Duty)
    assume(all(len(set(layer.members)) > 1 for layer in (*then.primary.layers, *wanted.primary.layers)))
    assert second(then.primary) == then.secondary
    primary = keeping(then.primary, wanted.primary, now)
    secondary = keeping(then.secondary, wanted.secondary, now, primary=primary.schedule)
    was, is_now = on_call(then.secondary, (), now), on_call(secondary.schedule, secondary.stays, now)
    assert was is not None
    assert is_now is not None
    assert is_now.person == was.person
    rows = [shifts(found.schedule, found.stays, now, now + 4 * WEEK) for found in (primary, secondary)]
    for row in rows:
        assert overlaps(row) == []
    handed_over = max((stay.end for stay in (*primary.stays, *secondary.stays)), default=now)
    assert all(shift.end <= handed_over for shift in clashes(*rows)), "only who stays may be both, until the hand-off"


def test_schedules_are_told_apart_by_more_than_whose_turn_it_is() -> None:
    one = duty("abc").primary
    turned = Schedule(one.timezone, tuple(layer.turned(1) for layer in one.layers))
    moved = Schedule(one.timezone, tuple(layer.moved(55) for layer in one.layers))
    assert same(one, turned)
    assert same(one, moved)
    (layer,) = one.layers
    swapped = msgspec.structs.replace(layer, members=layer.members[::-1])
    later = msgspec.structs.replace(layer, start=layer.start + timedelta(hours=1))
    for other in (swapped, later, msgspec.structs.replace(layer, hours=24)):
        assert not same(one, Schedule(one.timezone, (other,)))
