"""The commands, by name; each lives in the module of what it is for."""

from __future__ import annotations

from typing import Annotated

import typer

from nthlayer_sync import __version__
from nthlayer_sync.cli.changing import apply, drift, plan, undo
from nthlayer_sync.cli.importing import import_
from nthlayer_sync.cli.looking import generate, graph, kinds, why
from nthlayer_sync.cli.oncall import oncall
from nthlayer_sync.cli.sandbox import sandbox
from nthlayer_sync.cli.serving import serve
from nthlayer_sync.cli.starting import demo, init
from nthlayer_sync.cli.tokens import token
from nthlayer_sync.cli.validating import validate

app = typer.Typer(
    name="nthlayer-sync",
    help="Define a service once in your catalog; every operational config follows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"nthlayer-sync {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for command in (
    init,
    validate,
    plan,
    apply,
    drift,
    import_,
    generate,
    graph,
    why,
    kinds,
    oncall,
    undo,
    demo,
    sandbox,
    serve,
    token,
):
    app.command(command.__name__.rstrip("_"))(command)
