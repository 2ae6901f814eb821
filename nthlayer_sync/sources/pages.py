"""Walks through the pages of a Backstage catalog, and knows at the end whether it has seen all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.sdk.http import BadRequest, Refused, TooLarge
from nthlayer_sync.sources.api import Api

LIMITS = (1000, 200, 20)
"""Entities a page, the next smaller when the server or the size of the answer does not allow so many. Backstage itself
knows no maximum; 200 is its default."""
LARGEST_QUESTION = 80_000
"""Bytes of one by-refs request: Backstage refuses a body of more than 100 kB."""

_T = TypeVar("_T")
_BY_QUERY = "/api/catalog/entities/by-query"
_BY_REFS = "/api/catalog/entities/by-refs"


class PageInfo(msgspec.Struct, gc=False):
    """What the catalog says about the way on."""

    nextCursor: str = ""


class Page(msgspec.Struct, gc=False):
    """One answer of by-query."""

    items: tuple[msgspec.Raw, ...]
    totalItems: int
    pageInfo: PageInfo


class _Batch(msgspec.Struct, gc=False):
    """One answer of by-refs: null for what is not there."""

    items: tuple[msgspec.Raw, ...]


class _Head(msgspec.Struct, gc=False):
    name: str
    namespace: str = "default"
    uid: str = ""
    etag: str = ""


class Row(msgspec.Struct, gc=False):
    """An entity by name only. `uid` changes when it is made anew, `etag` whenever it changes."""

    kind: str
    metadata: _Head

    @property
    def ref(self) -> EntityRef:
        """Its reference."""
        return entity_ref(self.kind, self.metadata.name, self.metadata.namespace)


@dataclass
class Walk:
    """What one walk over all pages brought; `doubt` says why it may not be all, "" when it is."""

    items: list[msgspec.Raw] = field(default_factory=list[msgspec.Raw])
    total: int = 0
    doubt: str = ""


_page = msgspec.json.Decoder(Page)
_batch = msgspec.json.Decoder(_Batch)
_row = msgspec.json.Decoder(Row)


class Catalog:
    """The entities of a Backstage catalog that its filters let through."""

    def __init__(self, api: Api, filters: Sequence[str]) -> None:
        self._api = api
        self._filters = tuple(filters)

    async def walk(self, fields: Sequence[str]) -> Walk:
        """All pages. A failure on a later page ends the walk with a doubt.

        It raises on the first page, and wherever the catalog no longer lets us in.
        """
        walk = Walk()
        page, limit = await self._first(fields)
        number, seen = 1, {""}
        walk.total = page.totalItems
        while True:
            walk.items.extend(page.items)
            cursor = page.pageInfo.nextCursor
            if not cursor:
                return walk
            if cursor in seen or number > walk.total or len(walk.items) > walk.total:
                walk.doubt = f"page {number}: its cursor leads on after {len(walk.items)} of {walk.total} entities"
                return walk
            seen.add(cursor)
            number += 1
            try:
                page, limit = await self._next(fields, cursor, limit)
            except Refused as error:
                raise Refused(f"page {number}: {error}") from None
            except Failure as error:
                walk.doubt = f"page {number}: {error}"
                return walk

    async def named(self, refs: Sequence[str]) -> list[msgspec.Raw | None]:
        """The entities by reference, in order; None for those that are gone."""
        found: list[msgspec.Raw | None] = []
        for batch in _batches(refs):
            answer = _decoded(_batch, await self._api.post(_BY_REFS, {"entityRefs": batch}))
            if len(answer.items) != len(batch):
                raise PermanentError(f"by-refs gave {len(answer.items)} entities for {len(batch)} references")
            found += [None if bytes(item) == b"null" else item for item in answer.items]
        return found

    async def _first(self, fields: Sequence[str]) -> tuple[Page, int]:
        query = [("orderField", "metadata.uid,asc"), *(("filter", each) for each in self._filters)]
        try:
            return await self._page(query, fields, LIMITS[0])
        except Refused as error:
            raise Refused(f"page 1: {error}") from None
        except TemporaryError as error:
            raise TemporaryError(f"page 1: {error}") from None
        except PermanentError as error:
            raise PermanentError(f"page 1: {error}") from None

    async def _next(self, fields: Sequence[str], cursor: str, limit: int) -> tuple[Page, int]:
        return await self._page([("cursor", cursor)], fields, limit)

    async def _page(self, query: list[tuple[str, str]], fields: Sequence[str], limit: int) -> tuple[Page, int]:
        chosen = [("fields", ",".join(fields))] if fields else []
        for fewer in (each for each in LIMITS if each <= limit):
            try:
                answer = await self._api.get(_BY_QUERY, [*query, ("limit", str(fewer)), *chosen])
                return _decoded(_page, answer), fewer
            except (BadRequest, TooLarge):
                if fewer == LIMITS[-1]:
                    raise
        raise AssertionError("the last limit returns or raises")


def _decoded(decoder: msgspec.json.Decoder[_T], answer: bytes) -> _T:
    try:
        return decoder.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"the answer is not what a catalog gives: {error}") from None


def row_of(item: msgspec.Raw) -> Row | None:
    """The entity's name and marks; None when it is no entity."""
    try:
        return _row.decode(item)
    except msgspec.DecodeError:
        return None


def _batches(refs: Sequence[str]) -> list[list[str]]:
    batches: list[list[str]] = [[]]
    size = 0
    for ref in refs:
        size += len(ref.encode()) + 3
        if size > LARGEST_QUESTION:
            batches.append([])
            size = len(ref.encode()) + 3
        batches[-1].append(ref)
    return [batch for batch in batches if batch]
