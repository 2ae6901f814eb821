"""Who is called after whom when nobody answers, and who takes which role in an incident."""

from __future__ import annotations

from typing import Literal

import msgspec

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
    everybody = tuple(member.email for member in members)
    delays = [-(-delay.milliseconds // MILLISECONDS["m"]) for delay in incident.escalation]
    if isinstance(duty, Unstaffed):
        if not incident.page:
            return duty
        return Escalation((Level("people", max(delays, default=_minutes(team)), everybody),), incident.loops)
    leads = with_badge(members, incident.badges.lead) or everybody
    calls = [Level("primary", 0), Level("secondary", 0), *[Level("people", 0, leads)] * len(delays)]
    delays = delays or [_minutes(team)]
    levels = [msgspec.structs.replace(level, minutes=delay) for level, delay in zip(calls, delays, strict=False)]
    return Escalation(tuple(levels), incident.loops)


def responders_of(team: Team) -> Responders:
    """Who of a team has the training for the roles that its tier asks for."""
    incident, members = team.blueprint.incident, members_of(team)
    return Responders(
        commanders=with_badge(members, incident.badges.commander) if incident.commander else (),
        communications=with_badge(members, incident.badges.communications) if incident.communications else (),
    )


def _minutes(team: Team) -> int:
    """What a level has when the blueprint gives it no time: what somebody has to acknowledge."""
    return -(-team.blueprint.incident.acknowledge.milliseconds // MILLISECONDS["m"])
