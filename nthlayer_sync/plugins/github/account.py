"""GitHub's account: what is in an organisation, and how it is asked (docs.github.com/rest)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Call, Conflict, Manners, NotThere, Tool, Unsure, at
from nthlayer_sync.sdk.rest import Collection, Json, Linked, Nested
from nthlayer_sync.sdk.rest.mark import mark_of, read_mark
from nthlayer_sync.sdk.rest.nested import PARENT, split
from nthlayer_sync.sdk.rest.paging import dig

MANNERS = Manners(rate=5.0, burst=1)
"""A read counts 1 point of 900 a minute, a change 5; up to half of ours are changes, and one in five is left to others
(docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""
_PAGES = Linked(size=100)
_TITLE = re.compile(r"nthlayer-sync(?:/([a-z0-9-]+))?: (\S.*)")
_INSTANCE = "default"
"""The installation that is meant where a mark names none: the one that settings have unless they say otherwise."""


@dataclass(frozen=True)
class Repositories(Collection):
    """The repositories of an organisation, by `organisation/name` in lower case."""

    def key_of(self, body: Json) -> str:
        """GitHub tells no cases apart."""
        return super().key_of(body).lower()


@dataclass(frozen=True)
class Teams(Collection):
    """The teams of an organisation, by handle."""

    organisation: str = ""

    def key_of(self, body: Json) -> str:
        """As CODEOWNERS has it, in lower case."""
        return f"{self.organisation}/{super().key_of(body)}".lower()


@dataclass(frozen=True)
class People(Collection):
    """The members of an organisation, by login."""

    def key_of(self, body: Json) -> str:
        """In lower case."""
        return super().key_of(body).lower()


class InName:
    """The mark of a ruleset: its name is all the room there is, and begins with us."""

    def put(self, body: dict[str, Any], mark: str) -> None:
        """In front of the name, with the installation where it is not the ordinary one."""
        instance, _ = read_mark(mark) or ("", "")
        body["name"] = f"nthlayer-sync{'' if instance == _INSTANCE else f'/{instance}'}: {body['name']}"

    def take(self, body: dict[str, Any]) -> str:
        """Take it out of the name."""
        found = _TITLE.fullmatch(str(body.get("name") or ""))
        if found is None:
            return ""
        body["name"] = found[2]
        return mark_of(found[1] or _INSTANCE, f"{body[PARENT]}/{found[2]}".lower())


@dataclass(frozen=True)
class InRepository(Nested):
    """What stands in a repository that is not archived; what is archived cannot be changed."""

    def inside(self, parent: str) -> str:
        """The path of the collection in one repository."""
        return at("repos", *parent.split("/")) + self.path

    def holds(self, outer: Json) -> bool:
        """Not in an archive."""
        return not outer.get("archived") and super().holds(outer)

    def item(self, id: str) -> str:
        """The path of one object."""
        parent, _, own = id.partition("#")
        return self.inside(parent) + at(own)


@dataclass(frozen=True)
class Rulesets(InRepository):
    """The rulesets of repositories."""

    def key_of(self, body: Json) -> str:
        """Without the mark."""
        found = _TITLE.fullmatch(str(body.get("name") or ""))
        return super().key_of({**body, "name": found[2]} if found else body)


@dataclass(frozen=True)
class Environments(InRepository):
    """The environments of repositories, with the branches that may deploy to them in the field `branches`.

    A PUT makes or replaces one, so what is to be made is looked for first. Their ids hold the name, by which they are
    asked for, and the number, by which one that was made anew is told apart.
    """

    def id_of(self, body: Json) -> str:
        """Repository, name and number."""
        return f"{body[PARENT]}#{body['name']}:{body['id']}"

    def item(self, id: str) -> str:
        """By its name."""
        return super().item(id.rpartition(":")[0])

    async def whole_of(self, tool: Tool, body: Json) -> Json:
        """With its branches."""
        named = dig(body, "deployment_branch_policy.custom_branch_policies")
        held = await self._policies(tool, body) if named else {}
        return {**body, "branches": sorted(held)}

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """All of it or nothing: without its branches it would not be known as ours."""
        parent, sent = split(body)
        path = self.inside(parent) + at(sent["name"])
        if await _is_there(tool, path):
            raise Conflict(f"{parent} has an environment {sent['name']} already")
        try:
            made = await self._put(tool, path, parent, sent)
        except TemporaryError as error:
            raise Unsure(str(error)) from error
        try:
            return await self._admit(tool, made, sent["branches"])
        except Failure as error:
            await self.delete(tool, made)
            raise TemporaryError(f"{path}: the branches that may deploy could not be set: {error}") from error

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Change one. What goes elsewhere is made anew and stays where it was: people keep secrets in it."""
        if self.key_of(body) != self.key_of(live):
            return await self.create(tool, body, "")
        parent, sent = split(body)
        made = await self._put(tool, self.item(self.id_of(live)), parent, sent)
        return await self._admit(tool, made, sent["branches"])

    async def _put(self, tool: Tool, path: str, parent: str, sent: Json) -> Json:
        wanted = {name: value for name, value in sent.items() if name not in ("name", "branches")}
        answer = await tool.ask(Call(method="PUT", path=path, json=wanted))
        return {**self.body(answer.json()), PARENT: parent}

    async def _admit(self, tool: Tool, body: Json, branches: list[str]) -> Json:
        """Let these branches deploy, and no others."""
        if not branches:
            return {**body, "branches": []}
        held = await self._policies(tool, body)
        path = self._path_of_policies(body)
        for name in sorted(set(held) - set(branches)):
            await tool.ask(Call(method="DELETE", path=path + at(str(held[name]))))
        for name in sorted(set(branches) - set(held)):
            try:
                await tool.ask(Call(method="POST", path=path, json={"name": name, "type": "branch"}, safe=True))
            except PermanentError:
                # 303: it is there, which it also is when the answer to an earlier try was lost.
                if name not in await self._policies(tool, body):
                    raise
        return {**body, "branches": sorted(branches)}

    async def _policies(self, tool: Tool, body: Json) -> dict[str, int]:
        """Patterns of branches with their ids."""
        path = self._path_of_policies(body)
        answer = await tool.ask(Call(path=path, query=(("per_page", "100"),)))
        rows: list[Json] = answer.json()["branch_policies"]
        return {row["name"]: row["id"] for row in rows if row.get("type", "branch") == "branch"}

    def _path_of_policies(self, body: Json) -> str:
        return self.item(self.id_of(body)) + "/deployment-branch-policies"


async def _is_there(tool: Tool, path: str) -> bool:
    try:
        await tool.ask(Call(path=path))
    except NotThere:
        return False
    return True


def teams(organisation: str = "") -> Teams:
    """The teams of an organisation."""
    path = _organised(organisation, "teams")
    return Teams("teams", path, key="slug", paging=_PAGES, organisation=organisation)


def people(organisation: str = "") -> People:
    """The members of an organisation."""
    return People("people", _organised(organisation, "members"), key="login", paging=_PAGES)


def rulesets(organisation: str = "", within: tuple[str, ...] = ()) -> Rulesets:
    """The rulesets of an organisation's repositories; those of the organisation itself are left out."""
    return Rulesets(
        "rulesets",
        "/rulesets",
        mark=InName(),
        paging=_PAGES,
        whole=False,
        query=(("includes_parents", "false"),),
        url="_links.html.href",
        parents=_repositories(organisation),
        within=within,
    )


def environments(organisation: str = "", within: tuple[str, ...] = ()) -> Environments:
    """The environments of an organisation's repositories."""
    return Environments(
        "environments",
        "/environments",
        many="environments",
        paging=_PAGES,
        parents=_repositories(organisation),
        within=within,
    )


def _repositories(organisation: str) -> Repositories:
    path = _organised(organisation, "repos")
    return Repositories("repositories", path, key="full_name", paging=_PAGES)


def _organised(organisation: str, what: str) -> str:
    return at("orgs", organisation, what) if organisation else ""
