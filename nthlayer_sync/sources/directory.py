"""A catalog kept as files: a folder, the work tree of a Git repository, or a single file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from nthlayer_sync.errors import Failure
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sources.assemble import assemble
from nthlayer_sync.sources.catalog_files import PATTERNS, CatalogFiles, Look
from nthlayer_sync.sources.files import Files, start_of


class FileSource:
    """A catalog in the files of a tree, of whatever sort the tree is.

    `patterns` say which files are catalog files, beside those that Location entities name; `exclude` which are not.
    """

    def __init__(
        self, name: str, scope: str, files: Files, *, patterns: Sequence[str] = PATTERNS, exclude: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.scope = scope
        self._catalog = CatalogFiles(files, patterns, exclude)
        self._look: Look | None = None

    async def look(self) -> str:
        """The digest over all catalog files, which are read for it and, but for a few, not parsed."""
        try:
            self._look = await self._catalog.look()
        except (OSError, Failure):
            self._look = None
            return ""
        return await asyncio.to_thread(self._look.digest)

    async def read(self) -> Snapshot:
        """The snapshot of what the last look found, or of what is there now."""
        look, self._look = self._look, None
        try:
            look = look or await self._catalog.look()
        except (OSError, Failure) as error:
            why = error.strerror if isinstance(error, OSError) and error.filename in (None, self.scope) else error
            reason = f"{self.scope} cannot be read: {why}"
            return Snapshot(
                source=self.name, scope=self.scope, completeness=Completeness.FAILED, reason=reason, digest=""
            )
        texts = await self._catalog.parse(look, sorted(look.catalog))
        self._catalog.forget(look)
        return await asyncio.to_thread(
            assemble, look, texts, name=self.name, scope=self.scope, root=self._catalog.files.root
        )


def directory_source(
    name: str, path: Path, *, patterns: Sequence[str] = PATTERNS, exclude: Sequence[str] = ()
) -> FileSource:
    """The catalog below a folder, or in a single file. Places are named from the top of its Git work tree, if any.

    `patterns` and `exclude` count from `path`.
    """
    files, prefix = start_of(path)
    if path.is_file():
        return FileSource(name, str(path.absolute()), files, patterns=[prefix])
    return FileSource(
        name,
        str(path.absolute()),
        files,
        patterns=[prefix + pattern for pattern in patterns],
        exclude=[prefix + pattern for pattern in exclude],
    )
