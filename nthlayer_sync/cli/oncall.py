"""oncall: who of a team is called when in the next weeks."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import console
from nthlayer_sync.cli.requests import entity, near
from nthlayer_sync.engine.outlook import outlook_of
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.show import WEEKS
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.service import Team


@options.awaited
async def oncall(
    name: Annotated[str, typer.Argument(metavar="TEAM", help="The team, as group:NAME or by its name.")],
    weeks: Annotated[int, typer.Option(help="How many weeks ahead.", min=1, max=52)] = WEEKS,
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
) -> None:
    """Show who of a team is on call in the next weeks, as it is after an apply."""
    async with App.load(settings).engine() as engine:
        await engine.read()
        team = _team(engine, name)
        found = await outlook_of(engine, team, weeks)
    for text in found.schedules:
        console.print(escape(text) + "\n")
    if not found.schedules:
        console.print(f"{escape(found.note)}.")
        return
    if found.note:
        console.print(f"[dim]{escape(found.note)}[/]")
    if not found.connected:
        console.print("[dim]As the blueprint has it; no tool for on-call is connected.[/]")


def _team(engine: Engine, name: str) -> Team:
    ref = entity(name if ":" in name else f"group:{name}")
    found = engine.subjects.get(ref)
    if not isinstance(found, Team):
        raise InputError(f"{ref} is no team that owns a managed service{near(ref, engine.graph.entities)}")
    return found
