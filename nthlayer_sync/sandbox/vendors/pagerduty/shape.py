"""What all PagerDuty objects have in common."""

from __future__ import annotations

from typing import Any, cast

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.paging import Show
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply

_FURTHEST = 10_000


def page(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """`offset` and `limit`: 25 unless asked, 100 at most, and nothing beyond the 10,000th."""
    limit, offset = min(call.number("limit", 25), 100), call.number("offset", 0)
    if offset + limit > _FURTHEST:
        error = {"message": "Invalid Input Provided", "code": 2001, "errors": ["Offset plus limit exceeds 10000"]}
        return Reply(400, {"error": error})
    return Reply(
        200,
        {
            many: [show(item) for item in items[offset : offset + limit]],
            "limit": limit,
            "offset": offset,
            "total": len(items) if call.asked("total") == "true" else None,
            "more": offset + limit < len(items),
        },
    )


class Shared(Resource):
    """A collection of PagerDuty: objects say their `type`, `summary` and addresses."""

    page = staticmethod(page)

    def order(self) -> Any:
        """By name."""
        return by_name

    def made(self, wanted: Item, old: Item | None = None) -> Item:
        """`wanted` over `old`, with the fields that every object has."""
        id = old["id"] if old else self.collection.new_id()
        item = {**(old or {}), **{name: value for name, value in wanted.items() if name not in _ASSIGNED}}
        address = f"{self.tool.url}{self.path}/{id}"
        return item | {"id": id, "type": self.one, "summary": item.get("name"), "self": address, "html_url": address}

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With the fields that every object has."""
        return self.made(wanted, old)

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """`query` is a part of the name, in any letter case."""
        query = call.asked("query").casefold()
        return [item for item in items if query in str(item.get("name", "")).casefold()] if query else items

    def missing(self, fields: list[str]) -> RefusalError:
        """One message a field."""
        return self.tool.refuse(400, *(f"{field.replace('_', ' ').capitalize()} can't be blank" for field in fields))

    def target(self, collection: str, given: Any, called: str) -> Item:
        """The object that a reference in a request names; raises the refusal when there is none."""
        id = cast(Item, given).get("id") if isinstance(given, dict) else None
        found = self.tool.collections[collection].get(str(id))
        if found is None:
            raise self.tool.refuse(400, f"{called} not found")
        return found

    def all_of(self, collection: str, given: Any, called: str) -> list[Item]:
        """The references of a list, as they are shown."""
        return [reference(self.target(collection, each, called)) for each in cast(list[Any], given or [])]

    def owners(self, item: Item, collection: str) -> list[Item]:
        """The objects of another collection that name this one, as references."""
        held = self.tool.collections[collection]
        ids = self.tool.references.owners((self.name, item["id"]), collection)
        return [reference(owner) for id in ids if (owner := held.get(id)) is not None]


def by_name(item: Item) -> tuple[str, str]:
    """The order of most lists."""
    return str(item.get("name", "")).casefold(), item["id"]


_ASSIGNED = frozenset({"id", "summary", "self", "html_url", "created_at"})


def reference(item: Item) -> Item:
    """How another object names this one."""
    return {
        "id": item["id"],
        "type": f"{item['type'].removesuffix('_reference')}_reference",
        "summary": item.get("summary"),
        "self": item.get("self"),
        "html_url": item.get("html_url"),
    }
