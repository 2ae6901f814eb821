"""sandbox: stand-ins of SaaS tools on this machine, until it is interrupted."""

from __future__ import annotations

import asyncio
import shlex
import signal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from nthlayer_sync.cli.output import console
from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.yaml.emit import dump

if TYPE_CHECKING:
    from nthlayer_sync.sandbox import Sandbox


def sandbox(
    tools: Annotated[list[str] | None, typer.Argument(help="The tools to start; all when none is named.")] = None,
    port: Annotated[
        int,
        typer.Option(min=0, max=65_000, help="The first port: the admin API; the tools follow. 0 takes free ones."),
    ] = 8800,
    empty: Annotated[bool, typer.Option("--empty", help="Start without the sample organisation.")] = False,
) -> None:
    """Stand-ins of SaaS tools on this machine, to try live configs without an account. Ctrl-C stops them."""
    from nthlayer_sync.sandbox.vendors import TOOLS

    if unknown := sorted(set(tools or ()) - set(TOOLS)):
        raise InputError(f"{', '.join(unknown)}: not in the sandbox; there are {', '.join(sorted(TOOLS))}")
    try:
        asyncio.run(_run(tools or [], port, empty=empty))
    except OSError as error:
        raise PermanentError(f"the sandbox cannot listen at port {port}: {error.strerror}; try --port 0") from error


async def _run(tools: list[str], port: int, *, empty: bool) -> None:
    from nthlayer_sync.sandbox import Sandbox

    async with Sandbox(tools, port=port, empty=empty) as sandbox:
        _print(sandbox)
        await interrupted()
    console.print("Stopped.")


async def interrupted() -> None:
    """Wait until somebody stops the program, from the terminal or from outside."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _print(sandbox: Sandbox) -> None:
    """Addresses, what to paste, and the admin API; secrets are shown, they open nothing but the sandbox."""
    from nthlayer_sync.sandbox import kept_apart

    exports: list[str] = []

    def exported(tool: str, name: str, secret: str) -> str:
        variable = f"{tool}_{name}".upper()
        exports.append(f"export {variable}={shlex.quote(secret)}")
        return f"env:{variable}"

    plugins = {name: kept_apart(tool.settings(), partial(exported, name)) for name, tool in sandbox.tools.items()}
    console.print("[bold]Secrets[/], for the shell that runs nthlayer-sync:")
    _block(exports)
    console.print("[bold]Settings[/], for nthlayer-sync.yaml:")
    _block(dump({"plugins": plugins}).splitlines())
    console.print(f"[bold]Admin API[/]: {sandbox.admin.url} (objects, write ledger, faults). Ctrl-C stops.")


def _block(lines: list[str]) -> None:
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)
    console.print()
