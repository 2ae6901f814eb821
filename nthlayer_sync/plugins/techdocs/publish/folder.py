"""A folder as the shelf of sites: files are written whole, and never through a link."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from errno import ELOOP, ENOTDIR, ENOTEMPTY
from hashlib import md5
from pathlib import Path
from typing import ParamSpec, TypeVar

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.plugins.techdocs.publish.build import LARGEST_SITE, METADATA
from nthlayer_sync.plugins.techdocs.publish.shelf import LARGEST_READ, Files
from nthlayer_sync.sdk.lease import check_lease

P = ParamSpec("P")
T = TypeVar("T")

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Folder:
    """The sites below one folder of this machine."""

    def __init__(self, top: Path) -> None:
        self._top = top

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Files]:
        """Nothing has to be opened."""
        yield self

    async def sites(self) -> Collection[str]:
        """Every folder of the right depth that has metadata."""
        return await self._ask(self._sites)

    async def tags(self, site: str) -> Mapping[str, str]:
        """The MD5 of each file."""
        return await self._ask(self._tags, site)

    async def get(self, key: str) -> bytes | None:
        """The content of a file."""
        return await self._ask(self._get, key, LARGEST_READ)

    async def put(self, key: str, data: bytes) -> str:
        """Under another name first, so that nobody reads half of it."""
        check_lease()
        await self._ask(self._put, key, data)
        return self.tag(data)

    async def delete(self, key: str) -> None:
        """The file, and the folders that it leaves empty."""
        check_lease()
        await self._ask(self._delete, key)

    def tag(self, data: bytes) -> str:
        """Its MD5."""
        return md5(data, usedforsecurity=False).hexdigest()

    async def _ask(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise PermanentError(f"{self._top} cannot be used: {error.strerror}: {error.filename}") from error
        except OSError as error:
            raise TemporaryError(f"{self._top}: {error.strerror}: {error.filename}") from error

    def _sites(self) -> list[str]:
        self._check()
        found = self._top.glob(f"*/*/*/{METADATA}")
        return sorted(path.parent.relative_to(self._top).as_posix() for path in found)

    def _tags(self, site: str) -> dict[str, str]:
        self._check()
        top = self._top / site
        found: dict[str, str] = {}
        for folder, _, names in os.walk(top):
            for name in names:
                if name.startswith(".") and name.endswith(".new"):
                    continue  # of a run that was killed, or of one at work
                path = Path(folder, name).relative_to(top).as_posix()
                found[path] = self.tag(self._get(f"{site}/{path}", LARGEST_SITE) or b"")
        return found

    def _check(self) -> None:
        if not self._top.is_dir():
            raise PermanentError(f"{self._top} is no folder: make it, or mount it here")

    def _get(self, key: str, most: int) -> bytes | None:
        try:
            with self._around(key, make=False) as (folder, name):
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
                with os.fdopen(file, "rb") as opened:
                    data = opened.read(most + 1)
        except OSError as error:
            if isinstance(error, FileNotFoundError | IsADirectoryError) or error.errno in (ELOOP, ENOTDIR):
                return None
            raise
        return data if len(data) <= most else None

    def _put(self, key: str, data: bytes) -> None:
        self._check()
        with self._around(key, make=True) as (folder, name):
            new = f".{name}.new"
            with suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)  # of a run that was killed
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
            with os.fdopen(file, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)

    def _delete(self, key: str) -> None:
        with suppress(FileNotFoundError), self._around(key, make=False) as (folder, name):
            os.unlink(name, dir_fd=folder)
        parts = key.split("/")[:-1]
        while parts:
            try:
                with self._around("/".join(parts), make=False) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
            except OSError as error:
                if error.errno == ENOTEMPTY or isinstance(error, FileNotFoundError):
                    return
                raise
            parts.pop()

    @contextmanager
    def _around(self, key: str, *, make: bool) -> Generator[tuple[int, str]]:
        """The open folder that a key stands in, reached through no link, and its name there."""
        *parts, name = key.split("/")
        if {"", ".", ".."} & {*parts, name}:
            raise PermanentError(f"{key!r:.200} is not the path of a file in a site")
        folder = os.open(self._top, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o755, dir_fd=folder)
                inner = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder, name
        finally:
            os.close(folder)
