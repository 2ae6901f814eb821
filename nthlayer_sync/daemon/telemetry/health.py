"""Whether the daemon is well: what works in it says how it goes, probes and scrapes ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Never

from nthlayer_sync.engine.log import log
from nthlayer_sync.model.plan import SourceState
from nthlayer_sync.model.snapshot import Completeness
from nthlayer_sync.sdk.store import SharedStore

STUCK = 30.0
"""Seconds after which an event loop that comes to nothing is not alive."""
BEAT = 0.5
"""Seconds between two looks at how late the event loop is."""
ANSWER = 1.0
"""Seconds that the store may take to answer before the daemon is not ready."""


@dataclass
class SourceHealth:
    """How the reads of one source go; times by the clock of `Health`."""

    known: bool = False
    """Whether what it says was read, or restored from the store, since the daemon started."""
    complete: bool = True
    """Whether the last read was complete."""
    since: float = 0.0
    """When the last complete read was, or when this replica began to lead."""


class Health:
    """How one daemon is.

    The daemon sets `leading`, `stopping` and `tasks`, none of which ends before it stops, and `synced` to the time of
    each full sync, in seconds since 1970.
    """

    def __init__(self, sources: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._leading = False
        self.stopping = False
        self.synced = 0.0
        self.tasks: Collection[asyncio.Task[None]] = ()
        self._clock = clock
        self._beat = clock()
        self._sources = {name: SourceHealth(since=self._beat) for name in sources}

    @property
    def leading(self) -> bool:
        """Whether this replica reads the sources."""
        return self._leading

    @leading.setter
    def leading(self, leading: bool) -> None:
        if leading and not self._leading:
            for source in self._sources.values():  # until now others read them
                source.since = self._clock()
        self._leading = leading

    def source_restored(self, name: str) -> None:
        """What a source says is known from the store; another replica reads it."""
        self._source(name).known = True

    def source_read(self, state: SourceState) -> None:
        """A source was read, or found not to have changed."""
        source = self._source(state.name)
        source.complete = state.completeness == Completeness.COMPLETE
        source.known |= state.completeness != Completeness.FAILED
        if source.complete:
            source.since = self._clock()

    def staleness(self) -> dict[str, float]:
        """Seconds since the last complete read of each source, or since this replica leads if there was none."""
        return {name: self._clock() - source.since for name, source in self._sources.items()}

    def complete(self) -> dict[str, bool]:
        """Whether the last read of each source was complete."""
        return {name: source.complete for name, source in self._sources.items()}

    async def beat(self, lagged: Callable[[float], None]) -> Never:
        """Proves for ever that the event loop comes to what is due; `lagged` hears how late, in seconds."""
        while True:
            due = self._clock() + BEAT
            await asyncio.sleep(BEAT)
            self._beat = self._clock()
            lagged(max(self._beat - due, 0.0))

    def dead(self) -> dict[str, str]:
        """What only a new start would mend, by name of the check.

        An event loop that is stuck now does not even answer the probe; one that just came back says so here.
        """
        found: dict[str, str] = {}
        if self._clock() - self._beat >= STUCK:
            found["loop"] = f"the event loop came to nothing for {STUCK:g} s"
        if not self.stopping and any(task.done() for task in self.tasks):
            found["tasks"] = "a part of the daemon ended before its time"
        return found

    def started(self) -> bool:
        """Whether it is known what every source says."""
        return all(source.known for source in self._sources.values())

    def unready(self, stored: str) -> dict[str, str]:
        """What keeps the daemon from its work now, by name of the check; `stored` is what is wrong with the store.

        Nothing of it tells about the installation.
        """
        found = {"store": stored}
        if not self.started():
            found["sources"] = "not every source was read yet"
        if self.stopping:
            found["stopping"] = "it is stopping"
        return {check: problem for check, problem in found.items() if problem}

    def _source(self, name: str) -> SourceHealth:
        return self._sources.setdefault(name, SourceHealth(since=self._clock()))


async def trouble(store: SharedStore) -> str:
    """What is wrong with the store, "" when it answers."""
    try:
        async with asyncio.timeout(ANSWER):
            await store.generation()
    except TimeoutError:
        return f"it does not answer within {ANSWER:g} s"
    except Exception as error:
        # Whatever it is: a probe that finds something wrong says so.
        log().error("store.failed", exc_info=error)
        return "it cannot be used"
    return ""
