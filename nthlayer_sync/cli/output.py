"""Printing: results, notes, progress. What is for machines goes to standard output alone, notes to standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TextIO

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nthlayer_sync.engine.locate import Read, located
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.result import Outcome, Result

console = Console(highlight=False, soft_wrap=True)
notes = Console(stderr=True, highlight=False, soft_wrap=True)

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
SHOWN = 20
"""Findings printed before the rest is only counted; `validate` shows all."""


def print_json(value: object) -> None:
    """Print `value` as one JSON document."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_diagnoses(found: Iterable[Diagnosis], file: TextIO | None = None) -> None:
    """One line for each finding."""
    out = Console(file=file, highlight=False, soft_wrap=True) if file else console
    for diagnosis in found:
        out.print(
            f"[{_STYLE[diagnosis.severity]}]{diagnosis.severity}[/] {escape(str(diagnosis))} [dim]{diagnosis.code}[/]"
        )


async def print_notes(engine: Engine, read: Read) -> None:
    """What a person should know before reading a plan."""
    if engine.interrupted:
        notes.print(
            f"[yellow]warning[/] an interrupted run had made {engine.interrupted} writes; they were found again"
        )
    told = [*engine.diagnoses, *engine.subjects.diagnoses()]
    matter = [d for d in told if d.severity is not Severity.NOTE]
    print_diagnoses(await located(matter[:SHOWN], engine.graph, read), sys.stderr)
    if len(matter) > SHOWN:
        notes.print(f"[dim]and {len(matter) - SHOWN} more findings: nthlayer-sync validate[/]")


def print_results(plan: str, results: list[Result], *, verb: str = "applied") -> None:
    """What became of each change: failures by name, the rest by number and by commit."""
    for result in results:
        if result.outcome in (Outcome.FAILED, Outcome.SKIPPED):
            again = " (trying again later can help)" if result.temporary else ""
            console.print(f"[red]{result.outcome}[/] {escape(str(result.id))}: {escape(result.reason)}{again}")
    commits = Counter(result.reference for result in results if result.outcome is Outcome.DONE)
    for reference, count in commits.items():
        console.print(f"[green]{verb}[/] {count} in commit {reference}")
    counts = Counter(str(result.outcome) for result in results)
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing to do"
    console.print(f"Plan {plan}: {summary}.")


@contextmanager
def progress(what: str, total: int | None) -> Generator[Callable[[int], None]]:
    """A progress bar on standard error while a terminal watches; gives the function that advances it."""
    if not notes.is_terminal:
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.update(task, advance=count)
