"""The keys that an issuer publishes: asked for when they are needed, seldom, and by one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from jwt import PyJWK, PyJWKSet, PyJWTError

from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Clock, Manners

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""How tokens may be signed: with the private half of a key whose public half is no secret, never with a shared one."""
FRESH = 3600.0
"""Seconds until keys are asked for again."""
KEPT = 24 * 3600.0
"""Seconds for which keys stay good while the issuer cannot be asked."""
PAUSE = 60.0
"""Seconds between two requests because of keys that nobody knows: everybody can invent such."""
RETRY = 10.0
"""Seconds between two requests while they fail."""
MANNERS = Manners(rate=5, burst=5, at_once=2, timeout=5, tries=2, pause=0.2, longest_wait=1, largest_answer=256 << 10)

Read = Callable[[], Awaitable[Any]]
"""Reads the JWK set as JSON."""


class BadToken(Exception):
    """The token lets nobody in; the message says why, for whom it was given to."""


class Keys:
    """The keys of one issuer. `name` is for messages."""

    def __init__(self, name: str, read: Read, clock: Clock) -> None:
        self._name = name
        self._read = read
        self._clock = clock
        self._keys: Mapping[str, PyJWK] = {}
        self._read_at = -KEPT
        self._asked_at = -KEPT
        self._failed = False
        self._asking = asyncio.Lock()

    async def find(self, kid: str) -> PyJWK:
        """The key of that id; with "", the only one.

        BadToken where there is none, TemporaryError where that cannot be found out now.
        """
        if not (self._age() < FRESH and self._known(kid)):
            async with self._asking:
                if self._is_due(kid):
                    await self._ask()
        key = self._known(kid) if self._age() < KEPT else None
        if key:
            return key
        if self._failed:
            raise TemporaryError(f"the keys of {self._name} cannot be read now", delay=RETRY)
        raise BadToken("the token is signed with a key that its issuer does not publish")

    def _age(self) -> float:
        return self._clock.now() - self._read_at

    def _known(self, kid: str) -> PyJWK | None:
        if not kid and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _is_due(self, kid: str) -> bool:
        waited = self._clock.now() - self._asked_at
        if self._failed:
            return waited >= RETRY
        return self._age() >= FRESH or (not self._known(kid) and waited >= PAUSE)

    async def _ask(self) -> None:
        self._asked_at = self._clock.now()
        self._failed = True
        try:
            self._keys = _usable(await self._read())
        except Failure as error:
            log().warning("keys of a login cannot be read", issuer=self._name, error=str(error))
        else:
            self._read_at = self._clock.now()
            self._failed = False


def _usable(document: object) -> dict[str, PyJWK]:
    """The keys that a token may be signed with; PermanentError where the document is no JWK set (RFC 7517)."""
    try:
        keys = PyJWKSet.from_dict(document).keys  # pyright: ignore[reportArgumentType] - it looks for itself
    except (PyJWTError, AttributeError, TypeError, ValueError) as error:
        raise PermanentError(f"it has no key set with usable keys: {error}") from None
    usable = {
        key.key_id or "": key
        for key in keys
        if key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig")
    }
    if not usable:
        raise PermanentError("none of its keys is for signatures that are accepted")
    return usable
