"""A config that somebody else writes too: after a few times in a day it is left to a person to say whose it is.

Two programs that each put their own value back would otherwise write for ever (strapi#9193, mailchimp-user-sync#46).
How often is often stands in the tier table under `guards.overwrites`.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.blueprint.tiers import Overwrites
from nthlayer_sync.engine.decide import RECREATES
from nthlayer_sync.model.diff import OVERWRITES, Action
from nthlayer_sync.model.plan import Applied, Change

_KEPT = 10
"""Times that are remembered of one config: as many as `guards.overwrites.count` may be."""


def quarantined(change: Change, applied: Applied | None, now: float, most: Overwrites) -> Change:
    """The change, or a `keep` in its place where it would overwrite once too often; `now` in seconds since 1970."""
    if applied is None or change.reason not in (OVERWRITES, RECREATES):
        return change
    if sum(abs(now - at) < most.within.seconds for at in applied.overwritten) < most.count:
        return change
    often = f"overwritten {most.count} times within {most.within}"
    reason = f"contested: {often}, and changed again; find out who else writes it"
    return msgspec.structs.replace(change, action=Action.KEEP, reason=reason)


def overwritten(change: Change, applied: Applied | None, now: float) -> tuple[float, ...]:
    """When a config was last overwritten, this change included."""
    before = applied.overwritten if applied else ()
    return (*before, now)[-_KEPT:] if change.reason in (OVERWRITES, RECREATES) else before
