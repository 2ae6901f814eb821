"""oncall: who of a team is called when in the next weeks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import console
from nthlayer_sync.cli.requests import entity, near
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.show import WEEKS, foreseen
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.duty import Unstaffed, duty_of
from nthlayer_sync.oncall.rota import outlook, specs_of, writing


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
        duty = duty_of(team)
        if isinstance(duty, Unstaffed):
            console.print(f"{escape(team.ref)} has no rotation: {escape(duty.reason)}.")
            return
        configs = engine.generator.generate(team).configs
        found = [text for config in configs if (text := await foreseen(engine.generator, config, weeks))]
    for text in found or _unconnected(team, weeks):
        console.print(escape(text) + "\n")
    if duty.note:
        console.print(f"[dim]{escape(duty.note)}[/]")
    if not found:
        console.print("[dim]As the blueprint has it; no tool for on-call is connected.[/]")


def _unconnected(team: Team, weeks: int) -> list[str]:
    """The rotation as it would begin."""
    now = datetime.now(UTC)
    specs = list(specs_of(team, team.contact.name))
    return [outlook(spec, writing(spec, None, None, now), (), now, weeks) for spec in specs]


def _team(engine: Engine, name: str) -> Team:
    ref = entity(name if ":" in name else f"group:{name}")
    found = engine.subjects.get(ref)
    if not isinstance(found, Team):
        raise InputError(f"{ref} is no team that owns a managed service{near(ref, engine.graph.entities)}")
    return found
