"""propose: a pull request for each repository with something on our branch that is not merged."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from nthlayer_sync.errors import Failure
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Service, Subject, Team
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.hosting import Configs, Proposed
from nthlayer_sync.sdk.store import Store

ROOTS_AT_ONCE = 8
"""Repositories at the same time."""


@dataclass(frozen=True)
class Asked:
    """In the name of which plan; what was just committed to; and where alone to look, None for everywhere."""

    plan: str
    written: frozenset[str] = frozenset()
    among: Collection[str] | None = None


async def propose(
    store: Store, files: FileTarget, subject: Callable[[EntityRef], Subject | None], asked: Asked
) -> list[Proposed]:
    """Bring every pull request to where its branch is; a failure is told, and made good by the next apply.

    `subject` gives a subject by reference, None when it is gone.
    """
    prefix = f"{files.name} "
    states = {name.removeprefix(prefix): s for name, s in (await store.roots()).items() if name.startswith(prefix)}
    new = {root for root in asked.written if files.proposes(root, "")}
    roots = sorted(new | {root for root, state in states.items() if files.proposes(root, state)})
    if asked.among is not None:
        roots = [root for root in roots if root in asked.among]
    if not roots:
        return []
    gate, memory = asyncio.Semaphore(ROOTS_AT_ONCE), _Memory(store, frozenset(roots), subject)

    async def one(root: str) -> Proposed | None:
        async def describe() -> Mapping[str, Configs]:
            return (await memory.read()).get(root, {})

        async with gate:
            try:
                return await files.propose(root, asked.plan, describe)
            except Exception as error:  # bad input or a bug: it stops this repository only
                reason = str(error) if isinstance(error, Failure) else f"bug: {type(error).__name__}: {error}"
                return Proposed(root=root, did="failed", trouble=reason)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(root)) for root in roots]
    return [proposed for task in tasks if (proposed := task.result()) is not None]


class _Memory:
    """The configs of some repositories by path, read once and only when something has to be described."""

    def __init__(self, store: Store, roots: frozenset[str], subject: Callable[[EntityRef], Subject | None]) -> None:
        self._store = store
        self._roots = roots
        self._subject = subject
        self._lock = asyncio.Lock()
        self._found: dict[str, dict[str, Configs]] | None = None

    async def read(self) -> Mapping[str, Mapping[str, Configs]]:
        async with self._lock:
            if self._found is None:
                self._found = await self._read()
        return self._found

    async def _read(self) -> dict[str, dict[str, Configs]]:
        ids: defaultdict[str, defaultdict[str, list[ConfigId]]] = defaultdict(lambda: defaultdict(list))
        async for ref, memory in self._store.each_memory():
            for applied in memory.applied:
                if applied.place.root in self._roots:
                    ids[applied.place.root][applied.place.path].append(ConfigId(applied.kind, ref, applied.name))
        return {root: {path: self._configs(found) for path, found in paths.items()} for root, paths in ids.items()}

    def _configs(self, ids: list[ConfigId]) -> Configs:
        subjects = sorted({id.subject for id in ids})
        handles = (_handle(self._subject(ref)) for ref in subjects)
        return Configs(tuple(sorted(ids)), tuple(dict.fromkeys(handle for handle in handles if handle)))


def _handle(subject: Subject | None) -> str:
    """How the code host names who owns it."""
    if isinstance(subject, Service):
        return subject.owner.handle if subject.owner else ""
    return subject.contact.handle if isinstance(subject, Team) else ""
