"""Whose turn it is to apply: a lock on a file beside the state, which the system lets go of when a process dies."""

from __future__ import annotations

import fcntl
from pathlib import Path


class Turn:
    """A turn to apply with the state in `path`, until the context ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")

    def __enter__(self) -> Turn:
        self._file = self._path.open("w")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, *, alone: bool) -> bool:
        """Take a turn, alone or beside others that are not alone; False where it is somebody else's."""
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
