"""init and demo: the first minutes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import console, noting, print_notes, print_results, progress
from nthlayer_sync.cli.plans import print_plan, summary
from nthlayer_sync.cli.sandbox import interrupted
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.sdk.discover import folder_names

if TYPE_CHECKING:
    from nthlayer_sync.sandbox import Sandbox

_SETTINGS = """\
# yaml-language-server: $schema=https://raw.githubusercontent.com/nthlayer/nthlayer-sync/main/catalog-schemas/settings.schema.json
# How nthlayer-sync runs. Every key is described in catalog-schemas/settings.schema.json.
organisation: {organisation}

sources:
  - type: directory
    path: {path}

landing:
  # The repository for what has no better home: a path or an address. `git init --bare {central}` makes one.
  central: ./{central}

# What is on. Each takes settings: {{home: service}} lands files in each service's own repository.
plugins:
{plugins}
# What holds for every service that says nothing else.
# defaults:
#   tier: "3"
"""
_CENTRAL = "operations.git"
_DEFAULT_PLUGINS = ("backstage", "grafana", "kubernetes", "openslo", "prometheus", "techdocs")


def init(
    path: Annotated[Path, typer.Argument(help="The catalog's directory.")] = Path(),
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    organisation: Annotated[str, typer.Option(help="The organisation's name.")] = "",
) -> None:
    """Write a settings file to start from; an existing one is never overwritten."""
    if not path.is_dir():
        raise InputError(f"{path} is no directory")
    folder = settings.absolute().parent
    name = organisation or re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "organisation"
    on = [plugin for plugin in _DEFAULT_PLUGINS if plugin in folder_names()]
    text = _SETTINGS.format(
        organisation=_quoted(name),
        central=_CENTRAL,
        path=_quoted(os.path.relpath(path.absolute(), folder)),
        plugins="".join(f"  {plugin}: {{}}\n" for plugin in on),
    )
    try:
        with settings.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{settings} is there already; it is not overwritten") from None
    except OSError as error:
        raise InputError(f"{settings} cannot be written: {error.strerror}") from error
    console.print(f"Wrote {escape(str(settings))}. Look at it, then:")
    if not (folder / _CENTRAL).exists():
        bare = shlex.quote(str(settings.parent / _CENTRAL))
        console.print(f"  git init --bare {escape(bare)}    [dim]the repository for what has no better home[/]")
    flag = "" if settings == options.DEFAULT_SETTINGS else f" -c {shlex.quote(str(settings))}"
    for command in ("validate", "plan"):
        console.print(f"  nthlayer-sync {command}{escape(flag)}")


@options.awaited
async def demo(
    folder: Annotated[Path, typer.Argument(help="Where the sample organisation goes.")] = Path("nthlayer-demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove what an earlier demo left there first.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the stand-ins of the tools running afterwards.")] = False,
) -> None:
    """Try everything on a sample organisation: plan, apply, look, and plan again."""
    from nthlayer_sync.demo import TOOLS, lay_out
    from nthlayer_sync.sandbox import Sandbox

    _make_room(folder, fresh)
    async with Sandbox(TOOLS) as sandbox:
        settings = lay_out(folder, {name: tool.settings() for name, tool in sandbox.tools.items()})
        console.rule("[bold]A sample organisation")
        console.print(
            f"Laid out in {escape(str(folder))}: three repositories with 12 services of 4 teams, and an empty one."
            f" The tools are stand-ins on this machine: {', '.join(TOOLS)}."
        )
        await _show(App.load(settings), folder)
        _count(sandbox)
        if serve:
            console.print(f"The tools keep running; their objects and every write: {sandbox.admin.url}. Ctrl-C stops.")
            await interrupted()
            return
        console.print(
            "The tools stop with the demo. With [bold]--serve[/] they stay, to change things by hand and see the drift."
        )


async def _show(app: App, folder: Path) -> None:
    async with app.engine() as engine:
        console.rule("[bold]nthlayer-sync plan")
        with progress("planning", None):
            plan = await engine.plan()
        await print_notes(engine, app.facts.catalog_files())
        await print_plan(engine, plan, engine.store.parts(plan.id), options.PlanFormat.TEXT)
        console.rule("[bold]nthlayer-sync apply")
        roots: dict[ConfigId, str] = {}
        with progress("applying", plan.pending) as advance:
            results = await engine.apply(plan, noting(engine.store.parts(plan.id), roots), advance)
        print_results(plan.id, results, roots, app.settings.landing.branch)
        console.rule("[bold]nthlayer-sync plan, again")
        again = await engine.plan()
        console.print(f"Plan {again.id}: {summary(again)}")
        if again.pending:
            raise PermanentError("the second plan should have had nothing left to do")
        _point_out(engine, folder)


def _count(sandbox: Sandbox) -> None:
    console.rule("[bold]What the tools were asked to write")
    for name in sandbox.tools:
        written = Counter(entry.collection for entry in sandbox.ledger.committed() if entry.tool == name)
        shown = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in sorted(written.items()))
        console.print(f"  [bold]{name}[/]: {shown or 'nothing'}")


def _point_out(engine: Engine, folder: Path) -> None:
    branch = "nthlayer-sync"
    # From a virtual environment that is not active the command is called by its path.
    command = "nthlayer-sync" if shutil.which("nthlayer-sync") else str(Path(sys.executable).with_name("nthlayer-sync"))
    inside = f"cd {folder} && {command}"
    console.rule("[bold]Where to look")
    for look, what in (
        (
            f"git -C {folder}/repositories/operations.git ls-tree -r --name-only {branch}",
            "what landed in the central repository",
        ),
        (
            f"git -C {folder}/repositories/payments.git diff main..{branch} -- '*catalog-info.yaml'",
            "what was added to the catalog files",
        ),
        (f"git -C {folder}/repositories/payments.git show {branch}:services/payments-api/docs/runbook.md", "a runbook"),
        (f"{inside} validate", "the conflict, the tier inversion, SLOs out of reach"),
        (f"{inside} why payments-api kubernetes/hpa", "where each value comes from"),
        (f"{inside} graph payments-api", "its neighbourhood, as Mermaid"),
        (f"{inside} undo --yes", "put everything back"),
    ):
        console.print(f"  [bold]{escape(look)}[/]\n      [dim]{what}[/]")


def _make_room(folder: Path, fresh: bool) -> None:
    """Only a folder that an earlier demo made is ever removed."""
    from nthlayer_sync.demo import is_demo

    if not folder.exists():
        return
    if fresh and is_demo(folder):
        shutil.rmtree(folder)
        return
    raise InputError(f"{folder} is there already; name another folder, or say --fresh if an earlier demo made it")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
