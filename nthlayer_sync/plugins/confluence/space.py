"""A space of Confluence: its pages, and how they are asked for (developer.atlassian.com/cloud/confluence/rest/v2)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Call, Conflict, Manners, NotThere, Tool, at
from nthlayer_sync.sdk.rest import Collection, Json, Linked
from nthlayer_sync.sdk.rest.mark import read_mark
from nthlayer_sync.sdk.rest.paging import dig, rows_of

MANNERS = Manners(rate=5.0, burst=1, at_once=4)
"""Atlassian names no figure: it counts costs, and answers 429 with the time to wait."""

BASE = "/wiki/api/v2"
_LAST = re.compile(r"<p[^>]*>\s*\[([^\]<]+)\]\s*</p>\s*\Z")
_STORAGE = (("body-format", "storage"),)


@dataclass(frozen=True)
class InPage:
    """A mark as the last paragraph of a page, so that it comes and goes with the text, in one request."""

    def put(self, body: Json, mark: str) -> None:
        """Behind the text. A mark has no character that XHTML would escape."""
        body["value"] = f"{body['value']}<p>[{mark}]</p>"

    def take(self, body: Json) -> str:
        """The last paragraph, where it is a mark."""
        found = _LAST.search(body["value"])
        if found is None or read_mark(found[1]) is None:
            return ""
        body["value"] = body["value"][: found.start()]
        return found[1]


@dataclass(frozen=True)
class Pages(Collection):
    """The pages of one space, known by their titles. Each has a version, and is changed only from the one that is."""

    space: str = ""

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every page, with its text."""
        call = Call(path=f"{BASE}/spaces{at(await self._space(tool))}/pages", query=_STORAGE)
        pages = Linked(next="_links.next", size=100, limit="limit")
        async for page in rows_of(tool, call, pages, lambda answer: dig(answer, "results")):
            if page["status"] == "current":
                yield _shown(page)

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One page; None where it is in the bin."""
        try:
            page = (await tool.ask(Call(path=self.item(id), query=_STORAGE))).json()
        except NotThere:
            return None
        return _shown(page) if page["status"] == "current" else None

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one, below the space's home page."""
        sent = {"spaceId": await self._space(tool), **_sent(body)}
        return _shown((await tool.ask(Call(method="POST", path=self.path, json=sent))).json())

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Write the version after the one that was looked at; TemporaryError where that is no longer the last."""
        sent = {**_sent(body), "id": live["id"], "version": {"number": live["version"] + 1, "message": "nthlayer-sync"}}
        try:
            return _shown((await tool.ask(Call(method="PUT", path=self.item(live["id"]), json=sent))).json())
        except Conflict as error:
            raise TemporaryError(f"the page changed since the plan; plan again: {error}") from None

    async def _space(self, tool: Tool) -> str:
        answer = (await tool.ask(Call(path=f"{BASE}/spaces", query=(("keys", self.space),)))).json()
        for space in dig(answer, "results") or ():
            if space["key"] == self.space:
                return str(space["id"])
        raise PermanentError(f"Confluence has no space {self.space!r} that the token may see")


def _sent(body: Json) -> Json:
    storage = {"representation": "storage", "value": body["value"]}
    return {"status": "current", "title": body["title"], "body": storage}


def _shown(page: Json) -> Json:
    """The part that we look at."""
    base, path = dig(page, "_links.base"), dig(page, "_links.webui")
    return {
        "id": str(page["id"]),
        "title": page["title"],
        "version": int(page["version"]["number"]),
        "value": str(dig(page, "body.storage.value") or ""),
        "address": f"{base}{path}" if base and path else "",
    }


PAGES = Pages("pages", f"{BASE}/pages", key="title", mark=InPage(), url="address")
