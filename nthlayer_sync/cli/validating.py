"""validate: everything that is wrong with the catalog, blueprints and graph."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.findings import junit, sarif
from nthlayer_sync.cli.output import console, counted, print_diagnoses, print_json
from nthlayer_sync.engine.locate import located
from nthlayer_sync.model.diagnosis import Severity


class FindingsFormat(StrEnum):
    """How findings are printed; SARIF is for code scanning, JUnit for CI servers."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


@options.awaited
async def validate(
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: Annotated[FindingsFormat, typer.Option("--format", "-f", help="How to print.")] = FindingsFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show notes too.")] = False,
) -> None:
    """Check the catalog, the blueprints and the graph. Exit code 1 when there are errors."""
    from nthlayer_sync.engine.findings import findings, order, ungenerated

    app = App.load(settings)
    async with app.engine() as engine:
        await engine.read()
        told = {*engine.diagnoses, *filter(None, findings(engine)), *ungenerated(engine)}
        found = sorted(told, key=order)
        shown = [d for d in found if notes or d.severity is not Severity.NOTE]
        shown = sorted(await located(shown, engine.graph, app.facts.catalog_files()), key=order)
    if format is FindingsFormat.JSON:
        print_json(shown)
    elif format is FindingsFormat.SARIF:
        print_json(sarif(shown))
    elif format is FindingsFormat.JUNIT:
        print(junit(shown))
    else:
        print_diagnoses(shown)
        counts = Counter(d.severity for d in found)
        console.print(
            f"{counted(len(engine.graph.entities), 'entity', 'entities')}: {counted(counts[Severity.ERROR], 'error')}, "
            f"{counted(counts[Severity.WARNING], 'warning')}, {counted(counts[Severity.NOTE], 'note')}"
            f"{'' if notes or not counts[Severity.NOTE] else ' (--notes shows them)'}."
        )
    fails = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if any(d.severity in fails for d in found):
        raise typer.Exit(1)
