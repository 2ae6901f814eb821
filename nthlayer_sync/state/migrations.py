"""The numbered scripts by which a schema grows: 0001_memory.sql, 0002_daemon.sql and so on, forwards only."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple

from nthlayer_sync.errors import PermanentError


class Migration(NamedTuple):
    """One step: the version of the schema behind it, and what leads there."""

    version: int
    statements: tuple[str, ...]


def migrations(package: str, current: int) -> list[Migration]:
    """The steps of an engine that are still to be made; PermanentError where the schema is newer than all of them.

    A script holds no semicolons but between its statements.
    """
    found = sorted(
        (int(file.name.partition("_")[0]), file)
        for file in files(package).joinpath("schema").iterdir()
        if file.name.endswith(".sql")
    )
    newest = found[-1][0]
    if current > newest:
        raise PermanentError(f"the state has schema {current}, and this version knows {newest}: use a newer one")
    return [Migration(version, _statements(file.read_text())) for version, file in found if version > current]


def _statements(script: str) -> tuple[str, ...]:
    statements = (statement.strip() for statement in re.sub(r"--.*", "", script).split(";"))
    return tuple(statement for statement in statements if statement)
