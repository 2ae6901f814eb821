"""Flags that several commands share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from nthlayer_sync.settings import FILE_NAME

P = ParamSpec("P")


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class PlanFormat(StrEnum):
    """How a plan is printed; Markdown is for pull requests."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


SettingsPath = Annotated[
    Path, typer.Option("--settings", "-c", envvar="NTHLAYER_SETTINGS", help="The settings file.", show_default=True)
]
AsFormat = Annotated[Format, typer.Option("--format", "-f", help="How to print.")]
AsPlanFormat = Annotated[PlanFormat, typer.Option("--format", "-f", help="How to print.")]
AllowDeletes = Annotated[int, typer.Option(help="Let this many deletes pass the guards.", metavar="N")]
AllowUpdates = Annotated[int, typer.Option(help="Let this many updates pass the guards.", metavar="N")]
AllowRecreates = Annotated[
    int, typer.Option(help="Let this many configs be made again that were removed outside.", metavar="N")
]
AllowProtected = Annotated[
    list[str] | None, typer.Option(help="Let this protected config go.", metavar="'KIND ENTITY'")
]
AllowShrink = Annotated[
    list[str] | None, typer.Option(help="Believe that this source shows so much less.", metavar="SOURCE")
]
Gone = Annotated[list[str] | None, typer.Option(help="This entity is gone; do not wait for proof.", metavar="ENTITY")]
DropSource = Annotated[
    list[str] | None, typer.Option(help="Give up what this unnamed source showed.", metavar="SOURCE")
]
Enforce = Annotated[bool, typer.Option("--enforce", help="Overwrite what people changed by hand.")]

DEFAULT_SETTINGS = Path(FILE_NAME)


def awaited(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a command of a coroutine: typer would call it and never await it."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(command(*args, **kwargs))

    return run
