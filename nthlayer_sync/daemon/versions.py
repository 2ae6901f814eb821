"""versions: while replicas are replaced one by one, only those of the version that was started last write.

Two versions of the program or of its settings make different things of the same facts. Working side by side, each would
put right what the other one wrote. Who stands by goes on as soon as nobody runs the newer version any more, so that one
that cannot run stops nobody for long.
"""

from __future__ import annotations

import time

import msgspec

from nthlayer_sync.engine.log import log
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.run import Event
from nthlayer_sync.sdk.store import SharedStore

TOPIC = "version"
"""The notes of who runs what; the key is version and replica, so that each writes its own only."""
STANDBY = 1.0
"""Seconds between two looks of who stands by."""
_HOLDS = 4
"""Lengths of a lease for which a version counts as running after a replica was last heard of."""
_KEPT = 86_400.0
"""Seconds that a note is kept: clocks of replicas may differ, so who is alive is told by notes that go on changing."""
_FRESH = 1.0
"""Seconds after which the notes are read again."""


class Running(msgspec.Struct, frozen=True):
    """That a replica runs a version, and when it took it up (seconds since 1970, later than all it found)."""

    version: str
    replica: str
    since: float
    told: float
    """When it last said so, by its own clock; only whether it changes counts."""


class Versions:
    """Whether this replica may write, as far as versions go."""

    def __init__(self, engine: Engine, store: SharedStore, replica: str, lease: float) -> None:
        self._engine = engine
        self._store = store
        self._replica = replica
        self._lease = lease
        self._since = 0.0
        self._told = self._read = float("-inf")
        self._newest = ""
        self._heard: dict[str, tuple[float, float]] = {}

    async def begin(self) -> None:
        """Say what we run. A replica that only starts again does not overtake those that were started after it."""
        running = await self._running()
        newest = max((one.since for one in running), default=0.0)
        before = max((one for one in running if one.replica == self._replica), key=lambda one: one.since, default=None)
        again = before is not None and before.version == self._engine.version
        self._since = before.since if before and again else max(time.time(), newest + 0.001)
        await self._tell()

    async def current(self) -> bool:
        """Whether nobody runs another version that was taken up later; as last known where the store is away."""
        now = time.monotonic()
        if now - self._read < _FRESH:
            return self._newest in ("", self._engine.version)
        try:
            if now - self._told > self._lease / 2:
                await self._tell()
            newest = max(await self._running(), key=lambda one: one.since, default=None)
            self._read = now
            await self._learn(newest)
        except TemporaryError as error:
            log().warning("version.unknown", error=str(error))
        return self._newest in ("", self._engine.version)

    @property
    def _me(self) -> tuple[str, str]:
        return self._engine.version, self._replica

    async def _learn(self, newest: Running | None) -> None:
        before, self._newest = self._newest, newest.version if newest else ""
        if newest is not None and self._newest not in (before, self._engine.version):
            text = f"{self._replica} stands by: {newest.replica} runs another version, and was started later"
            log().warning("version.superseded", newer=newest.replica)
            await self._store.record([Event(at=time.time(), name="replica.superseded", text=text)])

    async def _tell(self) -> None:
        note = msgspec.json.encode(Running(*self._me, self._since, time.time()))
        await self._store.pin(TOPIC, " ".join(self._me), note, time.time() + _KEPT)
        self._told = time.monotonic()

    async def _running(self) -> list[Running]:
        """Who said anything new lately, as far as we listened."""
        now, before = time.monotonic(), self._heard
        found = {key: msgspec.json.decode(n, type=Running) for key, n in (await self._store.notes(TOPIC)).items()}
        self._heard = {}
        for key, one in found.items():
            told, at = before.get(key, (one.told, now))
            self._heard[key] = (one.told, at if told == one.told else now)
        return [one for key, one in found.items() if now - self._heard[key][1] < _HOLDS * self._lease]
