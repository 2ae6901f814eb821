"""plan, apply, drift, undo: the commands that lead to a change."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import print_json, print_notes, print_results, progress
from nthlayer_sync.cli.plans import View, print_plan, shown_parts
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.planfile import read_plan, write_plan
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Part, Plan
from nthlayer_sync.model.ref import EntityRef, parse_ref
from nthlayer_sync.model.result import Outcome


@options.awaited
async def plan(
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsPlanFormat = options.PlanFormat.TEXT,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for `apply`.")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show the text of every change.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="List every change, however many.")] = False,
    allow_deletes: options.AllowDeletes = 0,
    allow_updates: options.AllowUpdates = 0,
    allow_protected: options.AllowProtected = None,
    allow_shrink: options.AllowShrink = None,
    gone: options.Gone = None,
    drop_source: options.DropSource = None,
    enforce: options.Enforce = False,
) -> None:
    """Show what would change, and change nothing. Exit code 2 when something would."""
    request = _request(allow_deletes, allow_updates, allow_protected, allow_shrink, gone, drop_source, enforce)
    app = App.load(settings)
    async with app.engine() as engine:
        made = await _plan(app, engine, request)
        if out is not None:
            await write_plan(out, made, engine.store.parts(made.id))
        await print_plan(engine, made, engine.store.parts(made.id), format, View(diff, all_))
        if out is not None and format is options.PlanFormat.TEXT:
            print(f"\nWritten to {out}; apply exactly this with: nthlayer-sync apply {out}")
    if made.refusals:
        raise typer.Exit(1)
    raise typer.Exit(2 if made.pending else 0)


@options.awaited
async def apply(
    file: Annotated[Path | None, typer.Argument(help="A plan file; without it a plan is made and shown first.")] = None,
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    allow_deletes: options.AllowDeletes = 0,
    allow_updates: options.AllowUpdates = 0,
    allow_protected: options.AllowProtected = None,
    allow_shrink: options.AllowShrink = None,
    gone: options.Gone = None,
    drop_source: options.DropSource = None,
    enforce: options.Enforce = False,
) -> None:
    """Apply a plan, as it was reviewed."""
    request = _request(allow_deletes, allow_updates, allow_protected, allow_shrink, gone, drop_source, enforce)
    app = App.load(settings)
    async with app.engine() as engine:
        made, parts = await _to_apply(app, engine, file, request, format, yes)
        with progress("applying", made.pending) as advance:
            results = await engine.apply(made, parts, advance)
        if format is options.Format.JSON:
            print_json({"plan": made.id, "results": results})
        else:
            print_results(made.id, results)
    if any(result.outcome is Outcome.FAILED for result in results):
        raise typer.Exit(1)


@options.awaited
async def drift(
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsPlanFormat = options.PlanFormat.TEXT,
    diff: Annotated[bool, typer.Option("--diff", help="Show the text of every difference.")] = False,
) -> None:
    """Show what was changed by hand since it was applied. Exit code 2 when something was."""
    app = App.load(settings)
    async with app.engine() as engine:
        made = await _plan(app, engine, Request())
        kept = made.total(Action.KEEP)
        await print_plan(
            engine, made, shown_parts(engine.store.parts(made.id), {Action.KEEP}), format, View(diff, drift=True)
        )
    raise typer.Exit(2 if kept else 0)


@options.awaited
async def undo(
    plan_id: Annotated[
        str, typer.Argument(metavar="[PLAN]", help="The plan to undo; the newest applied one if left out.")
    ] = "",
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put back what an applied plan changed."""
    app = App.load(settings)
    async with app.engine() as engine:
        runs = await engine.store.runs()
        if not runs:
            raise InputError("nothing was applied yet, so there is nothing to undo")
        chosen = plan_id or runs[0][0]
        count = dict(runs).get(chosen, 0)
        if not yes:
            _confirm(f"Undo plan {chosen} ({count} writes)?")
        results = await engine.undo(chosen)
        if format is options.Format.JSON:
            print_json({"plan": chosen, "results": results})
        else:
            print_results(chosen, results, verb="undone")
    if any(result.outcome is Outcome.FAILED for result in results):
        raise typer.Exit(1)


async def _plan(app: App, engine: Engine, request: Request) -> Plan:
    with progress("planning", None):
        made = await engine.plan(request)
    await print_notes(engine, app.catalog_files())
    return made


async def _to_apply(
    app: App, engine: Engine, file: Path | None, request: Request, format: options.Format, yes: bool
) -> tuple[Plan, AsyncIterator[Part]]:
    """The plan from the file, or one made now and agreed to."""
    if file is not None:
        made, parts = await read_plan(file)
        await engine.read(request)
        return made, parts
    made = await _plan(app, engine, request)
    if format is options.Format.TEXT:
        await print_plan(engine, made, engine.store.parts(made.id), options.PlanFormat.TEXT)
    if made.pending and not made.refusals and not yes:
        _confirm(f"Apply plan {made.id}?")
    return made, engine.store.parts(made.id)


def _request(
    deletes: int,
    updates: int,
    protected: list[str] | None,
    shrink: list[str] | None,
    gone: list[str] | None,
    drop: list[str] | None,
    enforce: bool,
) -> Request:
    return Request(
        consent=Consent(deletes, updates, frozenset(protected or ())),
        enforce=enforce,
        gone=frozenset(entity(text) for text in gone or ()),
        shrunk=frozenset(shrink or ()),
        dropped=frozenset(drop or ()),
    )


def entity(text: str) -> EntityRef:
    """A reference as people type it: a component, in the default namespace, unless they say otherwise."""
    try:
        return parse_ref(text, kind="component")
    except ValueError as error:
        raise InputError(str(error)) from error


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask; say --yes, or apply a plan file")
    typer.confirm(question, abort=True)
