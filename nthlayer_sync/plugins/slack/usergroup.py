"""slack/usergroup: all people of a team, called by one name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.plugins.slack.methods import USERS, InLine, look, plain, tell
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.http import Conflict, NotThere, Tool, Unsure
from nthlayer_sync.sdk.rest import Account, Collection, Json, RestKind, label

LONGEST_HANDLE = 21
LONGEST_NAME = 60
"""Characters. Slack says only that there is a limit; these are below what its clients take."""


@dataclass(frozen=True)
class UserGroups(Collection):
    """User groups that are in use; they are disabled, never deleted, and keep their handles."""

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every group that is not disabled, with its members."""
        for group in await _groups(tool, disabled=False):
            yield group

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One group; Slack only lists them."""
        return next((group for group in await _groups(tool, disabled=False) if group["id"] == id), None)

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one, or take back the one of ours with its handle, and then fill it."""
        told = {name: str(body[name]) for name in ("name", "handle", "description")}
        try:
            group = (await tell(tool, "usergroups.create", **told))["usergroup"]
        except (Conflict, Unsure):
            group = await self._left(tool, body)
            if group is None:
                raise
        return await self.update(tool, group, body)

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Its names first, then its members."""
        id = str(live["id"])
        told = {name: str(body[name]) for name in ("name", "handle", "description")}
        await tell(tool, "usergroups.update", usergroup=id, **told)
        said = await tell(tool, "usergroups.users.update", usergroup=id, users=",".join(body["users"]))
        return _shown(said["usergroup"] | {"users": said["usergroup"].get("users", body["users"])})

    async def delete(self, tool: Tool, live: Json) -> None:
        """Disable it."""
        try:
            await tell(tool, "usergroups.disable", usergroup=str(live["id"]))
        except NotThere:
            return

    def url_of(self, body: Json) -> str:
        """Groups have no page of their own."""
        return ""

    async def _left(self, tool: Tool, body: Json) -> Json | None:
        """The group with this handle that bears our mark: disabled since, or made a moment ago."""
        wanted = InLine("description").take(dict(body))
        for group in await _groups(tool, disabled=True):
            if group["handle"] == body["handle"] and InLine("description").take(dict(group)) == wanted:
                if group["disabled"]:
                    await tell(tool, "usergroups.enable", usergroup=str(group["id"]))
                return group
        return None


async def _groups(tool: Tool, *, disabled: bool) -> list[Json]:
    include = "true" if disabled else "false"
    said = await look(tool, "usergroups.list", include_users="true", include_disabled=include)
    return [_shown(group) for group in said["usergroups"]]


def _shown(group: Json) -> Json:
    return {
        "id": group["id"],
        "name": plain(group["name"]),
        "handle": group["handle"],
        "description": plain(group["description"]),
        "users": group.get("users", []),
        "disabled": bool(group["date_delete"]),
    }


class UserGroupSpec(Spec, frozen=True):
    """A team's group; `members` are e-mail addresses in lower case."""

    handle: str
    name: str
    description: str
    members: tuple[str, ...]


def generate(team: Team) -> Iterator[UserGroupSpec]:
    """One for a team whose blueprint asks for it and of which somebody is known; Slack has no empty groups."""
    members = sorted({person.email.lower() for person in team.contact.people if person.email})
    if not team.blueprint.communication.user_group or not members:
        return
    yield UserGroupSpec(
        handle=quote.slug(label(team))[:LONGEST_HANDLE].strip("-"),
        # Slack tells of no rule by which it escapes names, so what would be escaped is left out.
        name=quote.line(re.sub("[<>&]", " ", team.contact.label))[:LONGEST_NAME].strip() or label(team),
        description="Everybody in the team",
        members=tuple(members),
    )


def encode(spec: UserGroupSpec, account: Account, live: Json | None) -> Json:
    """As Slack wants it."""
    return {
        "handle": spec.handle,
        "name": spec.name,
        "description": spec.description,
        "users": [account.id("users", email) for email in spec.members],
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {
        "handle": body["handle"],
        "name": body["name"],
        "description": body["description"],
        "members": sorted(account.key("users", id) for id in body["users"]),
    }


USERGROUP = RestKind(
    name="slack/usergroup",
    version=1,
    summary="a team's people as one handle",
    subject=Team,
    spec=UserGroupSpec,
    generate=generate,
    collection=UserGroups("usergroups", "/usergroups.list", key="handle", mark=InLine("description")),
    key=lambda team, spec: spec.handle,
    encode=encode,
    decode=decode,
    needs=(USERS,),
)
