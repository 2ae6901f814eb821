"""Jira's account: projects and their components, and how it is asked (developer.atlassian.com/cloud/jira)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from nthlayer_sync.sdk.http import Call, Manners, NotThere, Tool, at
from nthlayer_sync.sdk.rest import Collection, InText, Json, Offset
from nthlayer_sync.sdk.rest.paging import dig, rows_of

MANNERS = Manners(rate=8.0, burst=1, at_once=4)
"""Atlassian names no figure: it counts costs, and answers 429 with the time to wait."""

BASE = "/rest/api/3"
PAGES = Offset(size=50, offset="startAt", limit="maxResults", more="nextPage")


@dataclass(frozen=True)
class Projects(Collection):
    """Projects, known by their keys; they are made, but never deleted here."""

    def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every project that the token sees."""
        call = Call(path=f"{self.path}/search", query=(("expand", "description"),))
        return rows_of(tool, call, PAGES, lambda answer: dig(answer, "values"))

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one, which whoever the token belongs to leads until a person says otherwise."""
        lead = (await tool.ask(Call(path=f"{BASE}/myself"))).json()["accountId"]
        return await super().create(tool, {**body, "leadAccountId": lead}, key)


@dataclass(frozen=True)
class Components(Collection):
    """Components of some projects, known as `<project>/<name>`."""

    projects: tuple[str, ...] = ()

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Project by project; one that is not there has none."""
        for project in self.projects:
            call = Call(path=f"{BASE}/project{at(project)}/component")
            try:
                async for row in rows_of(tool, call, PAGES, lambda answer: dig(answer, "values")):
                    yield row
            except NotThere:
                continue

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Change one; a component cannot move to another project, so there it is made anew and then removed here."""
        if body["project"] != live["project"]:
            made = await self.create(tool, body, "")
            await self.delete(tool, live)
            return made
        return await super().update(tool, live, {name: body[name] for name in body if name != "project"})

    def key_of(self, body: Json) -> str:
        """The project's key and its own name."""
        return f"{body['project']}/{body['name']}"

    def url_of(self, body: Json) -> str:
        """Components have no page of their own."""
        return ""


PROJECTS = Projects("projects", f"{BASE}/project", key="key", mark=InText(), echoes=False)
COMPONENTS = Components("components", f"{BASE}/component", mark=InText())
