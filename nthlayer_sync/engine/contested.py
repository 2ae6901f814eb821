"""A config that somebody else writes too: after a few times in a day it is left to a person to say whose it is.

Two programs that each put their own value back would otherwise write for ever (strapi#9193, mailchimp-user-sync#46).
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.engine.decide import RECREATES
from nthlayer_sync.model.diff import OVERWRITES, Action
from nthlayer_sync.model.plan import Applied, Change

MOST = 3
"""Times that one config is overwritten within `WITHIN`: a person edits once or twice, a program always."""
WITHIN = 24 * 3600.0
"""Seconds; after that it is tried again, in case the other has stopped."""


def quarantined(change: Change, applied: Applied | None, now: float) -> Change:
    """The change, or a `keep` in its place where it would overwrite once too often; `now` in seconds since 1970."""
    if applied is None or change.reason not in (OVERWRITES, RECREATES):
        return change
    if sum(abs(now - at) < WITHIN for at in applied.overwritten) < MOST:
        return change
    reason = f"contested: overwritten {MOST} times within a day, and changed again; find out who else writes it"
    return msgspec.structs.replace(change, action=Action.KEEP, reason=reason)


def overwritten(change: Change, applied: Applied | None, now: float) -> tuple[float, ...]:
    """When a config was last overwritten, this change included."""
    before = applied.overwritten if applied else ()
    return (*before, now)[-MOST:] if change.reason in (OVERWRITES, RECREATES) else before
