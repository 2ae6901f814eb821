"""What a blueprint says about incidents: what every tier has, and what is refused."""

from typing import Any

import pytest

from nthlayer_sync.blueprint.resolve import Layer, resolve
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.model.blueprint import Incident

TIERS = load_tiers(None)


def incident(tier: str, **said: Any) -> Incident:
    found = resolve([Layer("test", {"tier": tier, "incident": said})], TIERS)
    assert found.blueprint, found.diagnoses
    return found.blueprint.incident


def test_tiers_differ_in_what_they_ask_of_people() -> None:
    first, second, third = (incident(tier) for tier in "123")
    assert (first.commander, first.communications, first.on_call.weekend) == (True, True, True)
    assert (second.commander, second.communications, second.on_call.weekend) == (False, False, False)
    assert first.on_call.follow_the_sun.enabled
    assert [found.page for found in (first, second, third)] == [True, True, False]
    assert {str(found.on_call.rotation) for found in (first, second, third)} == {"7d"}


def test_a_team_says_otherwise() -> None:
    handoff = {"day": "wed", "time": "10:30", "timezone": "Asia/Tokyo"}
    holidays = {"cover": False, "calendar": "JP"}
    found = incident("1", hours="weekdays", on_call={"rotation": "2w", "handoff": handoff, "holidays": holidays})
    assert found.hours.days == ("mon", "tue", "wed", "thu", "fri")
    assert found.on_call.handoff.model_dump() == handoff
    assert found.on_call.holidays.model_dump() == holidays


@pytest.mark.parametrize(
    ("said", "field", "message"),
    [
        ({"on_call": {"rotation": "3d"}}, "on_call.rotation", "one day, or one to 8 whole weeks"),
        ({"on_call": {"rotation": "9w"}}, "on_call.rotation", "one day, or one to 8 whole weeks"),
        ({"on_call": {"rotation": "0s"}}, "on_call.rotation", "one day, or one to 8 whole weeks"),
        ({"on_call": {"handoff": {"time": "09:10"}}}, "on_call.handoff.time", "should match pattern"),
        ({"on_call": {"handoff": {"timezone": "Mars/Base"}}}, "on_call.handoff.timezone", "IANA time zone database"),
        ({"on_call": {"holidays": {"calendar": "DE-XX"}}}, "on_call.holidays.calendar", "no part of DE"),
        ({"on_call": {"follow_the_sun": {"hours": "7-21"}}}, "on_call.follow_the_sun.hours", "should match pattern"),
        ({"hours": "office"}, "hours", "unknown window"),
        ({"loops": 10}, "loops", "less than or equal to 9"),
        ({"badges": {"lead": "Team Lead"}}, "badges.lead", "should match pattern"),
    ],
)
def test_what_no_vendor_could_do_is_refused(said: dict[str, Any], field: str, message: str) -> None:
    found = resolve([Layer("test", {"tier": "1", "incident": said})], TIERS)
    assert found.blueprint is None
    (wrong,) = found.diagnoses
    assert wrong.field == f"incident.{field}"
    assert message in wrong.message
