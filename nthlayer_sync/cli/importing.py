"""import: live objects that were there before us become ours by a person's word."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import console, counted, print_json, print_notes, progress
from nthlayer_sync.cli.requests import config, confirm
from nthlayer_sync.engine.bind import Binder, Bound, Strangers, Waiting
from nthlayer_sync.errors import InputError

LISTED = 50
"""Objects of one root that are listed; the rest is counted."""


@options.awaited
async def import_(
    name: Annotated[
        str,
        typer.Argument(metavar="[CONFIG]", help="A config, as 'KIND ENTITY'; all that could be bound if left out."),
    ] = "",
    as_: Annotated[
        str, typer.Option("--as", metavar="ID", help="The vendor's id of its object, where that is called otherwise.")
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Bind every object that stands in the way of a config.")] = False,
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bind live objects that were there before us to configs; nothing live is written before the next apply."""
    if (as_ and not name) or (name and all_):
        raise InputError("name one config, with --as or without, or say --all")
    app = App.load(settings)
    async with app.engine() as engine:
        with progress("planning", None):
            plan = await engine.plan()
        await print_notes(engine, app.facts.catalog_files())
        binder = Binder(engine.store, engine.generator)
        if name:
            chosen = [await binder.named(plan, config(name), as_)]
        else:
            found = await binder.find(plan)
            if not all_:
                _print(found, format)
                return
            chosen = list(found.waiting)
            if chosen and not yes:
                confirm(f"Bind {counted(len(chosen), 'object')}? Nothing live is written before the next apply.")
        bound = await binder.bind(chosen)
    _print_bound(bound, format)
    if any(each.trouble for each in bound):
        raise typer.Exit(1)


def _print(found: Strangers, format: options.Format) -> None:
    """What could be bound, and what else nobody manages."""
    if format is options.Format.JSON:
        print_json({"waiting": found.waiting, "unmanaged": found.others})
        return
    if found.waiting:
        console.print("[bold]In the way of configs[/]; to bind one: nthlayer-sync import 'KIND ENTITY'; or --all")
    for each in found.waiting[:LISTED]:
        console.print(f"  {escape(_named(each))}")
    _print_rest(len(found.waiting))
    for root, strangers in found.others.items():
        if strangers:
            console.print(
                f"[bold]Unmanaged in {escape(root)}[/]; to bind one: nthlayer-sync import 'KIND ENTITY' --as ID"
            )
        for each in strangers[:LISTED]:
            console.print(f"  {escape(f'{each.path} ({each.remote})')}")
        _print_rest(len(strangers))
    others = sum(map(len, found.others.values()))
    console.print(f"{counted(len(found.waiting), 'object')} to bind, {others} unmanaged.")


def _print_rest(count: int) -> None:
    if count > LISTED:
        console.print(f"  [dim]and {count - LISTED} more: --format json[/]")


def _named(each: Waiting) -> str:
    return f"{each.id}: {each.place.path} ({each.object.remote})"


def _print_bound(bound: list[Bound], format: options.Format) -> None:
    if format is options.Format.JSON:
        print_json({"bound": bound})
        return
    for each in bound:
        text = f"{each.id}: {each.place.path} ({each.remote})"
        if each.trouble:
            console.print(f"[red]failed[/] {escape(f'{text}: {each.trouble}')}")
        else:
            console.print(f"[green]bound[/] {escape(text)}")
    count = sum(not each.trouble for each in bound)
    console.print(f"{counted(count, 'object')} bound; what would change about them: nthlayer-sync plan --diff")
