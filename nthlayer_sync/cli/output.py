"""Printing: results, notes, progress. What is for machines goes to standard output alone, notes to standard error."""

from __future__ import annotations

import re
import shlex
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nthlayer_sync.engine.locate import Read, located
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.plan import Part
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.hosting import Proposed

console = Console(highlight=False, soft_wrap=True)
notes = Console(stderr=True, highlight=False, soft_wrap=True)

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_WORDS = {
    Outcome.FAILED: ("red", "failed", ""),
    Outcome.SKIPPED: ("red", "skipped", ""),
    Outcome.UNKNOWN: (
        "red",
        "unknown",
        "; it may or may not have been made: the next plan looks, and makes nothing twice",
    ),
}
"""Style, word and ending of the line that tells of an outcome; a note tells of any other."""
REPEATED = 5
"""Findings of one cause printed for one file before the rest is only counted."""
SHOWN = 20
"""Findings printed before the rest is only counted; `validate` shows all."""


def print_json(value: object) -> None:
    """Print `value` as one JSON document."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_diagnoses(found: Iterable[Diagnosis], file: TextIO | None = None) -> None:
    """One line for each finding; what a file says wrong again and again in one way is counted."""
    out = Console(file=file, highlight=False, soft_wrap=True) if file else console
    seen = Counter[tuple[str, str, str]]()
    for diagnosis in found:
        cause = (diagnosis.file, diagnosis.code, diagnosis.message)
        seen[cause] += bool(diagnosis.file)
        if seen[cause] <= REPEATED:
            out.print(
                f"[{_STYLE[diagnosis.severity]}]{diagnosis.severity}[/] {escape(str(diagnosis))} "
                f"[dim]{escape(f'[{diagnosis.code}]')}[/]"
            )
    for (where, code, message), count in seen.items():
        if count > REPEATED:
            out.print(f"[dim]and {count - REPEATED} more in {escape(where)}: {escape(f'{message} [{code}]')}[/]")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 entity`, `2 entities`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def cause(reason: str, root: str) -> str:
    """A reason on one line, with its root in it; a directory that is no repository comes with its cure."""
    if root.startswith("/") and re.search(r"not (appear to be )?a git repository", reason):
        bare = root.rstrip("/").endswith(".git") or not Path(root).is_dir()
        return f"{root} is no Git repository; to make it one: git init {'--bare ' if bare else ''}{shlex.quote(root)}"
    reason = " ".join(reason.split())
    return reason if not root or root in reason else f"{root}: {reason}"


async def print_notes(engine: Engine, read: Read) -> None:
    """What a person should know before reading a plan."""
    if engine.interrupted:
        notes.print(
            f"[yellow]warning[/] an interrupted run had made {counted(engine.interrupted, 'write')}; found again"
        )
    told = [*engine.diagnoses, *engine.subjects.diagnoses()]
    matter = [d for d in told if d.severity is not Severity.NOTE]
    print_diagnoses(await located(matter[:SHOWN], engine.graph, read), sys.stderr)
    if len(matter) > SHOWN:
        notes.print(f"[dim]and {len(matter) - SHOWN} more findings: nthlayer-sync validate[/]")


async def noting(parts: AsyncIterator[Part], roots: dict[ConfigId, str]) -> AsyncIterator[Part]:
    """The same parts; `roots` learns where each config lands, for `print_results`."""
    async for part in parts:
        roots |= {part.id(change): change.place.root for change in part.changes}
        yield part


def print_results(
    plan: str, results: list[Result], roots: Mapping[ConfigId, str], branch: str, *, verb: str = "applied"
) -> None:
    """What became of each change: failures and notes by reason, the rest by number and by commit.

    `roots` says where each config lands, `branch` on which branch where that is a repository.
    """
    told: dict[tuple[str, str, bool], list[ConfigId]] = {}
    for result in results:
        if result.outcome in _WORDS or result.reason:
            told.setdefault((result.outcome, result.reason, result.temporary), []).append(result.id)
    for (outcome, reason, temporary), ids in told.items():
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        again = " (trying again later can help)" if temporary and outcome == Outcome.FAILED else ""
        style, word, ending = _WORDS.get(Outcome(outcome), ("yellow", "note", ""))
        text = f"{ids[0]}{more}: {cause(reason, roots.get(ids[0], ''))}{again}{ending}"
        console.print(f"[{style}]{word}[/] {escape(text)}")
    done = Counter((roots.get(r.id, ""), _commit(r.reference)) for r in results if r.outcome is Outcome.DONE)
    for (root, reference), count in sorted(done.items()):
        commit = f": commit {reference}, branch {branch}" if reference else ""
        place = f" in {root}" if root else ""
        console.print(f"[green]{verb}[/] {escape(f'{count}{place}{commit}')}")
    counts = Counter(str(result.outcome) for result in results)
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing was done"
    console.print(f"Plan {plan}: {summary}.")


def _commit(reference: str) -> str:
    """The reference where it is a commit; live objects have an address each."""
    return reference if re.fullmatch("[0-9a-f]{40,64}", reference) else ""


def print_proposals(proposals: Iterable[Proposed]) -> None:
    """One line for each pull request that was opened, updated, closed or declined, or that should have been."""
    for proposed in proposals:
        if proposed.did == "failed":
            text = f"{proposed.root}: no pull request: {proposed.trouble}; the next apply tries again"
            console.print(f"[red]failed[/] {escape(text)}")
        elif proposed.did != "unchanged":
            files = counted(proposed.files, "file")
            console.print(f"[green]{proposed.did}[/] {escape(f'{proposed.url} ({files})')}")


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
