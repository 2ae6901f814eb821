"""Where catalog files come from: the one thing in which a folder on this machine and a Git repository differ."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from nthlayer_sync.sources.globs import any_of

LARGEST_FILE = 64 << 20
"""Bytes of one catalog file: 100,000 entities of the usual size. Beyond that it is read through the catalog's API."""
_AT_ONCE = 500
"""Files for one turn of a worker thread: a few milliseconds, after which a cancelled read ends."""
_CHUNK = 1 << 20
_NEVER_OURS = frozenset({".git", "node_modules"})
"""Folders that hold no files people wrote, and may hold more than everything else together."""


class Listing(NamedTuple):
    """The regular files of a tree and, apart, its symbolic links, which are never followed; POSIX paths, sorted."""

    files: tuple[str, ...]
    links: tuple[str, ...] = ()


class Unread(NamedTuple):
    """Why a file was not read."""

    reason: str


class Files(Protocol):
    """A tree of files. `root` names it in every `Place`."""

    @property
    def root(self) -> str:
        """The top folder's path, or the repository's URL."""
        ...

    async def listing(self) -> Listing:
        """What is there. Raises OSError or a Failure when that cannot be told."""
        ...

    async def read(self, paths: Sequence[str]) -> Mapping[str, bytes | Unread]:
        """The bytes of each, in the order asked for."""
        ...


class Folder:
    """The files of this machine below `top`; `start` is the part of it that is asked for, which has to exist."""

    def __init__(self, top: Path, start: Path) -> None:
        self.root = str(top)
        self._start = start

    async def listing(self) -> Listing:
        """What is below the folder."""
        return await asyncio.to_thread(self._list)

    async def read(self, paths: Sequence[str]) -> Mapping[str, bytes | Unread]:
        """The bytes of each; none is reached through a symbolic link."""
        found: dict[str, bytes | Unread] = {}
        for start in range(0, len(paths), _AT_ONCE):
            found |= await asyncio.to_thread(self._read, paths[start : start + _AT_ONCE])
        return found

    def _list(self) -> Listing:
        if not stat.S_ISDIR(self._start.stat().st_mode) and self._start.suffix == ".json":
            # What an API gave names no files beside it, so that nothing else has to be looked at.
            return Listing((self._start.relative_to(self.root).as_posix(),))
        files: list[str] = []
        links: list[str] = []
        pending = [(self.root, "")]
        while pending:
            folder, prefix = pending.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if entry.is_symlink():
                        links.append(path)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(path)
                    elif entry.is_dir(follow_symlinks=False) and entry.name not in _NEVER_OURS:
                        pending.append((entry.path, f"{path}/"))
        return Listing(tuple(sorted(files)), tuple(sorted(links)))

    def _read(self, paths: Sequence[str]) -> dict[str, bytes | Unread]:
        return {path: self._read_one(path) for path in paths}

    def _read_one(self, path: str) -> bytes | Unread:
        try:
            descriptor = os.open(os.path.join(self.root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            return Unread(error.strerror or "it cannot be opened")
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Unread("it is not a regular file")
            if status.st_size > LARGEST_FILE:
                return Unread(too_large(status.st_size))
            return _whole(descriptor, status.st_size)
        except OSError as error:
            return Unread(error.strerror or "it cannot be read")
        finally:
            os.close(descriptor)


def _whole(descriptor: int, size: int) -> bytes:
    # One byte more than expected: an answer that short shows the end of the file.
    data = os.read(descriptor, size + 1)
    while len(data) < LARGEST_FILE and (more := os.read(descriptor, _CHUNK)):
        data += more
    return data


def too_large(size: int) -> str:
    """The reason for leaving out a file of this many bytes."""
    return f"it has {size:,} bytes; at most {LARGEST_FILE:,} are read"


def top_of_work_tree(path: Path) -> Path:
    """The top of the Git work tree that holds the path, or the folder itself when there is none."""
    folder = path if path.is_dir() else path.parent
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


def start_of(path: Path) -> tuple[Folder, str]:
    """The files of the work tree that holds the path, and what the paths of those below it begin with there."""
    path = path.absolute()
    top = top_of_work_tree(path)
    below = path.relative_to(top).as_posix()
    return Folder(top, path), "" if below == "." else below if path.is_file() else f"{below}/"


def matching(patterns: Sequence[str], paths: Sequence[str]) -> Iterator[str]:
    """The paths that one of the patterns covers."""
    expression = any_of(tuple(pattern.removeprefix("./") for pattern in patterns))
    return (path for path in paths if expression.fullmatch(path))
