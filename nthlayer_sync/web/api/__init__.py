"""The API: one file for each resource, joined to one table.

entities    what the sources show, and what was made of it: `entity` is one of them
artefacts   configs of an entity, in text, against what is live, and why: `artefact` is one of them
graph       the graph, its loops, its inversions, what objectives it allows
findings    what is wrong, and where sources contradict each other
unsettled   changes that wait, drift, what is held
plans       what was found to be done
runs        what was done
oncall      who of a team is called when
sources     what is read
kinds       every sort of config
status      how the daemon is
coverage    for how much of the catalog configs are made
may         who asks, and what they may do
catalog     annotations of all entities, for a processor of Backstage
events      what happens, as a stream
commands    what may be asked of the daemon

asked       what several resources can be asked for, and how it is found
pages       pages of lists that are worked out whole
whole       answers about the whole graph, worked out once for each state of it
shown       what the answers of several resources are made of; so are `changes` and `pauses`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from nthlayer_sync.web.api import (
    artefacts,
    catalog,
    commands,
    coverage,
    entities,
    events,
    findings,
    graph,
    kinds,
    may,
    oncall,
    plans,
    runs,
    sources,
    status,
    unsettled,
)
from nthlayer_sync.web.route import Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon

ROUTES: tuple[Route, ...] = (
    *entities.ROUTES,
    *artefacts.ROUTES,
    *graph.ROUTES,
    *findings.ROUTES,
    *unsettled.ROUTES,
    *plans.ROUTES,
    *runs.ROUTES,
    *oncall.ROUTES,
    *sources.ROUTES,
    *status.ROUTES,
    *coverage.ROUTES,
    *may.ROUTES,
    *kinds.ROUTES,
    *catalog.ROUTES,
    *events.ROUTES,
    *commands.ROUTES,
)


def install(app: web.Application, daemon: Daemon) -> None:
    """What the resources need of the application: streams end, and what is being undone is finished, when it stops."""
    events.install(app)
    commands.install(app, daemon.settings.serve.grace.seconds)
