"""Who belongs to a team in Opsgenie."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.members import members_of
from nthlayer_sync.plugins.opsgenie.tool import TEAMS, USERS
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label


class MemberSpec(Spec, frozen=True):
    """One member, by address."""

    email: str
    role: str
    """`admin` or `user`: what they may do with what the team owns."""


class TeamSpec(Spec, frozen=True):
    """A team with its members, by address."""

    name: str
    description: str
    members: tuple[MemberSpec, ...]


def generate(team: Team) -> Iterator[TeamSpec]:
    """Every team of which somebody is called; its leads manage it."""
    incident, members = team.blueprint.incident, members_of(team)
    if not (incident.page and members):
        return
    yield TeamSpec(
        name=label(team),
        description=" ".join(team.contact.label.split())[:500],
        members=tuple(
            MemberSpec(email=each.email, role="admin" if incident.badges.lead in each.badges else "user")
            for each in members
        ),
    )


def encode(spec: TeamSpec, account: Account, live: Json | None) -> Json:
    """As Opsgenie wants it."""
    members = [{"user": {"id": account.id("users", each.email)}, "role": each.role} for each in spec.members]
    return {"name": spec.name, "description": spec.description, "members": members}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    members = [
        {"email": account.key("users", each["user"]["id"]), "role": each["role"]} for each in body.get("members") or ()
    ]
    members.sort(key=lambda member: member["email"])
    return {"name": body["name"], "description": body.get("description") or "", "members": members}


TEAM = RestKind(
    name="opsgenie/team",
    version=1,
    summary="who belongs to a team",
    subject=Team,
    spec=TeamSpec,
    generate=generate,
    collection=TEAMS,
    key=lambda team, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(USERS,),
)
