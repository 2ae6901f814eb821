"""What we want to stand on the entities of a catalog: one answer for all of them, for a processor of Backstage.

It says the same as what `backstage/annotations` writes into catalog files, for entities that stand in no file too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from pydantic import RootModel

from nthlayer_sync.engine.remotes import remotes_of
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Service
from nthlayer_sync.model.written import records
from nthlayer_sync.sdk.kind import Kind
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.web import etags
from nthlayer_sync.web.api.whole import SLICE
from nthlayer_sync.web.route import Context, Encoded, Route

KIND = "backstage/annotations"
CHUNK = 250
"""Entities of which the store is asked at once."""
LOOK_BACK = 3600.0
"""Seconds of writes that are counted to see whether there were new ones: longer than any write takes."""


class AnnotationsShown(RootModel[dict[str, dict[str, str]]]):
    """Annotations by entity reference; an entity that is left out gets none."""


class _Made(msgspec.Struct, frozen=True):
    """The annotations of one entity, and what they were made of."""

    of: tuple[bytes, Mapping[str, str]]
    text: bytes


class _Snapshot:
    """All annotations as bytes; made anew where the graph moved, or a vendor gave something a new id."""

    def __init__(self, engine: Engine, store: SharedStore) -> None:
        self._engine = engine
        self._store = store
        self._kind: Kind[Any, Any] | None = engine.generator.kinds.get(KIND)
        self._refers = [name for name in self._kind.refers if name in engine.generator.kinds] if self._kind else []
        self._lock = asyncio.Lock()
        self._since = time.time() - LOOK_BACK
        self._made: dict[EntityRef, _Made] = {}
        self._mark: tuple[int, int] | None = None
        self._answer = Encoded(b"{}")

    async def answer(self) -> Encoded:
        """All annotations now."""
        async with self._lock:
            mark = (self._engine.graph.revision, await self._writes())
            if mark != self._mark:
                self._since = time.time() - LOOK_BACK
                mark = (mark[0], await self._writes())
                self._answer = await self._renewed()
                self._mark = mark
            return self._answer

    async def _writes(self) -> int:
        """How many objects whose ids we show were written lately."""
        if not self._refers:
            return 0
        written = await self._store.written(self._since)
        return sum(count for kind in self._refers for count in written.get(kind, {}).values())

    async def _renewed(self) -> Encoded:
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
        body = b"{" + b",".join(msgspec.json.encode(ref) + b":" + one.text for ref, one in made.items()) + b"}"
        return Encoded(body, etag=await asyncio.to_thread(etags.of, body))

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
            annotations = _annotations(self._kind, subject, remotes)
        except Exception:  # bad input or a bug: the plan of the entity says so, and the others are not to suffer
            return None
        return _Made(of, msgspec.json.encode(annotations))


def _annotations(kind: Kind[Any, Any], service: Service, remotes: Mapping[str, str]) -> dict[str, str]:
    """What is wanted on one entity, with the records by which we know our own words when the catalog is read again."""
    wanted: dict[str, str] = {}
    for spec in kind.generate(service):
        content = kind.content(msgspec.structs.replace(spec, remotes=dict(remotes)))
        wanted |= msgspec.json.decode(content)["annotations"]
    return wanted | records(wanted, ())


_SNAPSHOTS = WeakKeyDictionary[Engine, _Snapshot]()


async def get_annotations(context: Context) -> Encoded:
    """What we want to stand on each entity of the catalog, in one answer; its ETag changes when any of it does."""
    engine = context.daemon.engine
    if engine not in _SNAPSHOTS:
        _SNAPSHOTS[engine] = _Snapshot(engine, context.daemon.store)
    return await _SNAPSHOTS[engine].answer()


ROUTES = (
    Route("GET", "/api/v1/annotations", "Annotations of all entities", AnnotationsShown, get_annotations,
          "annotations"),
)  # fmt: skip
