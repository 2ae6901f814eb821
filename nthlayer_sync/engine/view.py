"""The memory of an engine, seen through glass: it can be read, and supposed to be otherwise, but not written."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Entry, Kept, Memory, Planned, Recollection, Store, Trace


class View(Store):
    """A store over another: what sources are supposed to have said and the last plan are kept here, writes nowhere."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, Kept] = {}
        self._parts: list[Part] = []

    def forget(self) -> None:
        """See the memory as it is again."""
        self._kept.clear()
        self._parts.clear()

    # What is read as it is.

    async def unsettled(self) -> int:
        """As in the memory."""
        return await self._store.unsettled()

    async def traces(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Trace]:
        """As in the memory."""
        return await self._store.traces(refs)

    async def memories(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Memory]:
        """As in the memory."""
        return await self._store.memories(refs)

    async def recollect(self, fingerprints: Mapping[EntityRef, bytes]) -> Recollection:
        """As in the memory."""
        return await self._store.recollect(fingerprints)

    async def called(self, uids: Collection[str]) -> list[EntityRef]:
        """As in the memory."""
        return await self._store.called(uids)

    def each_memory(self) -> AsyncIterator[tuple[EntityRef, Memory]]:
        """As in the memory."""
        return self._store.each_memory()

    async def existing(self) -> dict[str, int]:
        """As in the memory."""
        return await self._store.existing()

    async def roots(self) -> dict[str, str]:
        """As in the memory."""
        return await self._store.roots()

    async def journal(self, plan: str = "") -> list[Entry]:
        """As in the memory."""
        return await self._store.journal(plan)

    async def plan(self, id: str) -> Plan | None:
        """As in the memory."""
        return await self._store.plan(id)

    async def undoable(self, limit: int = 20) -> list[tuple[str, int]]:
        """As in the memory."""
        return await self._store.undoable(limit)

    async def written(self, since: float) -> dict[str, dict[str, int]]:
        """As in the memory."""
        return await self._store.written(since)

    # What can be otherwise.

    async def kept(self, source: str) -> Kept | None:
        """What a source is supposed to have said, or did say."""
        return self._kept.get(source) or await self._store.kept(source)

    async def read_digests(self) -> dict[str, str]:
        """The same of every source."""
        return await self._store.read_digests() | {name: kept.read_digest for name, kept in self._kept.items()}

    async def keep(self, source: str, kept: Kept, changed: Collection[EntityRef] | None = None) -> None:
        """Suppose that a source said this."""
        self._kept[source] = kept

    async def save_plan(self, rows: AsyncIterable[Sequence[Planned]], head: Callable[[], Plan]) -> Plan:
        """Keep the parts of this plan, in place of those of the one before."""
        self._parts = [planned.part async for chunk in rows for planned in chunk if planned.part]
        return head()

    async def parts(self, id: str) -> AsyncIterator[Part]:
        """The parts of the last plan, in order of subject."""
        for part in sorted(self._parts, key=lambda part: part.subject):
            yield part

    # What is not written.

    async def drop(self, source: str) -> None:
        """Nothing."""

    async def see_roots(self, states: Mapping[str, str]) -> None:
        """Nothing."""

    async def doubt(self, refs: Collection[EntityRef]) -> None:
        """Nothing."""

    def applying(self) -> AbstractAsyncContextManager[None]:
        """Nothing is applied, so nobody has to wait."""
        return nullcontext()

    async def intend(self, entries: Sequence[Entry]) -> None:
        """Nothing."""

    async def finish(self, entries: Sequence[Entry], applied: Mapping[ConfigId, Applied | None]) -> None:
        """Nothing."""

    async def forget_entries(self, entries: Sequence[Entry]) -> None:
        """Nothing."""
