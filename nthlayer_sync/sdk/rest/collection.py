"""Where the objects of one sort are, and how they are listed, made, changed and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Call, NotThere, Tool, at
from nthlayer_sync.sdk.rest.mark import Mark
from nthlayer_sync.sdk.rest.paging import Paging, Query, Whole, dig, rows_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Collection:
    """An ordinary REST collection; a tool that does something otherwise overrides that one method.

    `name` is the first part of its objects' places. `many` and `one` are the envelopes of lists and of single objects,
    dotted, "" for none. `key` is the field by which people know an object, and `id` the vendor's own; both dotted.
    """

    name: str
    path: str
    many: str = ""
    one: str = ""
    id: str = "id"
    key: str = "name"
    mark: Mark | None = None
    """Where its objects have room for our mark; without one, only what we remember tells what is ours."""
    paging: Paging = field(default=Whole())
    query: Query = ()
    """What a list is asked with."""
    update_method: str = "PUT"
    keeps: tuple[str, ...] = ()
    """Fields that an update would lose if they were not sent back as they are."""
    whole: bool = True
    """Whether a list shows its objects whole; otherwise each of ours is fetched."""
    echoes: bool = True
    """Whether the answer to a write shows the object whole; otherwise it is fetched."""
    url: str = "html_url"
    """The field with the address at which people look at it, dotted."""

    def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every object, or a summary of it."""
        return rows_of(tool, Call(path=self.path, query=self.query), self.paging, lambda answer: dig(answer, self.many))

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One object, None when there is none with this id."""
        try:
            return self.body((await tool.ask(Call(path=self.item(id)))).json())
        except NotThere:
            return None

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one; `key` is the idempotency key, for tools that take one."""
        return self.body((await tool.ask(Call(method="POST", path=self.path, json=self.wrap(body)))).json())

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Change one; `live` is what it is now."""
        call = Call(method=self.update_method, path=self.item(self.id_of(live)), json=self.wrap(self.kept(live) | body))
        return self.body((await tool.ask(call)).json())

    async def delete(self, tool: Tool, live: Json) -> None:
        """Remove one; it is no matter when it is gone already."""
        try:
            await tool.ask(Call(method="DELETE", path=self.item(self.id_of(live))))
        except NotThere:
            return

    def item(self, id: str) -> str:
        """The path of one object."""
        return self.path + at(id)

    def wrap(self, body: Json) -> Json:
        """An object in its envelope."""
        return {self.one: body} if self.one else body

    def body(self, answer: Any) -> Json:
        """The object in an answer; PermanentError where there is none."""
        found = dig(answer, self.one)
        if not isinstance(found, dict):
            raise PermanentError(f"{self.name}: the answer holds no object")
        return cast("Json", found)

    def kept(self, live: Json) -> Json:
        """What of the live object has to be sent back."""
        return {name: live[name] for name in self.keeps if name in live}

    def id_of(self, body: Json) -> str:
        """The vendor's id; PermanentError where it has none."""
        found = dig(body, self.id)
        if found in (None, ""):
            raise PermanentError(f"{self.name}: an object has no {self.id}")
        return str(found)

    def key_of(self, body: Json) -> str:
        """The name that people know it by."""
        return str(dig(body, self.key) or "")

    def url_of(self, body: Json) -> str:
        """Where people look at it, "" when it does not say."""
        return str(dig(body, self.url) or "")
