"""Secrets in the environment and in files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from nthlayer_sync.errors import PermanentError

LARGEST_FILE = 64 << 10
"""Bytes of a file with one secret."""


async def read_env(name: str) -> str:
    """The value of a variable of the environment."""
    if name not in os.environ:
        raise PermanentError("the variable is not set")
    return os.environ[name]


async def read_file(path: str) -> str:
    """The content of a file."""
    return await asyncio.to_thread(_content, Path(path))


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise PermanentError(f"the file cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise PermanentError(f"the file has more than {LARGEST_FILE:,} bytes")
    return content.decode("utf-8", errors="replace")
