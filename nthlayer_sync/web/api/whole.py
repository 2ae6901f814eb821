"""Answers about the whole graph, worked out once for each state that it is in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.web.api.pages import Rows

T = TypeVar("T")

SLICE = 0.01
"""Seconds of work after which other requests, and the daemon itself, have their turn."""
TRIES = 2
"""How often it is begun again where the graph moved; then it goes through without a stop."""


class Whole(Generic[T]):
    """What `work` finds in a graph, each once, in order of its `key`. `work` yields None where it may be interrupted.

    Where the graph moves in the meantime it begins again.
    """

    def __init__(self, work: Callable[[Engine], Iterator[T | None]], key: Callable[[T], str]) -> None:
        self._work = work
        self._key = key
        self._known = WeakKeyDictionary[Engine, tuple[int, Rows[T]]]()
        self._locks = WeakKeyDictionary[Engine, asyncio.Lock]()

    async def of(self, engine: Engine) -> Rows[T]:
        """All that is found, with its keys; whoever asks at the same time waits for the same answer."""
        async with self._locks.setdefault(engine, asyncio.Lock()):
            known = self._known.get(engine)
            if known is None or known[0] != engine.graph.revision:
                known = self._known[engine] = await self._anew(engine)
            return known[1]

    async def _anew(self, engine: Engine) -> tuple[int, Rows[T]]:
        for _ in range(TRIES):
            if (found := await self._found(engine, SLICE)) is not None:
                return found
        found = await self._found(engine, float("inf"))
        assert found is not None
        return found

    async def _found(self, engine: Engine, slice: float) -> tuple[int, Rows[T]] | None:
        """All that is found and the state it was found in; None where the graph moved."""
        revision, found, until = engine.graph.revision, dict[str, T](), time.monotonic() + slice
        for each in self._work(engine):
            if each is not None:
                found.setdefault(self._key(each), each)
            if time.monotonic() >= until:
                await asyncio.sleep(0)
                if engine.graph.revision != revision:
                    return None
                until = time.monotonic() + slice
        return revision, sorted(found.items(), key=itemgetter(0))
