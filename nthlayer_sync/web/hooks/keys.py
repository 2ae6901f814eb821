"""The secrets of the hooks, as they hold now: several while one is replaced by another."""

from __future__ import annotations

import time
from collections.abc import Callable

from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.web.hooks.hook import Hook

SHORTEST = 16
"""Characters of each of several secrets. Where one would be shorter it is one secret, with blanks in it."""
MOST = 4
"""Secrets of one hook at a time: every delivery is checked against each."""
AGAIN = 5.0
"""Seconds before a secret that was not at hand is looked for again: forgeries must not make us ask for it each time."""


class Keys:
    """Looks secrets up where the settings say they are. `now` gives seconds."""

    def __init__(self, secrets: Secrets, now: Callable[[], float] = time.monotonic) -> None:
        self._secrets = secrets
        self._now = now
        self._missed: dict[str, float] = {}

    async def of(self, hook: Hook, ref: str) -> tuple[str, ...]:
        """The secrets of a hook; TemporaryError, which tells nothing of them, where they are not at hand."""
        if self._now() >= self._missed.get(ref, 0.0):
            try:
                found = several(await self._secrets.value(ref))
                for secret in found:
                    hook.scheme.check(secret)
                    hide(secret)
                return found
            except Failure as error:
                self._missed[ref] = self._now() + AGAIN
                log().error("hook.secret_missing", hook=hook.name, secret=ref, error=str(error))
        raise TemporaryError(f"the secret of the hook {hook.name} is not at hand; the log says why", delay=AGAIN)


def several(text: str) -> tuple[str, ...]:
    """The secrets in a text: several stand one behind the other, with blanks or line breaks between them.

    PermanentError where there are too many.
    """
    parts = tuple(text.split())
    if len(parts) > MOST and all(len(part) >= SHORTEST for part in parts):
        raise PermanentError(f"there are {len(parts)} secrets, and {MOST} at most can hold at a time")
    return parts if parts and all(len(part) >= SHORTEST for part in parts) else (text,)
