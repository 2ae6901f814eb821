"""Confluence Cloud, REST API v2: spaces, pages with versions, labels, content properties.

Rules are those of https://developer.atlassian.com/cloud/confluence/rest/v2: lists go on with `_links.next`; a page is
changed only with the number after its version (409 otherwise); titles are unique in a space; labels are lower case, and
added over the older API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from nthlayer_sync.sandbox.collection import Collection, Item, Shape, TakenError, part
from nthlayer_sync.sandbox.ids import IdMaker, number
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.people import PEOPLE, TEAMS
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool, basic

_BASE = "/wiki/api/v2"
_AUTHOR = "712020:sandbox"


class Confluence(Tool):
    """The stand-in of https://example.atlassian.net/wiki."""

    name = "confluence"
    host = "https://example.atlassian.net"
    token = "sandbox-confluence"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        self.spaces = Spaces(self)
        self.pages = Pages(self)
        Labels(self)
        Properties(self)

    def seed_people(self) -> None:
        """A space for all, one for each team, each with a home page."""
        for name, title in {"operations": "Operations", **TEAMS}.items():
            key = name.removesuffix("-team")[:3].upper()
            space: Item = {"key": key, "name": title, "type": "global", "status": "current", "authorId": _AUTHOR}
            space |= {"createdAt": self.time(), "_links": {"webui": f"/spaces/{key}"}}
            space = self.spaces.collection.add(space)
            home = self.pages.made({"spaceId": space["id"], "title": f"{title} Home"}, None)
            space["homepageId"] = self.pages.collection.add(home, space["id"])["id"]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """An address and an API token."""
        return basic(headers, self.token)

    def refused(self, status: int, *messages: str) -> Reply:
        """A list of errors."""
        title = "; ".join(messages) or "Not Found"
        code = {400: "INVALID_REQUEST_PARAMETER", 404: "NOT_FOUND", 409: "CONFLICT"}.get(status, "ERROR")
        return Reply(status, {"errors": [{"status": status, "code": code, "title": title, "detail": None}]})

    def ids(self, name: str) -> IdMaker:
        """Numbers, as text."""
        return number({"spaces": 65_537, "pages": 98_305}.get(name, 163_841))

    def settings(self) -> dict[str, Any]:
        """With whom the token belongs to, and a space."""
        return {"url": self.url, "user": PEOPLE[0].email, "token": self.token, "space": "OPE"}


