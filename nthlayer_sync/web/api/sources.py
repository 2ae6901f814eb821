"""Sources: what is read, how complete it was, and how old what we know is."""

from __future__ import annotations

from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.route import Context, Route


class SourceRow(Shown):
    """A source of the settings."""

    name: str
    type: str
    """`directory`, `git`, `backstage` or `cortex`; `code` looks into the repositories that the others show."""
    complete: bool
    """Whether it could be read to its end the last time."""
    reason: str
    """How that is known, or why not; empty where another replica reads it."""
    stale: int
    """Seconds since it was last read to its end, or since the daemon started."""


class SourcesShown(Shown):
    """Every source, in order of precedence."""

    items: tuple[SourceRow, ...]


async def list_sources(context: Context) -> SourcesShown:
    """Every source, in order of precedence."""
    daemon = context.daemon
    types = {source.name: source.type for source in daemon.settings.sources}
    complete, stale = daemon.health.complete(), daemon.health.staleness()
    states = daemon.engine.reading.states
    names = [*types, *sorted(set(stale) - set(types))]
    return SourcesShown(
        items=tuple(
            SourceRow(
                name=name,
                type=types.get(name, "code"),
                complete=complete.get(name, False),
                reason=states[name].reason if name in states else "",
                stale=round(stale.get(name, 0)),
            )
            for name in names
        )
    )


ROUTES = (Route("GET", "/api/v1/sources", "Every source", SourcesShown, list_sources, "sources"),)
