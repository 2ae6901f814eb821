"""The sources that the settings name, and what they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nthlayer_sync.engine.reading import CODE
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.sdk.http import Authorize, nobody
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.settings import BackstageSettings, DirectorySettings, GitSettings, SourceSettings

if TYPE_CHECKING:
    from nthlayer_sync.app import App


class Facts:
    """Where facts come from."""

    def __init__(self, app: App) -> None:
        self._app = app

    def sources(self) -> Iterator[Source]:
        """The sources, in order of precedence."""
        repositories = self._app.repositories
        for source in self._app.settings.sources:
            yield self._source(source, repositories)

    def _source(self, source: SourceSettings, repositories: Repositories) -> Source:
        """One source; what it needs is imported only where it is used, since a run pays for every import."""
        if isinstance(source, DirectorySettings):
            from nthlayer_sync.sources.directory import PATTERNS, directory_source

            return directory_source(
                source.name, self._app.folder / source.path, patterns=(*PATTERNS, *source.files), exclude=source.exclude
            )
        if isinstance(source, GitSettings):
            from nthlayer_sync.sources.git import PATTERNS, git_source

            repository = repositories.get(self._app.repository(source.url))
            return git_source(source.name, repository, patterns=(*PATTERNS, *source.files), exclude=source.exclude)
        if isinstance(source, BackstageSettings):
            from nthlayer_sync.sources.backstage import ApiSettings, BackstageSource

            return BackstageSource(source.name, ApiSettings(url=source.url, authorize=self._let_in(source.token)))
        from nthlayer_sync.sources.api import ApiSettings
        from nthlayer_sync.sources.cortex import CortexSource, cortex_directory

        confidence = self._app.tiers.confidence.cortex
        if source.path is not None:
            return cortex_directory(source.name, self._app.folder / source.path, confidence)
        return CortexSource(source.name, ApiSettings(url=source.url, authorize=self._let_in(source.token)), confidence)

    def _let_in(self, token: str | None) -> Authorize:
        return self._app.secrets.header(token) if token else nobody

    def catalogs(self) -> dict[str, Path | str]:
        """The catalogs that are kept as files, by the root of their places: a folder, or a repository's address."""
        found: dict[str, Path | str] = {}
        for source in self._app.settings.sources:
            if isinstance(source, DirectorySettings):
                top = top_of(self._app.folder / source.path)
                found[top] = Path(top)
            elif isinstance(source, GitSettings):
                address = self._app.repository(source.url)
                found[self._app.repositories.get(address).url] = address
        return found

    def code(self, entities: Iterable[Entity]) -> Source:
        """The source that looks into the repositories which the entities come from."""
        from nthlayer_sync.sources.code import Code, CodeSource, Policy, mirrored, work_tree

        entities = tuple(entities)
        repositories = self._app.repositories
        code: dict[str, Code] = {}
        here = {
            top_of(self._app.folder / s.path) for s in self._app.settings.sources if isinstance(s, DirectorySettings)
        }
        for root in sorted({entity.place.root for entity in entities if entity.place}):
            if root in here:
                code[root] = work_tree(Path(root))
            elif repositories.allowed(root):
                code[root] = mirrored(repositories.get(root), repositories.mirror(root))
        tiers = self._app.tiers
        recent = timedelta(seconds=float(tiers.history.recent.seconds))
        return CodeSource(CODE, entities, code, Policy(tiers.confidence.model_dump(), recent, tiers.history.authors))

    def catalog_files(self) -> Callable[[Place], Awaitable[bytes | None]]:
        """Reads catalog files as their sources show them, None when one is not at hand; lists each repository once."""
        repositories = self._app.repositories
        listings: dict[str, dict[str, str]] = {}

        async def read(place: Place) -> bytes | None:
            file = Path(place.root) / place.path
            if await asyncio.to_thread(file.is_file):
                return await asyncio.to_thread(file.read_bytes)
            repository = repositories.get(place.root)
            if place.root not in listings:
                listings[place.root] = await repository.listing(await repository.base_tree())
            sha = listings[place.root].get(place.path)
            return (await repository.blobs([sha]))[sha] if sha else None

        return read


def top_of(path: Path) -> str:
    """The top of the work tree that a folder belongs to, itself where it belongs to none."""
    from nthlayer_sync.sources.files import top_of_work_tree

    return str(top_of_work_tree(path.absolute()))
