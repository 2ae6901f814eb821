"""Objects that stand inside others, such as the rules of a repository: they are listed parent by parent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Call, NotThere, Tool
from nthlayer_sync.sdk.rest.collection import Collection, Json
from nthlayer_sync.sdk.rest.paging import dig, rows_of

PARENT = "parent"
"""The field of a body that names the object's parent; it is ours and never sent."""


@dataclass(frozen=True)
class Nested(Collection):
    """A collection inside each object of `parents`.

    An object's key is its parent's, `/` and its own; so is its id, with `#`, which no parent has in its name. Both are
    in lower case, because code hosts do not tell cases apart. What moves to another parent is made there anew.
    """

    parents: Collection = field(kw_only=True)
    within: tuple[str, ...] = ("*",)
    """Patterns of the parents that are looked into."""

    def inside(self, parent: str) -> str:
        """The path of the collection inside one parent."""
        raise NotImplementedError

    def holds(self, outer: Json) -> bool:
        """Whether to look into a parent."""
        return any(fnmatchcase(self.parents.key_of(outer), pattern.lower()) for pattern in self.within)

    async def whole_of(self, tool: Tool, body: Json) -> Json:
        """An object with what the vendor tells of it elsewhere."""
        return body

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every object, parent by parent."""
        async for outer in self.parents.list(tool):
            if self.holds(outer):
                parent = self.parents.key_of(outer)
                call = Call(path=self.inside(parent), query=self.query)
                async for row in rows_of(tool, call, self.paging, lambda answer: dig(answer, self.many)):
                    yield await self.whole_of(tool, {**row, PARENT: parent})

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One object; None where its name belongs to another by now."""
        parent, _, own = id.partition("#")
        try:
            row = self.body((await tool.ask(Call(path=self.item(id)))).json())
            found = await self.whole_of(tool, {**row, PARENT: parent})
        except NotThere:
            return None
        return found if own and self.id_of(found) == id else None

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one inside the parent that the body names."""
        parent, sent = split(body)
        made = self.body((await tool.ask(Call(method="POST", path=self.inside(parent), json=self.wrap(sent)))).json())
        return {**made, PARENT: parent}

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Change one, or make it anew where it goes and then remove it where it stood."""
        parent, sent = split(body)
        if self.key_of(body) != self.key_of(live):
            made = await self.create(tool, body, "")
            await self.leave(tool, live)
            return made
        call = Call(method=self.update_method, path=self.item(self.id_of(live)), json=self.wrap(self.kept(live) | sent))
        return {**self.body((await tool.ask(call)).json()), PARENT: parent}

    async def leave(self, tool: Tool, live: Json) -> None:
        """What becomes of an object whose successor stands elsewhere."""
        await self.delete(tool, live)

    def key_of(self, body: Json) -> str:
        """The parent's and its own."""
        return f"{body[PARENT]}/{super().key_of(body)}".lower()

    def id_of(self, body: Json) -> str:
        """The parent's and its own."""
        return f"{body[PARENT]}#{super().id_of(body)}"


def split(body: Json) -> tuple[str, Json]:
    """The parent of an object, and the rest of it."""
    sent = dict(body)
    parent = sent.pop(PARENT, "")
    if not isinstance(parent, str) or not parent:
        raise PermanentError("an object says nothing of where it stands")
    return parent, sent
