"""How on-call tests write down a team, and the teams that hypothesis makes up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.service import Contact, Person, Team
from nthlayer_sync.sdk.testing import team_from

ZONES = (
    "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Honolulu", "Africa/Casablanca", "UTC",
)  # fmt: skip
"""Zones that put their clocks forward by an hour, half an hour, two hours, in Ramadan, not at all."""


def person(name: str, timezone: str = "", holidays: str = "", badges: tuple[str, ...] = ()) -> Person:
    return Person(entity_ref("user", name), name.title(), f"{name}@example.com", timezone, holidays, badges)


def team_of(*people: Person, tier: str = "1", on_call: dict[str, Any] | None = None, **incident: Any) -> Team:
    contact = Contact(ref=entity_ref("group", "payments"), name="payments", people=people)
    team = team_from({"tier": tier, "blueprint": {"incident": {**incident, "on_call": on_call or {}}}})
    return Team(ref=contact.ref, contact=contact, blueprint=team.blueprint, blueprint_digest=team.blueprint_digest)


FIRST = datetime(2023, 12, 30, tzinfo=UTC)
moments = st.integers(0, 7 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
"""Seven years by the minute, two leap days among them."""
zones = st.sampled_from(ZONES)
policies = st.fixed_dictionaries(
    {
        "rotation": st.sampled_from(["1d", "7days", "14days", "8w"]),
        "weekend": st.booleans(),
        "handoff": st.fixed_dictionaries(
            {
                "day": st.sampled_from(["mon", "wed", "sat", "sun"]),
                "time": st.sampled_from(["00:00", "02:00", "02:30", "09:00", "23:30"]),
                "timezone": st.none() | zones,
            }
        ),
        "follow_the_sun": st.fixed_dictionaries(
            {"enabled": st.booleans(), "hours": st.sampled_from(["07:00-21:00", "09:00-17:00", "06:00-22:00"])}
        ),
    }
)
hours = st.sampled_from(["always", "always", "weekdays", "business-hours-only"])


def crews(least: int = 2) -> st.SearchStrategy[tuple[Person, ...]]:
    """Members in different places."""
    one = st.builds(person, st.sampled_from("abcdefghijklmnop"), zones | st.just(""))
    return st.lists(one, min_size=least, max_size=15, unique_by=lambda found: found.name).map(tuple)
