"""The schedules of teams: nobody twice, no hole, fair shares; and the teams that have none."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.service import Person
from nthlayer_sync.oncall.clock import HOUR, WEEK, wall
from nthlayer_sync.oncall.duty import Duty, Unstaffed, duty_of, rest_of
from nthlayer_sync.oncall.policy import policy_of
from nthlayer_sync.oncall.schedule import Restriction, Schedule, canonical
from nthlayer_sync.oncall.simulate import Shift, clashes, holes, on_call, open_times, overlaps, shifts
from nthlayer_sync.oncall.week import restrictions
from tests.oncall.crews import crews, hours, moments, person, policies, team_of


def duty(*people: Person, **words: Any) -> Duty:
    found = duty_of(team_of(*people, **words))
    assert isinstance(found, Duty)
    return found


def year(schedule: Schedule, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> list[Shift]:
    return shifts(schedule, (), start, start + timedelta(days=365))


PLAIN = {"weekend": False, "follow_the_sun": {"enabled": False}}


def test_a_week_each_by_the_clock_of_where_most_live() -> None:
    found = duty(
        person("ada", "Europe/Berlin"), person("bob", "Europe/Berlin"), person("cy", "Asia/Tokyo"), on_call=PLAIN
    )
    assert found.primary.timezone == "Europe/Berlin"
    (layer,) = found.primary.layers
    assert layer.members == ("ada@example.com", "bob@example.com", "cy@example.com")
    assert (layer.start, layer.hours, layer.restrictions) == (datetime(2024, 1, 1, 9), 168, ())
    starts = [wall(shift.start, "Europe/Berlin") for shift in year(found.primary)[1:]]
    assert {(start.weekday(), start.hour, start.minute) for start in starts} == {(0, 9, 0)}, "all year at nine"


def test_weekends_are_half_a_round_away() -> None:
    found = duty(*map(person, "abcd"), on_call={"follow_the_sun": {"enabled": False}})
    weekdays, weekend = found.primary.layers
    assert (weekdays.name, weekend.name) == ("weekdays", "weekend")
    assert weekdays.restrictions == (Restriction(0, 540, 7200),)
    assert weekend.restrictions == (Restriction(5, 540, 2880),)
    row = [shift.person[0] for shift in year(found.primary, datetime(2026, 1, 5, 9, tzinfo=UTC))]
    assert all(len({*row[at : at + 3]}) == 3 for at in range(0, 40, 2)), row[:12]


def test_around_the_world_in_daylight() -> None:
    found = duty(
        person("syd", "Australia/Sydney"), person("bne", "Australia/Brisbane"), person("ber", "Europe/Berlin"),
        person("dub", "Europe/Dublin"), person("sf", "America/Los_Angeles"), person("la", "America/Los_Angeles"),
        on_call={"follow_the_sun": {"enabled": True}},
    )  # fmt: skip
    assert found.primary.timezone == "UTC"
    assert found.note == ""
    names = {layer.name for layer in found.primary.layers}
    places = ("America/Los_Angeles", "Australia/Brisbane", "Europe/Berlin")
    assert names == {f"{place} {part}" for place in places for part in ("weekdays", "weekend")}
    for shift in year(found.primary):
        place, part = shift.layer.split(" ")
        first, last = wall(shift.start, place), wall(shift.end, place)
        assert first.hour >= 6, shift
        assert (last - timedelta(minutes=1)).hour <= 21, shift
        assert first.date() == (last - timedelta(minutes=1)).date()
        assert (first.weekday() >= 5) == (part == "weekend")


@pytest.mark.parametrize("east", [True, False])
def test_regions_that_do_not_cover_the_day_are_one_rotation(east: bool) -> None:
    far = person("c", "Asia/Kolkata" if east else "America/New_York")
    found = duty(person("a", "Europe/Berlin"), person("b", "Europe/Berlin"), far)
    assert len(found.primary.layers) == 2
    assert found.note.startswith("one rotation for all: its regions (")


def test_regions_do_not_lie_across_the_date_line() -> None:
    """Auckland and Honolulu are two hours apart, a day and all."""
    found = duty(
        person("akl", "Pacific/Auckland"), person("hnl", "Pacific/Honolulu"), person("ber", "Europe/Berlin"),
        on_call={"weekend": False, "follow_the_sun": {"enabled": True, "hours": "06:00-20:00"}},
    )  # fmt: skip
    assert sorted(len(layer.members) for layer in found.primary.layers) == [1, 2]


def test_people_without_an_address_are_no_members_and_none_counts_twice() -> None:
    silent = msgspec.structs.replace(person("x"), email="")
    twice = msgspec.structs.replace(person("y"), email="A@example.com")
    found = duty(silent, person("b"), person("a"), twice, on_call=PLAIN)
    assert found.primary.layers[0].members == ("a@example.com", "b@example.com")


def test_a_team_without_a_rotation_has_a_reason() -> None:
    assert duty_of(team_of(person("a"), person("b"), tier="3")) == Unstaffed("tier 3 calls nobody")
    alone = duty_of(team_of(person("a")))
    assert alone == Unstaffed("a@example.com is the only member with an e-mail address; a rotation needs two")
    with pytest.raises(PermanentError, match=r"group:default/payments: nobody would be on call at always"):
        duty_of(team_of())


def test_the_guard_names_what_is_not_covered() -> None:
    found = duty(person("a"), person("b"), on_call=PLAIN).primary
    policy = policy_of(team_of(person("a"), person("b")))
    (layer,) = found.layers
    short = msgspec.structs.replace(layer, restrictions=restrictions(((0, 600), (700, 10080))))
    assert rest_of(policy.hours, Schedule(found.timezone, (short,))) == ((600, 700),)
    assert rest_of(policy.hours, found) == ()


@settings(deadline=None, max_examples=150)
@given(crews(), policies, hours, moments)
def test_somebody_is_on_call_at_all_hours_and_nobody_twice(
    people: tuple[Person, ...], on_call: dict[str, Any], when: str, start: datetime
) -> None:
    team = team_of(*people, on_call=on_call, hours=when)
    found = duty_of(team)
    assert isinstance(found, Duty)
    end = start + 5 * WEEK
    primary, secondary = (shifts(schedule, (), start, end) for schedule in (found.primary, found.secondary))
    wanted = open_times(restrictions(policy_of(team).hours), found.primary.timezone, start, end)
    for each in (primary, secondary):
        assert holes(each, wanted) == []
        assert overlaps(each) == []
        assert holes([Shift(*span, "") for span in wanted], [(shift.start, shift.end) for shift in each]) == []
    if all(len(set(layer.members)) > 1 for layer in found.primary.layers):
        assert clashes(primary, secondary) == []


@settings(deadline=None, max_examples=60)
@given(crews(), policies, hours, st.integers(0, 2000))
def test_shares_are_fair(people: tuple[Person, ...], on_call: dict[str, Any], when: str, first: int) -> None:
    """In any year nobody has more than one turn more than another, nor more than one turn's share of any weekday.

    Seven, or fourteen, who take turns of a day have to change places, or each would have the same day all year.
    """
    found = duty_of(team_of(*people, on_call=on_call, hours=when))
    assert isinstance(found, Duty)
    for layer in found.primary.layers:
        days = Counter(dict.fromkeys(layer.members, 0))
        nights = Counter(dict.fromkeys(((email, day) for email in layer.members for day in range(7)), 0))
        for day in range(first, first + 365):
            email = layer.at(day * 24 // layer.hours)
            days[email] += 1
            nights[email, day % 7] += 1
        weeks = max(1, layer.hours // 168)
        changing = len(set(layer.members)) != len(layer.members)
        assert max(days.values()) - min(days.values()) <= layer.hours // 24 * (2 if changing else 1)
        for day in range(7):
            counts = [nights[email, day] for email in layer.members]
            assert max(counts) - min(counts) <= weeks


@given(crews(), policies, hours)
def test_the_same_team_has_the_same_schedules_whatever_the_order(
    people: tuple[Person, ...], on_call: dict[str, Any], when: str
) -> None:
    one = duty_of(team_of(*people, on_call=on_call, hours=when))
    other = duty_of(team_of(*reversed(people), on_call=on_call, hours=when))
    assert one == other
    assert isinstance(one, Duty)
    assert canonical(one.primary) == canonical(canonical(one.primary))
    assert msgspec.json.decode(msgspec.json.encode(one), type=Duty) == one


def test_generation_is_fast() -> None:
    team = team_of(*(person(name, "Europe/Berlin") for name in "abcdef"))
    duty_of(team)
    best = min(_seconds(team) for _ in range(5))
    assert best < 50e-6


def _seconds(team: Any) -> float:
    begun = time.perf_counter()
    for _ in range(200):
        duty_of(team)
    return (time.perf_counter() - begun) / 200


def test_who_is_on_call_when_nobody_is() -> None:
    found = duty(person("a"), person("b"), hours="business-hours-only")
    assert on_call(found.primary, (), datetime(2026, 11, 23, 3, tzinfo=UTC)) is None
    monday = on_call(found.primary, (), datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert monday is not None
    assert monday.end - monday.start < HOUR
