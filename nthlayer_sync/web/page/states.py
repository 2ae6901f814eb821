"""How entities stand: in step, not yet, paused, failing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from nthlayer_sync.daemon.policies import EVERYTHING, Note
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Trace
from nthlayer_sync.sdk.work import Topic

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon


class Way(StrEnum):
    """How an entity stands, the best first."""

    SETTLED = "settled"
    """All that was made of it is live."""
    OPEN = "open"
    """Something waits, was changed by hand, is held, refused, or is still to be written."""
    PAUSED = "paused"
    FAILING = "failing"
    """It could not be looked at, and is tried again."""


async def states_of(daemon: Daemon, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Way]:
    """How each of some entities stands, or each that is remembered; those that nothing is made for are left out."""
    traces = await daemon.store.traces(refs)
    failing = await daemon.work.errors(Topic.SUBJECT)
    pauses = (await daemon.policies.said()).pauses
    return {ref: _way(ref, trace, failing, pauses) for ref, trace in traces.items()}


def by_tier(daemon: Daemon, states: Mapping[EntityRef, Way]) -> dict[str, Counter[Way]]:
    """How many services of each tier stand how, the strictest first."""
    subjects = daemon.engine.subjects
    found = {tier: Counter[Way]() for tier in dict.fromkeys(subjects.tiers.names.values())}
    for ref, way in states.items():
        tier = subjects.tier(ref) if ref.startswith("component:") else ""
        if tier in found:
            found[tier][way] += 1
    return {tier: count for tier, count in found.items() if count}


def _way(ref: EntityRef, trace: Trace, failing: Mapping[str, str], pauses: Mapping[str, Note]) -> Way:
    if ref in failing:
        return Way.FAILING
    if ref in pauses or EVERYTHING in pauses:
        return Way.PAUSED
    return Way.SETTLED if trace.settled else Way.OPEN
