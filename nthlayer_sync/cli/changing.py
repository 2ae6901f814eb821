"""plan, apply, drift, undo: the commands that lead to a change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from shlex import quote
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import (
    console,
    counted,
    noting,
    print_json,
    print_notes,
    print_proposals,
    print_results,
    progress,
)
from nthlayer_sync.cli.plans import View, print_plan
from nthlayer_sync.cli.promoting import Asked, promote_edits
from nthlayer_sync.cli.requests import check, confirm, flags, request_of
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.planfile import read_plan, write_plan
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part, Plan
from nthlayer_sync.model.result import Outcome

_UNMADE = (Outcome.FAILED, Outcome.UNKNOWN)
"""Outcomes after which a command fails."""


@options.awaited
async def plan(
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsPlanFormat = options.PlanFormat.TEXT,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for `apply`.")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show the text of every change.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="List every change, however many.")] = False,
    allow_deletes: options.AllowDeletes = 0,
    allow_updates: options.AllowUpdates = 0,
    allow_recreates: options.AllowRecreates = 0,
    allow_protected: options.AllowProtected = None,
    allow_shrink: options.AllowShrink = None,
    gone: options.Gone = None,
    drop_source: options.DropSource = None,
    enforce: options.Enforce = False,
) -> None:
    """Show what would change, and change nothing. Exit code 2 when something would, 1 when something is refused."""
    consent = Consent(allow_deletes, allow_updates, frozenset(allow_protected or ()), allow_recreates)
    request = request_of(consent, allow_shrink, gone, drop_source, enforce)
    app = App.load(settings)
    async with app.engine() as engine:
        made = await _plan(app, engine, request)
        if out is not None:
            await write_plan(out, made, engine.store.parts(made.id))
        await print_plan(engine, made, engine.store.parts(made.id), format, View(diff, all_))
        if out is not None and format is options.PlanFormat.TEXT:
            _say_written(out, made)
    if made.refusals or made.total(Action.REFUSE):
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
    allow_recreates: options.AllowRecreates = 0,
    allow_protected: options.AllowProtected = None,
    allow_shrink: options.AllowShrink = None,
    gone: options.Gone = None,
    drop_source: options.DropSource = None,
    enforce: options.Enforce = False,
) -> None:
    """Apply a plan, as it was reviewed. Exit code 1 when something fails or is refused."""
    consent = Consent(allow_deletes, allow_updates, frozenset(allow_protected or ()), allow_recreates)
    request = request_of(consent, allow_shrink, gone, drop_source, enforce)
    if file is not None and request != Request():
        words = flags(request)
        raise InputError(
            f"a plan file is applied as it was reviewed, so {words} cannot be added to it; "
            f"make the plan anew with: nthlayer-sync plan {words} --out {quote(str(file))}"
        )
    app = App.load(settings)
    async with app.engine() as engine:
        made, parts = await _to_apply(app, engine, file, request, format, yes)
        roots: dict[ConfigId, str] = {}
        with progress("applying", made.pending) as advance:
            results = await engine.apply(made, noting(parts, roots), advance)
        if format is options.Format.JSON:
            print_json({"plan": made.id, "results": results, "proposals": engine.proposals})
        else:
            print_results(made.id, results, roots, app.settings.landing.branch)
            print_proposals(engine.proposals)
        failed = any(proposed.did == "failed" for proposed in engine.proposals)
    if failed or made.total(Action.REFUSE) or any(result.outcome in _UNMADE for result in results):
        raise typer.Exit(1)


@options.awaited
async def drift(
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsPlanFormat = options.PlanFormat.TEXT,
    diff: Annotated[bool, typer.Option("--diff", help="Show the text of every difference.")] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Say in the blueprint what was changed by hand, instead of showing it.")
    ] = False,
    configs: Annotated[
        list[str] | None, typer.Argument(metavar="['KIND ENTITY']...", help="Promote these; all if left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before blueprints are written.")] = False,
) -> None:
    """Show what was changed by hand since it was applied, or promote it. Exit code 2 when something is left of it."""
    if not promote and (configs or yes):
        raise InputError("only --promote takes the names of configs and --yes")
    app = App.load(settings)
    async with app.engine() as engine:
        made = await _plan(app, engine, Request())
        unseen: list[Change] = []
        drifted = _drifted(engine.store.parts(made.id), unseen)
        if promote:
            left = await promote_edits(app, engine, drifted, Asked(configs, yes, format))
            if unseen and not configs:
                raise InputError(
                    f"{counted(len(unseen), 'config')} could not be looked at: nthlayer-sync drift says why"
                )
            raise typer.Exit(2 if left else 0)
        await print_plan(engine, made, drifted, format, View(diff, drift=True))
    raise typer.Exit(1 if unseen else 2 if made.total(Action.KEEP) else 0)


@options.awaited
async def undo(
    plan: Annotated[
        str,
        typer.Argument(
            metavar="[PLAN]", help="The plan to undo, by id or by file; the newest applied one if left out."
        ),
    ] = "",
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put back what an applied plan changed."""
    app = App.load(settings)
    async with app.engine() as engine:
        chosen = await _applied_plan(engine, plan)
        entries = await engine.store.journal(chosen)
        if entries and not yes:
            confirm(f"Undo plan {chosen} ({counted(len(entries), 'write')})?")
        results = await engine.undo(chosen)
        if format is options.Format.JSON:
            print_json({"plan": chosen, "results": results, "proposals": engine.proposals})
        else:
            roots = {entry.id: entry.place.root for entry in entries}
            print_results(chosen, results, roots, app.settings.landing.branch, verb="undone")
            print_proposals(engine.proposals)
        failed = any(proposed.did == "failed" for proposed in engine.proposals)
    if failed or any(result.outcome in _UNMADE for result in results):
        raise typer.Exit(1)


