"""Who is called after whom when nobody answers, and who takes which role in an incident."""

from __future__ import annotations

from typing import Literal

import msgspec

from nthlayer_sync.model.blueprint import Incident
from nthlayer_sync.model.service import Team
from nthlayer_sync.model.units import MILLISECONDS
from nthlayer_sync.oncall.duty import Unstaffed, duty_of
from nthlayer_sync.oncall.members import members_of, with_badge

Called = Literal["primary", "secondary", "people"]


class Level(msgspec.Struct, frozen=True):
    """One step: who is called, and how long they have."""

    calls: Called
    """Whoever is on call in one of the team's schedules, or the `people`."""
    minutes: int
    """How long before the next level is called; after the last one, before all are called again."""
    people: tuple[str, ...] = ()
    """E-mail addresses."""


class Escalation(msgspec.Struct, frozen=True):
    """The levels, from first to last, and how often they are called again."""

    levels: tuple[Level, ...]
    loops: int


class Responders(msgspec.Struct, frozen=True):
    """Who may take a role in an incident, by e-mail address. A role that the tier does not ask for has nobody."""

    commanders: tuple[str, ...] = ()
    communications: tuple[str, ...] = ()


def escalation_of(team: Team) -> Escalation | Unstaffed:
    """The levels of a team: who is on call, who is second, then its leads; without leads, everybody.

    The blueprint's `escalation` gives each level its time, and so says how many there are: of more than three, the
    further ones call the leads again. A team of one has one level, which calls that person. PermanentError as from
    `duty_of`.
    """
    incident, members = team.blueprint.incident, members_of(team)
    duty = duty_of(team)
    if isinstance(duty, Unstaffed) and not incident.page:
        return duty
    people = with_badge(members, incident.badges.lead) or tuple(member.email for member in members)
    steps = steps_of(incident, alone=len(members) == 1)
    levels = [Level(calls, minutes, people if calls == "people" else ()) for calls, minutes in steps]
    return Escalation(tuple(levels), incident.loops)


def steps_of(incident: Incident, *, alone: bool) -> tuple[tuple[Called, int], ...]:
    """Whom each level calls, and the minutes that it has; `alone` says whether the team is one person."""
    delays = incident.escalation or (incident.acknowledge,)
    minutes = [-(-delay.milliseconds // MILLISECONDS["m"]) for delay in delays]
    if alone:
        return (("people", max(minutes)),)
    people: Called = "people"
    calls: list[Called] = ["primary", "secondary", *(people for _ in minutes)]
    return tuple(zip(calls, minutes, strict=False))


def responders_of(team: Team) -> Responders:
    """Who of a team has the training for the roles that its tier asks for."""
    incident, members = team.blueprint.incident, members_of(team)
    return Responders(
        commanders=with_badge(members, incident.badges.commander) if incident.commander else (),
        communications=with_badge(members, incident.badges.communications) if incident.communications else (),
    )
