"""Lists of what is in an account: read when they are needed, and kept up with what is written meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection as Many
from collections.abc import Mapping

from nthlayer_sync.sdk.http import Tool
from nthlayer_sync.sdk.rest.account import Found, Shelf
from nthlayer_sync.sdk.rest.collection import Collection, Json
from nthlayer_sync.sdk.rest.mark import read_mark

FRESH = 10.0
"""Seconds for which a list that was read is good enough to make new objects by."""

clock = time.monotonic
"""By which it is known when a list was read, in seconds."""


class Shelves:
    """One for each collection. `instance` is the installation whose mark is ours, `settles` as for targets."""

    def __init__(self, tool: Tool, collections: Many[Collection], instance: str, settles: float) -> None:
        self._tool = tool
        self._instance = instance
        self._settles = settles
        self._shelves: dict[str, Shelf] = {}
        self._stale = set[str]()
        """Collections to be listed anew before they are used again; who uses a list now goes on with it."""
        self._locks = {collection.name: asyncio.Lock() for collection in collections}
        self._made: dict[str, dict[str, float]] = {}

    @property
    def by_name(self) -> Mapping[str, Shelf]:
        """Those that were read, by the name of their collection."""
        return self._shelves

    def __getitem__(self, collection: str) -> Shelf:
        return self._shelves[collection]

    def expire(self) -> None:
        """Have everything listed anew."""
        self._stale.update(self._shelves)

    async def read(self, collections: Many[Collection], since: float | None = None) -> None:
        """Read what was not read yet, or not since a moment of `clock`."""
        wanted = {collection.name: collection for collection in collections}
        await asyncio.gather(*(self._read(collection, since) for collection in wanted.values()))

    async def _read(self, collection: Collection, since: float | None) -> None:
        name = collection.name
        async with self._locks[name]:
            shelf = self._shelves.get(name)
            if shelf is not None and name not in self._stale and (since is None or shelf.read_at >= since):
                return
            self._stale.discard(name)  # before: while it is read, it may have to be read once more
            try:
                self._shelves[name] = await self._listed(collection)
            except BaseException:
                self._stale.add(name)
                raise

    async def _listed(self, collection: Collection) -> Shelf:
        shelf = Shelf(clock())
        async for body in collection.list(self._tool):
            shelf.put(self._found(collection, body, whole=collection.whole))
        # What we made a moment ago is there, whether the list shows it or not.
        made = self._made.get(collection.name, {})
        for id, at in list(made.items()):
            if clock() - at > self._settles:
                del made[id]
            elif id not in shelf.by_id and (body := await collection.get(self._tool, id)) is not None:
                shelf.put(self._found(collection, body, whole=True))
        return shelf

    def put(self, collection: Collection, body: Json) -> Found:
        """Note a whole object as it is now."""
        found = self._found(collection, body, whole=True)
        self._shelves[collection.name].put(found)
        return found

    def made(self, collection: Collection, id: str) -> None:
        """Remember that an object was made just now: lists may not show it yet."""
        self._made.setdefault(collection.name, {})[id] = clock()

    def take(self, collection: Collection, id: str) -> None:
        """Note that an object is gone."""
        self._shelves[collection.name].take(id)
        self._made.get(collection.name, {}).pop(id, None)

    async def fetched(self, collection: Collection, id: str) -> Found | None:
        """The object with this id, asked for now; None when there is none."""
        body = await collection.get(self._tool, id)
        return None if body is None else self.put(collection, body)

    async def completed(self, collection: Collection, found: Found) -> Found:
        """The whole object, where a list showed a summary."""
        return found if found.whole else await self.fetched(collection, found.id) or found

    def _found(self, collection: Collection, body: Json, *, whole: bool) -> Found:
        body = dict(body)
        mark = collection.mark.take(body) if collection.mark else ""
        instance, key = read_mark(mark) or ("", "")
        ours = instance == self._instance
        return Found(collection.id_of(body), key if ours else collection.key_of(body), body, ours, instance, whole)
