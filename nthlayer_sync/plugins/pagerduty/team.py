"""Who belongs to a team in PagerDuty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.members import members_of
from nthlayer_sync.plugins.pagerduty.tool import PAGES, USERS
from nthlayer_sync.sdk.http import Call, NotThere, Tool, at
from nthlayer_sync.sdk.rest import Account, Collection, InText, Json, RestKind, label
from nthlayer_sync.sdk.rest.paging import rows_of


class MemberSpec(Spec, frozen=True):
    """One member, by address."""

    email: str
    role: str
    """`manager` or `responder`: what they may do with what the team owns."""


class TeamSpec(Spec, frozen=True):
    """A team with its members, by address."""

    name: str
    description: str
    members: tuple[MemberSpec, ...]


@dataclass(frozen=True)
class Teams(Collection):
    """Teams, whose `members` are objects beside them: user id to role."""

    async def get(self, tool: Tool, id: str) -> Json | None:
        """With the members."""
        body = await super().get(tool, id)
        if body is None:
            return None
        call = Call(path=f"{self.item(id)}/members")
        rows = [row async for row in rows_of(tool, call, PAGES, lambda answer: answer["members"])]
        return body | {"members": {row["user"]["id"]: row["role"] for row in rows}}

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """The team first; then it has members."""
        made = await super().create(tool, _plain(body), key)
        await self._change(tool, self.id_of(made), {}, body["members"])
        return made

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Who is new comes before who goes."""
        made = await super().update(tool, live, _plain(body))
        await self._change(tool, self.id_of(live), live["members"], body["members"])
        return made

    async def _change(self, tool: Tool, id: str, old: dict[str, str], new: dict[str, str]) -> None:
        for user, role in new.items():
            if old.get(user) != role:
                await tool.ask(Call(method="PUT", path=self._member(id, user), json={"role": role}))
        for user in old.keys() - new.keys():
            try:
                await tool.ask(Call(method="DELETE", path=self._member(id, user)))
            except NotThere:
                continue

    def _member(self, id: str, user: str) -> str:
        return f"{self.item(id)}/users{at(user)}"


TEAMS = Teams("teams", "/teams", many="teams", one="team", mark=InText(), paging=PAGES, whole=False, echoes=False)


def generate(team: Team) -> Iterator[TeamSpec]:
    """Every team of which somebody is called; its leads manage it."""
    incident, members = team.blueprint.incident, members_of(team)
    if not (incident.page and members):
        return
    yield TeamSpec(
        name=label(team),
        description=" ".join(team.contact.label.split())[:500],
        members=tuple(
            MemberSpec(email=each.email, role="manager" if incident.badges.lead in each.badges else "responder")
            for each in members
        ),
    )


def encode(spec: TeamSpec, account: Account, live: Json | None) -> Json:
    """As PagerDuty wants it; `members` are written one by one."""
    members = {account.id("users", member.email): member.role for member in spec.members}
    return {"type": "team", "name": spec.name, "description": spec.description, "members": members}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    members = [{"email": account.key("users", id), "role": role} for id, role in body["members"].items()]
    members.sort(key=lambda member: member["email"])
    return {"name": body["name"], "description": body.get("description") or "", "members": members}


def _plain(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "members"}


TEAM = RestKind(
    name="pagerduty/team",
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
