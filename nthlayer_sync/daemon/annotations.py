"""What we want to stand on the entities of a catalog: one answer for all of them, for a processor of Backstage.

It says the same as what `backstage/annotations` writes into catalog files, for entities that stand in no file too.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from nthlayer_sync.engine.remotes import remotes_of
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Service
from nthlayer_sync.model.written import records
from nthlayer_sync.sdk.kind import Kind
from nthlayer_sync.sdk.store import SharedStore

KIND = "backstage/annotations"
CHUNK = 250
"""Entities of which the store is asked at once."""
SLICE = 0.01
"""Seconds of work after which others have their turn."""
LOOK_BACK = 3600.0
"""Seconds of writes that are counted to see whether there were new ones: longer than any write takes."""


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is to stand on one entity."""

    annotations: Mapping[str, str]
    links: tuple[Mapping[str, str], ...] = ()


class Snapshot(msgspec.Struct, frozen=True):
    """All of it: JSON by entity, JSON of everything, and the strong ETag of that."""

    entities: Mapping[EntityRef, bytes]
    body: bytes
    etag: str


class _Made(msgspec.Struct, frozen=True):
    """What is to stand on one entity, and what it was made of."""

    of: tuple[bytes, Mapping[str, str]]
    text: bytes


class Annotations:
    """Makes the snapshot anew where the graph moved, or a vendor gave something a new id."""

    def __init__(self, engine: Engine, store: SharedStore) -> None:
        self._engine = engine
        self._store = store
        self._kind: Kind[Any, Any] | None = engine.generator.kinds.get(KIND)
        self._refers = [name for name in self._kind.refers if name in engine.generator.kinds] if self._kind else []
        self._lock = asyncio.Lock()
        self._since = time.time() - LOOK_BACK
        self._made: dict[EntityRef, _Made] = {}
        self._mark: tuple[int, int] | None = None
        self._snapshot = Snapshot({}, b"{}", "")

    async def snapshot(self) -> Snapshot:
        """What is to stand on the entities now; the same object while that has not changed."""
        async with self._lock:
            mark = (self._engine.graph.revision, await self._writes())
            if mark != self._mark:
                self._since = time.time() - LOOK_BACK
                mark = (mark[0], await self._writes())
                self._snapshot = await self._renewed()
                self._mark = mark
            return self._snapshot

    async def _writes(self) -> int:
        """How many objects whose ids we show were written lately."""
        if not self._refers:
            return 0
        written = await self._store.written(self._since)
        return sum(count for kind in self._refers for count in written.get(kind, {}).values())

    async def _renewed(self) -> Snapshot:
        refs = sorted(ref for ref in self._engine.graph.entities if ref.startswith("component:"))
        made: dict[EntityRef, _Made] = {}
        until = time.monotonic() + SLICE
        for first in range(0, len(refs), CHUNK):
            chunk = refs[first : first + CHUNK]
            remotes = await self._remotes(chunk)
            for ref in chunk:
                if (one := self._one(ref, remotes.get(ref, {}))) is not None:
                    made[ref] = one
                if time.monotonic() >= until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + SLICE
        self._made = made
        return await asyncio.to_thread(_joined, {ref: one.text for ref, one in made.items()})

    async def _remotes(self, refs: Collection[EntityRef]) -> dict[EntityRef, dict[str, str]]:
        if self._kind is None or not self._refers:
            return {}
        memories = await self._store.memories(refs)
        return {ref: remotes_of(self._kind, memory.applied) for ref, memory in memories.items()}

    def _one(self, ref: EntityRef, remotes: Mapping[str, str]) -> _Made | None:
        """What is wanted on one entity; None where nothing is, or it cannot be made."""
        subject = self._engine.subject(ref)
        if self._kind is None or not isinstance(subject, Service):
            return None
        of = (self._engine.generator.fingerprint(subject), remotes)
        known = self._made.get(ref)
        if known is not None and known.of == of:
            return known
        try:
            content = _content(self._kind, subject, remotes)
        except Exception:  # bad input or a bug: the plan of the entity says so, and the others are not to suffer
            return None
        return _Made(of, msgspec.json.encode(content))


def _content(kind: Kind[Any, Any], service: Service, remotes: Mapping[str, str]) -> Content:
    """What is wanted on one entity, with the records by which we know our own words when the catalog is read again."""
    annotations: dict[str, str] = {}
    links: list[Mapping[str, str]] = []
    for spec in kind.generate(service):
        wanted = msgspec.json.decode(kind.content(msgspec.structs.replace(spec, remotes=dict(remotes))), type=Content)
        annotations |= wanted.annotations
        links += wanted.links
    return Content(annotations | records(annotations, [link["url"] for link in links]), tuple(links))


def _joined(texts: Mapping[EntityRef, bytes]) -> Snapshot:
    body = b"{" + b",".join(msgspec.json.encode(ref) + b":" + text for ref, text in texts.items()) + b"}"
    return Snapshot(texts, body, f'"{urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()}"')