async def _applied_plan(engine: Engine, plan: str) -> str:
    """The id of a plan that is named by its id or its file, or of the newest applied one."""
    if plan:
        file = Path(plan)
        return (await read_plan(file))[0].id if await asyncio.to_thread(file.is_file) else plan
    runs = await engine.store.undoable(1)
    if not runs:
        raise InputError("there is nothing to undo: no plan was applied, or all that were are undone already")
    return runs[0][0]


async def _drifted(parts: AsyncIterator[Part], unseen: list[Change]) -> AsyncIterator[Part]:
    """What people changed, and what could not be looked at, which `unseen` learns."""
    async for part in parts:
        blind = [c for c in part.changes if c.action is Action.REFUSE and c.place.path and not c.revision]
        unseen += blind
        if changes := tuple(c for c in part.changes if c.action is Action.KEEP or c in blind):
            yield msgspec.structs.replace(part, changes=changes)


def _say_written(out: Path, made: Plan) -> None:
    if made.refusals:
        console.print(f"\nWritten to {escape(str(out))}; it cannot be applied as it stands.")
    elif made.pending:
        console.print(
            f"\nWritten to {escape(str(out))}; apply exactly this with: nthlayer-sync apply {escape(str(out))}"
        )
    else:
        console.print(f"\nWritten to {escape(str(out))}; there is nothing in it to apply.")


async def _plan(app: App, engine: Engine, request: Request) -> Plan:
    await check(engine, request, (source.name for source in app.settings.sources))
    with progress("planning", None):
        made = await engine.plan(request)
    await print_notes(engine, app.facts.catalog_files())
    return made


async def _to_apply(
    app: App, engine: Engine, file: Path | None, request: Request, format: options.Format, yes: bool
) -> tuple[Plan, AsyncIterator[Part]]:
    """The plan from the file, or one made now and agreed to."""
    if file is not None:
        made, parts = await read_plan(file)
        await engine.read(Request.of(made))
        return made, parts
    made = await _plan(app, engine, request)
    if format is options.Format.TEXT:
        await print_plan(engine, made, engine.store.parts(made.id), options.PlanFormat.TEXT)
    if made.pending and not made.refusals and not yes:
        confirm(f"Apply plan {made.id}?", "apply a plan file")
    return made, engine.store.parts(made.id)
