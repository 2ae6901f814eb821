"""Coverage: for how much of the catalog configs are made."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from nthlayer_sync.model.ref import ref_parts
from nthlayer_sync.web.api.entity import Standing, standing_of
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.api.whole import SLICE
from nthlayer_sync.web.route import Context, Route


class CoverageRow(Shown):
    """Entities of one kind and tier."""

    kind: str
    tier: str
    """Empty for those without one."""
    managed: int
    """For how many of them configs are made."""
    held: int
    """For how many none are, while something is wrong with them or their people took them out."""
    unmanaged: int


class CoverageShown(Shown):
    """How many entities are managed, by kind and tier, the strictest tier first."""

    items: tuple[CoverageRow, ...]


async def get_coverage(context: Context) -> CoverageShown:
    """How many services, and teams that own them, are managed."""
    engine = context.daemon.engine
    tiers = list(dict.fromkeys(engine.subjects.tiers.names.values()))
    counts = Counter[tuple[str, str, Standing]]()
    until = time.monotonic() + SLICE
    for ref in list(engine.graph.entities):
        kind = ref_parts(ref).kind
        if kind in KINDS:
            counts[kind, engine.subjects.tier(ref), standing_of(engine.subjects.get(ref))] += 1
        if time.monotonic() >= until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE
    order = {tier: index for index, tier in enumerate(tiers)}
    found = sorted(
        {(kind, tier) for kind, tier, _ in counts}, key=lambda each: (each[0], order.get(each[1], len(order)))
    )
    return CoverageShown(
        items=tuple(
            CoverageRow(
                kind=kind,
                tier=tier,
                managed=counts[kind, tier, Standing.MANAGED],
                held=counts[kind, tier, Standing.HELD],
                unmanaged=counts[kind, tier, Standing.UNMANAGED],
            )
            for kind, tier in found
        )
    )


KINDS = ("component", "group")
"""Kinds of which configs are made."""

ROUTES = (
    Route("GET", "/api/v1/coverage", "How much of the catalog is managed", CoverageShown, get_coverage, "status"),
)
