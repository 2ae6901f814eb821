"""What all Opsgenie objects and answers have in common."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nthlayer_sync.sandbox.collection import Item, TakenError
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply

REQUEST = {"took": 0.01, "requestId": "43a29c5c-3dbf-4fa4-9c26-f4f71023e120"}


RECIPIENTS = {"user": "users", "team": "teams", "schedule": "schedules", "escalation": "escalations"}


def everything(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """All at once, with what can be expanded: nothing."""
    return Reply(200, {"data": [show(item) for item in items], "expandable": [], **REQUEST})


def bare(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """All at once."""
    return Reply(200, {"data": [show(item) for item in items], **REQUEST})


def paged(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """`offset` and `limit`: 100 unless asked, 500 at most."""
    limit, offset = min(call.number("limit", 100), 500) or 100, call.number("offset", 0)
    origin = f"http://{call.headers.get('Host', '')}{call.path}?"
    last = max((len(items) - 1) // limit * limit, 0)
    paging = {"first": origin + urlencode({"limit": limit, "offset": 0})}
    paging["last"] = origin + urlencode({"limit": limit, "offset": last})
    if offset + limit < len(items):
        paging["next"] = origin + urlencode({"limit": limit, "offset": offset + limit})
    shown = [show(item) for item in items[offset : offset + limit]]
    return Reply(200, {"data": shown, "paging": paging, "totalCount": len(items), **REQUEST})


class Kind(Resource):
    """A collection of Opsgenie."""

    page = staticmethod(everything)
    methods = ("POST", "GET", "PATCH", "DELETE", "GET")
    deleted = 200
    word = ""
    """What one object is called in messages."""
    said: tuple[str, ...] = ("id", "name")
    """What the answer to a create or an update says of the object."""

    def held(self, call: Call) -> Item:
        """By id, or by name when the query says so."""
        by_name = "name" in (call.asked("identifierType"), call.asked("scheduleIdentifierType") if self.parent else "")
        item = self.collection.get(call.params["id"], self.scope(call))
        if by_name and not self.parent:
            item = self.collection.find("name", call.params["id"])
        if item is None:
            raise self.absent(call.params["id"])
        return item

    def scope(self, call: Call) -> str:
        """The parent by id or name."""
        if not self.parent:
            return ""
        parents, id = self.tool.collections[self.parent], call.params["parent"]
        parent = parents.find("name", id) if call.asked("scheduleIdentifierType") == "name" else parents.get(id)
        if parent is None:
            raise self.tool.refuse(404, "Schedule does not exist")
        return parent["id"]

    def absent(self, id: str) -> RefusalError:
        """404, with the word for the kind."""
        return self.tool.refuse(404, f"{self.word} does not exist")

    def missing(self, fields: list[str]) -> RefusalError:
        """422."""
        return self.tool.refuse(422, *(f"{field} can not be empty" for field in fields))

    def taken(self, error: TakenError) -> RefusalError:
        """422."""
        return self.tool.refuse(422, f"{self.word} with this {error.field} already exists")

    def used(self, reason: str) -> RefusalError:
        """422."""
        return self.tool.refuse(422, reason)

    def made(self, wanted: Item, old: Item | None = None) -> Item:
        """`wanted` over `old`, with an id."""
        return {"id": old["id"] if old else self.collection.new_id(), **(old or {}), **wanted}

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With an id."""
        return self.made(wanted, old)

    def create(self, call: Call) -> Reply:
        """Answers with id and name."""
        return self._short(super().create(call), "Created")

    def update(self, call: Call) -> Reply:
        """Answers with id and name."""
        return self._short(super().update(call), "Updated")

    def delete(self, call: Call) -> Reply:
        """Says so."""
        item = self.held(call)
        super().delete(call)
        return self._short(
            Reply(200, {name: item.get(name) for name in ("id", "name", "alias") if name in item}), "Deleted"
        )

    def read(self, call: Call) -> Reply:
        """In `data`."""
        return Reply(200, {"data": self.shown(call, self.held(call)), **REQUEST})

    def recipient(self, given: Item) -> Item:
        """Somebody or something by id, name or address, as it is stored; raises the refusal when there is none."""
        kind = given.get("type", "user")
        if kind in ("all", "none"):
            return {"type": kind}
        title = "username" if kind == "user" else "name"
        held = self.tool.collections.get(RECIPIENTS.get(kind, ""))
        found = (held.get(given["id"]) if "id" in given else held.find(title, given.get(title, ""))) if held else None
        if found is None:
            raise self.tool.refuse(422, f"{kind} does not exist")
        return {"type": kind, "id": found["id"], title: found[title]}

    def team(self, given: Any) -> Item:
        """The owner team of an object."""
        found = self.recipient({**given, "type": "team"})
        return {"id": found["id"], "name": found["name"]}

    def _short(self, reply: Reply, done: str) -> Reply:
        said = {name: reply.body[name] for name in self.said if name in reply.body}
        more = {"result": done} if self.name not in ("schedules", "overrides") or done == "Deleted" else {}
        return Reply(reply.status, {"data": said, **more, **REQUEST})
