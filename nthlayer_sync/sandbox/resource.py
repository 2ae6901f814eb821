"""Answering for a collection: create, read, update, delete, list, with places for what a vendor does its own way."""

from __future__ import annotations

from typing import Any, cast

from nthlayer_sync.sandbox.collection import Collection, Item, Shape, TakenError
from nthlayer_sync.sandbox.ids import IdMaker
from nthlayer_sync.sandbox.paging import Paging, everything
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool


class Resource:
    """One collection at one path. A vendor's subclass sets what differs and overrides what it does its own way.

    Attributes:
        name: What the collection is called.
        path: Where it is; a `{parent}` in it is the id of the parent, and uniqueness and lists are within it.
        parent: The collection of the parents.
        one: The key around one object; "" for none.
        many: The key around a list; "" for none.
        key: The field that holds the id.
        title: The field that says what an object is called.
        unique: Fields whose value no two objects share.
        required: Fields without which nothing is created.
        methods: create, read, update, delete, list: the methods that are answered, more than one or none of each.
        created: The status after a create.
        deleted: The status after a delete.
        page: How lists are cut in pages.
    """

    name = ""
    path = ""
    parent = ""
    one = ""
    many = ""
    key = "id"
    title = "name"
    unique: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    methods = ("POST", "GET", "PUT", "DELETE", "GET")
    created = 201
    deleted = 204
    page: Paging = staticmethod(everything)

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        shape = Shape(
            name=self.name, new_id=self.ids(), key=self.key, title=self.title, unique=self.unique, sort=self.order()
        )
        self.collection: Collection = tool.collection(shape)
        create, read, update, delete, lists = self.methods
        for method, path, handler in (
            (create, self.path, self.create),
            (read, f"{self.path}/{{id}}", self.read),
            (update, f"{self.path}/{{id}}", self.update),
            (delete, f"{self.path}/{{id}}", self.delete),
            (lists, self.path, self.list),
        ):
            for each in method.split():
                tool.route(each, path, handler)

    # What a vendor does its own way.

    def ids(self) -> IdMaker:
        """The form of ids."""
        return self.tool.ids(self.name)

    def order(self) -> Any:
        """The sort key of lists; None keeps the order of creation."""
        return None

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Raise the vendor's refusal when `wanted` is not acceptable."""

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """What the server makes of `wanted`: defaults, added fields, normalised values."""
        return {**(old or {}), **wanted}

    def shown(self, call: Call, item: Item) -> Item:
        """How one object is shown."""
        return item

    def summary(self, call: Call, item: Item) -> Item:
        """How an object is shown in lists."""
        return self.shown(call, item)

    def targets(self, item: Item) -> list[Where]:
        """The other objects that a stored object names."""
        return []

    def in_use(self, item: Item) -> str:
        """Why the object cannot be deleted; "" when it can."""
        return ""

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """The part of a list that the query asks for."""
        return items

    def taken(self, error: TakenError) -> RefusalError:
        """The refusal of a value that another object has."""
        return self.tool.refuse(400, f"{error.field.capitalize()} has already been taken")

    def missing(self, fields: list[str]) -> RefusalError:
        """The refusal of an object without required fields."""
        return self.tool.refuse(400, *(f"{field} is required" for field in fields))

    def absent(self, id: str) -> RefusalError:
        """The refusal when there is no such object."""
        return self.tool.refuse(404, "Not Found")

    def used(self, reason: str) -> RefusalError:
        """The refusal to delete what is in use."""
        return self.tool.refuse(400, reason)

    def malformed(self) -> RefusalError:
        """The refusal of a body that is no object."""
        return self.tool.refuse(400, "The request body is not what was expected")

    # What every resource does.

    def create(self, call: Call) -> Reply:
        """Make an object."""
        scope = self.scope(call)
        wanted = self.opened(call)
        if lacking := [field for field in self.required if wanted.get(field) in (None, "", [])]:
            raise self.missing(lacking)
        self.check(call, wanted, None)
        try:
            item = self.collection.add(self.stored(call, wanted, None), scope)
        except TakenError as error:
            raise self.taken(error) from None
        self.tool.references.set((self.name, str(item[self.key])), self.targets(item))
        return Reply(self.created, self.wrapped(self.shown(call, item)))

    def read(self, call: Call) -> Reply:
        """Show an object."""
        return Reply(200, self.wrapped(self.shown(call, self.held(call))))

    def update(self, call: Call) -> Reply:
        """Change an object."""
        old = self.held(call)
        wanted = self.opened(call)
        wanted.pop(self.key, None)
        if lacking := [field for field in self.required if field in wanted and wanted[field] in (None, "", [])]:
            raise self.missing(lacking)
        self.check(call, wanted, old)
        item = self.stored(call, wanted, old)
        try:
            self.collection.replace(str(old[self.key]), item)
        except TakenError as error:
            raise self.taken(error) from None
        self.tool.references.set((self.name, str(item[self.key])), self.targets(item))
        return Reply(200, self.wrapped(self.shown(call, item)))

    def delete(self, call: Call) -> Reply:
        """Remove an object."""
        item = self.held(call)
        if reason := self.in_use(item):
            raise self.used(reason)
        self.collection.remove(str(item[self.key]))
        self.tool.references.set((self.name, str(item[self.key])), ())
        return Reply(self.deleted)

    def list(self, call: Call) -> Reply:
        """Show a page of objects."""
        items = self.matches(call, self.collection.listed(self.scope(call)))
        return self.page(call, items, self.many, lambda item: self.summary(call, item))

    def held(self, call: Call) -> Item:
        """The object that the path names; raises the vendor's 404."""
        item = self.collection.get(call.params["id"], self.scope(call))
        if item is None:
            raise self.absent(call.params["id"])
        return item

    def scope(self, call: Call) -> str:
        """The parent that the path names, which must be there; "" for a collection without parents."""
        if not self.parent:
            return ""
        id = call.params["parent"]
        if self.tool.collections[self.parent].get(id) is None:
            raise self.absent(id)
        return id

    def opened(self, call: Call) -> Item:
        """The object in the body, out of its envelope; raises the vendor's refusal when there is none."""
        body = call.fields().get(self.one) if self.one else call.body
        if not isinstance(body, dict):
            raise self.malformed()
        return cast(Item, body)

    def wrapped(self, item: Any) -> Any:
        """One object in its envelope."""
        return {self.one: item} if self.one else item
