"""The daemon's own page, for people who have no Backstage. One file for each view, which asks what the API asks.

overview    what needs somebody first
entities    the list; `entity` is one of them, `artefact` one config of it with its difference and its reasons
plans       what was found to be done
runs        what was done
graph       who needs whom, as a picture and as a table
conflicts   where sources contradict each other, and what else is wrong
waiting     what waits for a person, with the buttons
sources     what is read
login       who comes in, and goes
commands    what the buttons do

states      how entities stand
may         what the person who looks may do
lately      answers about everything that nobody waits for twice
duty        who of a team is on call now

view        how a view is shown, and what a form sends back is read
session     what a browser keeps: who it is, and that a form is ours
pages       what happens to a request before and after its view: login, errors as pages
drawing     where nodes and lines of a picture stand
difference  two texts line by line
prose       Markdown of ours as HTML
assets      style, script and icon
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nthlayer_sync.web.page import (
    artefact,
    assets,
    commands,
    conflicts,
    entities,
    graph,
    login,
    plans,
    runs,
    sources,
    waiting,
)
from nthlayer_sync.web.page.entity import EntityPage
from nthlayer_sync.web.page.overview import Overview
from nthlayer_sync.web.page.pages import Pages

if TYPE_CHECKING:
    from aiohttp import web

    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.web.auth.door import Door


def install(app: web.Application, daemon: Daemon, door: Door) -> None:
    """Add the views, and show every refusal to a browser as a page."""
    pages = Pages(app, daemon, door)
    overview = Overview(daemon)
    app.on_shutdown.append(overview.close)
    for route in (
        *overview.routes,
        *entities.ROUTES,
        *EntityPage().routes,
        *artefact.ROUTES,
        *plans.ROUTES,
        *runs.ROUTES,
        *graph.ROUTES,
        *conflicts.ROUTES,
        *waiting.ROUTES,
        *sources.ROUTES,
        *login.routes(door),
        *commands.ROUTES,
    ):
        pages.add(route)
    assets.install(app)
