"""announcer: tells Backstage of which entities there is something new to be shown, as soon as there is.

Nothing is kept of what was told: who is not reached, or not at all, asks for the whole snapshot every half minute, and
what has changed shows in its ETag. A queue would only shorten that half minute, and only where the daemon stops within
it. So one that does not get through is told again with all that changed since, for as long as the daemon lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nthlayer_sync.daemon.annotations import Annotations
from nthlayer_sync.daemon.stopping import pause
from nthlayer_sync.daemon.telemetry.health import Health
from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.ref import EntityRef

Announce = Callable[[Sequence[EntityRef], str], Awaitable[None]]
"""Tells of entities, and the ETag of the snapshot that says what is new."""

PERIOD = 0.25
"""Seconds between two looks."""
REFUSED = 300.0
"""Seconds until somebody who refused is told again."""


class Announcer:
    """The leader tells; other replicas only keep up with what it has told."""

    def __init__(self, annotations: Annotations, announce: Announce, health: Health) -> None:
        self._annotations = annotations
        self._announce = announce
        self._health = health
        self._told: Mapping[EntityRef, bytes] | None = None

    async def watch(self, stopping: asyncio.Event) -> None:
        """Look again and again, until we are told to stop."""
        while not stopping.is_set():
            delay = PERIOD
            try:
                await self.look()
            except TemporaryError as error:
                log().info("announcement.postponed", error=str(error))
                delay = max(error.delay, PERIOD)
            except PermanentError as error:
                log().warning("announcement.refused", error=str(error))
                delay = REFUSED
            except Exception:
                log().exception("announcement.broken")
                delay = REFUSED
            await pause(stopping, delay)

    async def look(self) -> None:
        """Tell what is new since the last look that got through; at the first, everything is as it was."""
        snapshot = await self._annotations.snapshot()
        told, now = self._told, snapshot.entities
        if told is not None and told is not now and self._health.leading:
            changed = sorted(ref for ref in told.keys() | now.keys() if told.get(ref) != now.get(ref))
            if changed:
                await self._announce(changed, snapshot.etag)
        self._told = now
