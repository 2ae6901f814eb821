"""Public holidays of countries and their parts, by names such as `DE` and `DE-BY`."""

from __future__ import annotations

from datetime import date
from functools import cache

from nthlayer_sync.model.notation import NotationError

PATTERN = r"^[A-Z]{2}(-[A-Za-z0-9 ]{1,40})?$"
"""A country in ISO 3166-1 alpha-2, and after a hyphen its part as ISO 3166-2 names it there."""

# The library takes half a second to load, and most organisations name no calendar: it is loaded by who needs it.


def checked_calendar(text: str) -> str:
    """The name of a calendar; NotationError with what could stand there when nobody keeps such a one."""
    country, _, part = text.partition("-")
    known = _countries()
    if country not in known:
        raise NotationError("no country whose holidays are known; write ISO 3166 codes, such as DE or DE-BY")
    if part and part not in known[country]:
        allowed = tuple(f"{country}-{name}" for name in known[country]) or (country,)
        raise NotationError(f"no part of {country} whose holidays are known", allowed=allowed)
    return text


@cache
def days_off(calendar: str, year: int) -> frozenset[date]:
    """The public holidays of a year. `calendar` is one that `checked_calendar` let pass."""
    import holidays

    country, _, part = calendar.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


@cache
def _countries() -> dict[str, list[str]]:
    import holidays

    return holidays.list_supported_countries(include_aliases=False)
