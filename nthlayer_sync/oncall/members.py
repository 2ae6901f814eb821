"""The people of a team who can be on call."""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.service import Team


class Member(msgspec.Struct, frozen=True, order=True):
    """Somebody who can be called."""

    email: str
    """In lower case: by it all vendors know people."""
    name: str
    timezone: str = ""
    """Name in the IANA time zone database, "" when unknown."""
    calendar: str = ""
    """Public holidays, as `DE-BY`; "" when none is named."""
    badges: tuple[str, ...] = ()


def members_of(team: Team) -> tuple[Member, ...]:
    """Those of a team who have an e-mail address, each once, by address."""
    default = team.blueprint.incident.on_call.holidays.calendar or ""
    found: dict[str, Member] = {}
    for person in team.contact.people:
        email = person.email.lower()
        if email and email not in found:
            found[email] = Member(email, person.name, person.timezone, person.holidays or default, person.badges)
    return tuple([found[email] for email in sorted(found)])


def with_badge(members: tuple[Member, ...], badge: str) -> tuple[str, ...]:
    """The addresses of those who have passed a training."""
    return tuple(member.email for member in members if badge in member.badges)
