"""A catalog kept in a Git repository, read at its base branch without a work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import Repository
from nthlayer_sync.sources.catalog_files import PATTERNS
from nthlayer_sync.sources.directory import FileSource
from nthlayer_sync.sources.files import Listing, Unread


class BaseBranch:
    """The files on the base branch of a repository; symbolic links and submodules are no files there."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._shas: Mapping[str, str] = {}
        self.root = repository.url

    async def listing(self) -> Listing:
        """What is on the base branch now."""
        await self._repository.fetch()
        self._shas = await self._repository.listing(await self._repository.base_tree())
        return Listing(tuple(sorted(self._shas)))

    async def read(self, paths: Sequence[str]) -> Mapping[str, bytes | Unread]:
        """The bytes of files that the last listing named."""
        try:
            contents = await self._repository.blobs(self._shas[path] for path in paths)
        except PermanentError:
            # One file is too large: the others are read without it.
            return {path: await self._read_one(path) for path in paths}
        return {path: contents[self._shas[path]] for path in paths}

    async def _read_one(self, path: str) -> bytes | Unread:
        sha = self._shas[path]
        try:
            return (await self._repository.blobs([sha]))[sha]
        except PermanentError as error:
            return Unread(str(error))


def git_source(
    name: str, repository: Repository, *, patterns: Sequence[str] = PATTERNS, exclude: Sequence[str] = ()
) -> FileSource:
    """The catalog on the base branch of a repository."""
    return FileSource(name, repository.url, BaseBranch(repository), patterns=patterns, exclude=exclude)
