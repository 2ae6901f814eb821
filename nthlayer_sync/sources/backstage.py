"""A Backstage catalog over its REST API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from nthlayer_sync.errors import Failure
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sources.api import ApiSettings, connected
from nthlayer_sync.sources.entities import Reading, read_array
from nthlayer_sync.sources.pages import Catalog, Walk, row_of

ROUNDS = 3
"""Looks at a catalog that changes while it is read, before the snapshot is handed on as incomplete."""

_HEADS = ("kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.etag")
_WHOLE = ("apiVersion", "kind", "metadata", "spec", "relations")
_MOSTLY = 0.5
"""Above this share of changed entities, reading all of them takes fewer requests than naming them."""


@dataclass
class Index:
    """Which entities the catalog holds: (uid, etag) by reference. `doubt` says why it may not be all of them."""

    heads: dict[EntityRef, tuple[str, str]] = field(default_factory=dict[EntityRef, tuple[str, str]])
    doubt: str = ""
    failed: bool = False
    """Whether the walk itself broke off."""
    diagnoses: list[Diagnosis] = field(default_factory=list[Diagnosis])

    @property
    def digest(self) -> str:
        """Over names, identities and change marks of all entities."""
        digest = blake2b(digest_size=16)
        for ref, (uid, etag) in sorted(self.heads.items()):
            digest.update(f"{ref}\0{uid}\0{etag}\0".encode())
        digest.update(self.doubt.encode())
        return digest.hexdigest()


class BackstageSource:
    """The entities of a Backstage catalog, or those that pass the `filters`, as its API writes them: `kind=component`.

    It keeps what it read: the next read asks for what has changed since.
    """

    def __init__(self, name: str, settings: ApiSettings, *, filters: Sequence[str] = ()) -> None:
        self.name = name
        self.scope = " ".join((settings.url.rstrip("/"), *filters))
        self._settings = settings
        self._filters = tuple(filters)
        self._known: dict[EntityRef, tuple[str, Reading]] = {}
        self._index: Index | None = None

    async def look(self) -> str:
        """The digest over the change marks of all entities."""
        try:
            async with connected(self._settings) as api:
                self._index = await _index(Catalog(api, self._filters))
        except Failure:
            self._index = None
            return ""
        return self._index.digest if not self._index.doubt else ""

    async def read(self) -> Snapshot:
        """All entities, as they were at one moment; incomplete when that moment could not be had."""
        index, self._index = self._index, None
        try:
            async with connected(self._settings) as api:
                catalog = Catalog(api, self._filters)
                index = index or await _index(catalog)
                index, doubt = await self._catch_up(catalog, index)
        except Failure as error:
            reason = str(error)
            return Snapshot(
                source=self.name, scope=self.scope, completeness=Completeness.FAILED, reason=reason, digest=""
            )
        return await asyncio.to_thread(self._snapshot, index, doubt)

    async def _catch_up(self, catalog: Catalog, index: Index) -> tuple[Index, str]:
        """Fetch until what is known is what the index says; the last index, and why it may not be all."""
        for _ in range(ROUNDS):
            changed = self._changed(index)
            if not changed:
                return index, index.doubt
            try:
                doubt = await self._fetch(catalog, changed, index)
            except Failure as error:
                if not self._known:
                    raise
                return index, str(error)
            if doubt:
                return index, doubt
            if self._changed(index):
                index = await _index(catalog)
        changed = self._changed(index)
        return index, index.doubt or (f"{len(changed)} entities kept changing while they were read" if changed else "")

    def _changed(self, index: Index) -> list[EntityRef]:
        known = self._known
        return [ref for ref, (_, etag) in index.heads.items() if ref not in known or known[ref][0] != etag]

    async def _fetch(self, catalog: Catalog, refs: list[EntityRef], index: Index) -> str:
        """Fetch these entities, with all others where that is less work; says what went wrong on the way."""
        if not index.failed and len(refs) > _MOSTLY * len(index.heads):
            walk = await catalog.walk(_WHOLE)
            await asyncio.to_thread(self._learn, walk.items)
            return walk.doubt
        items = await catalog.named(refs)
        for ref in (ref for ref, item in zip(refs, items, strict=True) if item is None):
            self._known.pop(ref, None)
        await asyncio.to_thread(self._learn, [item for item in items if item is not None])
        return ""

    def _learn(self, items: Sequence[msgspec.Raw]) -> None:
        heads = map(row_of, items)
        for head, reading in zip(heads, read_array(b"[" + b",".join(map(bytes, items)) + b"]"), strict=True):
            if head:
                self._known[head.ref] = (head.metadata.etag, reading)

    def _snapshot(self, index: Index, doubt: str) -> Snapshot:
        for ref in self._known.keys() - index.heads.keys():
            del self._known[ref]
        entities: list[Entity] = []
        diagnoses = list(index.diagnoses)
        refused: list[EntityRef] = []
        for ref in sorted(self._known):
            etag, reading = self._known[ref]
            if etag != index.heads[ref][1]:
                continue
            if reading.entity:
                entities.append(reading.entity)
            else:
                refused.append(ref)
            diagnoses.extend(problem.diagnosis(entity=ref) for problem in reading.problems)
        return Snapshot(
            source=self.name,
            scope=self.scope,
            completeness=Completeness.INCOMPLETE if doubt else Completeness.COMPLETE,
            reason=doubt or f"totalItems {len(index.heads)} = rows = distinct uids; {len(refused)} cannot be taken",
            digest=index.digest,
            entities=tuple(entities),
            diagnoses=tuple(diagnoses),
            refused=frozenset(refused),
        )


async def _index(catalog: Catalog) -> Index:
    index = _indexed(await catalog.walk(_HEADS))
    if index.doubt and not index.failed:
        # Entities that come or go during a walk shift its pages; a second walk tells that from a catalog at fault.
        index = _indexed(await catalog.walk(_HEADS))
    return index


def _indexed(walk: Walk) -> Index:
    """What the walk saw, held against what the catalog says of itself."""
    index = Index(doubt=walk.doubt, failed=bool(walk.doubt))
    owner_of: dict[str, EntityRef] = {}
    unmarked = twice = 0
    for item in walk.items:
        head = row_of(item)
        if head is None:
            unmarked += 1
            continue
        ref, uid, etag = head.ref, head.metadata.uid, head.metadata.etag
        unmarked += not (uid and etag)
        known = index.heads.setdefault(ref, (uid, etag))
        other = owner_of.setdefault(uid, ref)
        twice += known != (uid, etag) or other != ref
        if known[0] != uid:
            index.diagnoses.append(_clash(ref, f"{ref} stands in the catalog twice, as {known[0]} and {uid}"))
        if uid and other != ref:
            index.diagnoses.append(_clash(ref, f"{other} and {ref} have the same uid {uid}"))
    rows = len(walk.items)
    if index.doubt:
        return index
    if rows != walk.total:
        index.doubt = f"the catalog says it has {walk.total} entities and gave {rows}"
    elif unmarked:
        index.doubt = f"{unmarked} of {rows} entities have no uid or no etag"
    elif len(index.heads) != rows or twice:
        index.doubt = f"{rows} rows name {len(index.heads)} entities with {len(owner_of)} uids"
    elif not rows:
        index.doubt = "the catalog is empty, which proves nothing"
    return index


def _clash(ref: EntityRef, message: str) -> Diagnosis:
    return Diagnosis(code="entity-clash", message=message, severity=Severity.WARNING, entity=ref)
