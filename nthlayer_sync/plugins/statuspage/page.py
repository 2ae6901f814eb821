"""A status page: what is on it, and how it is asked (developer.statuspage.io)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, cast

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Manners, Tool, at
from nthlayer_sync.sdk.rest import Collection, Json, Numbered
from nthlayer_sync.sdk.rest.paging import Paging

MANNERS = Manners(rate=0.9, at_once=2)
"""Statuspage allows one request a second for each token; a tenth is left to others."""

PAGES = Numbered(size=100)


@dataclass(frozen=True)
class OfPage(Collection):
    """Objects of a page: what is sent is in an envelope, what is answered is not."""

    paging: Paging = PAGES
    update_method: str = "PATCH"

    def body(self, answer: Any) -> Json:
        """The answer itself; PermanentError where it is no object."""
        if not isinstance(answer, dict):
            raise PermanentError(f"{self.name}: the answer holds no object")
        return cast("Json", answer)


@dataclass(frozen=True)
class Components(OfPage):
    """What the page shows, without the headings, which Statuspage lists as components too."""

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every component that is no heading."""
        async for component in super().list(tool):
            if not component.get("group"):
                yield component


@dataclass(frozen=True)
class Templates(OfPage):
    """Incident templates: the API lists and makes them, and no more."""

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One template, out of the list."""
        async for template in self.list(tool):
            if template["id"] == id:
                return template
        return None

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """It cannot be."""
        raise PermanentError("Statuspage's API cannot change an incident template: change it on the page")

    async def delete(self, tool: Tool, live: Json) -> None:
        """It cannot be."""
        raise PermanentError("Statuspage's API cannot delete an incident template: delete it on the page")


# What strangers read has no room for our mark: what we remember tells which objects are ours.
GROUPS = OfPage("component_groups", "/component-groups")
COMPONENTS = Components("components", "/components", one="component")
TEMPLATES = Templates("incident_templates", "/incident_templates", one="template")
ACCESS_GROUPS = OfPage("page_access_groups", "/page_access_groups", one="page_access_group")


def on(page: str, collection: Collection) -> Collection:
    """A collection of one page, by the page's id."""
    return replace(collection, path=f"/pages{at(page)}{collection.path}")