def page(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """By cursor: 25 unless asked, 250 at most."""
    limit, start = min(call.number("limit", 25) or 25, 250), call.number("cursor", 0)
    links: Item = {"base": f"http://{call.headers.get('Host', '')}/wiki"}
    if start + limit < len(items):
        rest = {name: values for name, values in call.query.items() if name != "cursor"}
        links["next"] = f"{call.path}?{urlencode({**rest, 'cursor': start + limit}, doseq=True)}"
    return Reply(200, {"results": [show(item) for item in items[start : start + limit]], "_links": links})


class _Kind(Resource):
    created = 200
    page = staticmethod(page)

    def absent(self, id: str) -> RefusalError:
        """404."""
        return self.tool.refuse(404, f"{self.name} {id} is not found")

    def version(self, given: Any, old: Item | None) -> Item:
        """The version after the one that is there; raises 409 for any other."""
        given = cast(Item, given) if isinstance(given, dict) else {}
        if old and given.get("number") != old["version"]["number"] + 1:
            raise self.tool.refuse(
                409, f"Version must be incremented on update. Current Version: [{old['version']['number']}]"
            )
        made: Item = {"number": old["version"]["number"] + 1 if old else 1, "message": given.get("message") or ""}
        return made | {"minorEdit": False, "authorId": _AUTHOR, "createdAt": self.tool.time()}


class Spaces(_Kind):
    """Spaces; they are made by administrators, not here."""

    name = "spaces"
    path = f"{_BASE}/spaces"
    title = "key"
    unique = ("key",)
    methods = ("", "GET", "", "", "GET")

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """By key."""
        keys = [key for keys in call.query.get("keys", []) for key in keys.split(",")]
        return [item for item in items if not keys or item["key"] in keys]


class Pages(_Kind):
    """Pages; a title is unique in its space."""

    name = "pages"
    path = f"{_BASE}/pages"
    title = "title"
    unique = ("title",)
    required = ("spaceId",)

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("GET", f"{_BASE}/spaces/{{space}}/pages", self.list)

    def create(self, call: Call) -> Reply:
        """In its space."""
        wanted = self.opened(call)
        space, parent = str(wanted.get("spaceId")), wanted.get("parentId")
        if self.tool.collections["spaces"].get(space) is None:
            raise self.tool.refuse(404, f"Space {space} is not found")
        if parent and self.collection.get(str(parent), space) is None:
            raise self.tool.refuse(404, f"Parent page {parent} is not found in the space")
        if not str(wanted.get("title") or "").strip():
            raise self.tool.refuse(400, "A page must have a title")
        try:
            item = self.collection.add(self.made(wanted, None), space)
        except TakenError as error:
            raise self.taken(error) from None
        return Reply(200, self._shown(item, "storage"))

    def made(self, wanted: Item, old: Item | None) -> Item:
        """A page as it is stored."""
        id = old["id"] if old else self.collection.new_id()
        body = part(wanted, "body")
        body = part(body, "storage") or body
        version = self.version(wanted.get("version"), old)
        item: Item = {"id": id, "parentType": "page", "position": None, "ownerId": _AUTHOR, "lastOwnerId": None}
        item |= {"status": "current", "authorId": _AUTHOR, "createdAt": self.tool.time(), "parentId": None}
        item |= old or {"spaceId": str(wanted["spaceId"])}
        links = {"webui": f"/spaces/{item['spaceId']}/pages/{id}", "editui": f"/pages/edit-v2/{id}", "tinyui": "/x/x"}
        item |= {"title": str(wanted["title"]).strip(), "version": version, "_links": links}
        for field in ("parentId", "status"):
            item[field] = wanted.get(field) or item[field]
        value = body.get("value", part(old or {}, "body").get("value", ""))
        return item | {"body": {"representation": "storage", "value": value}}

    def update(self, call: Call) -> Reply:
        """With the next version."""
        old, wanted = self.held(call), self.opened(call)
        if str(wanted.get("id")) != old["id"] or not wanted.get("title"):
            raise self.tool.refuse(400, "id and title must be there, and the id that of the path")
        try:
            item = self.collection.replace(old["id"], self.made(wanted, old))
        except TakenError as error:
            raise self.taken(error) from None
        return Reply(200, self._shown(item, "storage"))

    def held(self, call: Call) -> Item:
        """Of any space."""
        item = self.collection.get(call.params["id"])
        if item is None:
            raise self.absent(call.params["id"])
        return item

    def list(self, call: Call) -> Reply:
        """Of one space or of all."""
        spaces = [call.params["space"]] if "space" in call.params else call.query.get("space-id", [])
        spaces = [id for part in spaces for id in part.split(",")]
        spaces = spaces or [space["id"] for space in self.tool.collections["spaces"].listed()]
        title = call.asked("title")
        found = [item for space in spaces for item in self.collection.listed(space) if title in ("", item["title"])]
        return page(call, found, "", lambda item: self.shown(call, item))

    def shown(self, call: Call, item: Item) -> Item:
        """With the body when asked."""
        return self._shown(item, call.asked("body-format"))

    def taken(self, error: TakenError) -> RefusalError:
        """400."""
        return self.tool.refuse(400, "A page with this title already exists: A page already exists with the same TITLE")

    def _shown(self, item: Item, form: str) -> Item:
        return item | {"body": {"storage": item["body"]} if form == "storage" else {}}


class Labels:
    """The labels of pages."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="labels", new_id=tool.ids("labels"), unique=("name",)))
        tool.route("GET", f"{_BASE}/pages/{{id}}/labels", self.list)
        tool.route("POST", "/wiki/rest/api/content/{id}/label", self.add)
        tool.route("DELETE", "/wiki/rest/api/content/{id}/label/{label}", self.remove)

    def list(self, call: Call) -> Reply:
        """Those of a page."""
        return page(call, self.collection.listed(_page(self.tool, call)), "", lambda item: item)

    def add(self, call: Call) -> Reply:
        """Those that are not there yet."""
        id = _page(self.tool, call)
        body: Any = call.body
        wanted = cast(list[Item], body) if isinstance(body, list) else [call.fields()]
        for label in wanted:
            name = str(label.get("name", "")).lower()
            if not name or " " in name:
                raise self.tool.refuse(400, "A label cannot be empty or have blanks")
            if self.collection.find("name", name, id) is None:
                self.collection.add({"name": name, "prefix": label.get("prefix", "global")}, id)
        held = self.collection.listed(id)
        return Reply(200, {"results": held, "start": 0, "limit": 200, "size": len(held)})

    def remove(self, call: Call) -> Reply:
        """One of a page."""
        found = self.collection.find("name", call.params["label"], _page(self.tool, call))
        if found is None:
            raise self.tool.refuse(404, "The page has no such label")
        self.collection.remove(found["id"])
        return Reply(204)


class Properties(_Kind):
    """Values that programs keep with a page, each with a version."""

    name = "properties"
    path = f"{_BASE}/pages/{{parent}}/properties"
    parent = "pages"
    title = "key"
    unique = ("key",)
    required = ("key",)

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With a version."""
        id = old["id"] if old else self.collection.new_id()
        version = self.version(wanted.get("version"), old)
        return {"id": id, "key": (old or wanted)["key"], "value": wanted.get("value"), "version": version}

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """By key."""
        return [item for item in items if call.asked("key") in ("", item["key"])]

    def taken(self, error: TakenError) -> RefusalError:
        """409."""
        return self.tool.refuse(409, "The page has this property already")


def _page(tool: Tool, call: Call) -> str:
    pages: Collection = tool.collections["pages"]
    if pages.get(call.params["id"]) is None:
        raise tool.refuse(404, f"Page {call.params['id']} is not found")
    return call.params["id"]
