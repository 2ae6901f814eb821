"""Kinds: every sort of config there is, and which of them are on."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from nthlayer_sync.sdk.discover import folder_names, installed, load
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.route import Context, Route


class KindRow(Shown):
    """A kind of config."""

    kind: str
    version: int
    category: Category
    subject: str
    """What it is made for: `service`, `team` or `organisation`."""
    on: bool
    summary: str


class KindsShown(Shown):
    """Every kind of config."""

    items: tuple[KindRow, ...]


async def list_kinds(context: Context) -> KindsShown:
    """Every kind of config, and whether it is on."""
    on = context.daemon.engine.generator.kinds
    known = await asyncio.to_thread(_all)
    return KindsShown(items=tuple(_row(plugin, kind, on=kind.name in on) for plugin in known for kind in plugin.kinds))


@cache
def _all() -> tuple[type[OperationalPlugin], ...]:
    """Every plugin; loading them takes a moment."""
    return tuple(load(name) for name in sorted({*folder_names(), *installed()}))


def _row(plugin: type[OperationalPlugin], kind: Kind[Any, Any], *, on: bool) -> KindRow:
    return KindRow(
        kind=kind.name,
        version=kind.version,
        category=kind.category or plugin.category,
        subject=kind.subject.__name__.lower(),
        on=on,
        summary=kind.summary,
    )


ROUTES = (Route("GET", "/api/v1/kinds", "Every kind of config", KindsShown, list_kinds, "kinds"),)
