"""Puts the parts together as the settings say; the only place that knows them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nthlayer_sync.blueprint.check import explain
from nthlayer_sync.blueprint.tiers import Tiers, load_tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import CODE, Setup
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.service import Home
from nthlayer_sync.sdk.discover import load
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.hosting import Hosting, Proposals
from nthlayer_sync.sdk.hosting.github import MANNERS as GITHUB
from nthlayer_sync.sdk.hosting.github import GitHub
from nthlayer_sync.sdk.hosting.gitlab import MANNERS as GITLAB
from nthlayer_sync.sdk.hosting.gitlab import GitLab
from nthlayer_sync.sdk.http import Authorize, Web, nobody
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.secrets.vault import Vault
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sdk.store import SharedStore, Store
from nthlayer_sync.sdk.target import Closable
from nthlayer_sync.settings import (
    BackstageSettings,
    DirectorySettings,
    GitSettings,
    HostingSettings,
    PostgresSettings,
    Settings,
    SourceSettings,
    load_settings,
    misplaced,
)
from nthlayer_sync.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon


@dataclass(frozen=True)
class App:
    """The settings, and the file they stand in."""

    file: Path
    settings: Settings

    @property
    def folder(self) -> Path:
        """The folder of the settings file, from which every relative path in it counts."""
        return self.file.absolute().parent

    @classmethod
    def load(cls, path: Path) -> App:
        """Read the settings file; InputError says what is wrong with it."""
        return cls(path, load_settings(path))

    @asynccontextmanager
    async def engine(self, state: Path | None = None) -> AsyncGenerator[Engine]:
        """The engine with its store open; `state` replaces the settings' state file."""
        async with self.store(state) as store, self._engine(store) as engine:
            yield engine

    @asynccontextmanager
    async def daemon(self, replica: str) -> AsyncGenerator[Daemon]:
        """One replica of the daemon, with its store open; it does nothing before it is set running."""
        from nthlayer_sync.daemon.daemon import Daemon
        from nthlayer_sync.daemon.telemetry.metrics import Metrics

        async with self.store() as store, self._engine(store) as engine:
            yield Daemon(engine, store, self.settings, replica, Metrics(self.web.tools))

    @asynccontextmanager
    async def _engine(self, store: Store) -> AsyncGenerator[Engine]:
        code = self.code if self.settings.code else None
        generator = self.generator()
        try:
            yield Engine(self.setup(), list(self.sources()), generator, store, code, self.files)
        finally:
            for target in generator.targets.values():
                if isinstance(target, Closable):
                    await target.close()
            await self.web.close()

    @asynccontextmanager
    async def store(self, state: Path | None = None) -> AsyncGenerator[SharedStore]:
        """The memory that the settings name, open; `state` is a file in its place."""
        named = state or self.settings.state
        if not isinstance(named, PostgresSettings):
            async with SqliteStore(self.folder / named) as store:
                yield store
            return
        try:
            from nthlayer_sync.state.postgres import PostgresStore
        except ImportError as error:
            raise PermanentError("state in PostgreSQL needs more: pip install 'nthlayer-sync[postgres]'") from error
        password = await self.secrets.value(named.password) if named.password else None
        async with PostgresStore(named.url, password) as store:
            yield store

    def setup(self) -> Setup:
        """What the organisation decided once."""
        settings = self.settings
        central = self._repository(settings.landing.central) if settings.landing.central else None
        return Setup(
            organisation=settings.organisation,
            tiers=self.tiers,
            central=Home(central) if central else None,
            code_host=settings.code_host,
            protected=settings.protected,
        )

    @cached_property
    def tiers(self) -> Tiers:
        """The tier table, with the organisation's own laid over it."""
        own = self.folder / self.settings.tiers if self.settings.tiers else None
        try:
            return load_tiers(own, self.settings.defaults)
        except InputError as error:
            if all(diagnosis.file for diagnosis in error.diagnoses):
                raise
            raise misplaced(self.file, ("defaults",), error.diagnoses) from error

    def generator(self) -> Generator:
        """Every plugin that is on, with its settings checked."""
        runtime = Runtime(files=self.files, instance=self.settings.instance, web=self.web, secrets=self.secrets)
        plugins = [self._plugin(name, values, runtime) for name, values in sorted(self.settings.plugins.items())]
        for plugin in plugins:
            self.files.serve(plugin.active)
        return Generator(plugins)

    @cached_property
    def files(self) -> FileTarget:
        """Where files land."""
        author = parseaddr(self.settings.landing.author)
        hostings = [self._hosting(settings) for settings in self.settings.landing.hosting]
        return FileTarget(self.repositories, author, Proposals(hostings))

    @cached_property
    def web(self) -> Web:
        """The connections to other systems."""
        return Web()

    @cached_property
    def secrets(self) -> Secrets:
        """Looks secrets up."""
        vault = self.settings.vault
        try:
            return Secrets(Vault(vault, self.web).read) if vault else Secrets()
        except PermanentError as error:
            found = Diagnosis(code="vault", message=str(error))
            raise misplaced(self.file, ("vault",), [found]) from error

    @cached_property
    def repositories(self) -> Repositories:
        """The repositories that files are read from and land in."""
        landing = self.settings.landing
        named = {self._repository(landing.central)} if landing.central else set[str]()
        for source in self.settings.sources:
            if isinstance(source, DirectorySettings):
                named.add(_top(self.folder / source.path))
            elif isinstance(source, GitSettings):
                named.add(self._repository(source.url))
        instead_of = {prefix: self._repository(place) for prefix, place in landing.instead_of.items()}
        return Repositories(self.folder / self.settings.cache, landing.branch, named, landing.hosts, instead_of)

    def _hosting(self, settings: HostingSettings) -> Hosting:
        github = settings.type == "github"
        own = f"https://{settings.name}/api/{'v3' if github else 'v4'}"
        url = settings.url or ("https://api.github.com" if settings.name == "github.com" else own)
        manners = GITHUB if github else GITLAB
        tool = self.web.tool(settings.type, url, self.secrets.header(settings.token), manners)
        return Hosting(
            name=settings.name,
            host=GitHub(tool) if github else GitLab(tool),
            labels=settings.labels,
            draft=settings.draft,
            land=settings.land,
            repositories=settings.repositories,
        )

    def sources(self) -> Iterator[Source]:
        """The sources, in order of precedence."""
        repositories = self.repositories
        for source in self.settings.sources:
            yield self._source(source, repositories)

    def _source(self, source: SourceSettings, repositories: Repositories) -> Source:
        """One source; what it needs is imported only where it is used, since a run pays for every import."""
        if isinstance(source, DirectorySettings):
            from nthlayer_sync.sources.directory import PATTERNS, directory_source

            return directory_source(
                source.name, self.folder / source.path, patterns=(*PATTERNS, *source.files), exclude=source.exclude
            )
        if isinstance(source, GitSettings):
            from nthlayer_sync.sources.git import PATTERNS, git_source

            repository = repositories.get(self._repository(source.url))
            return git_source(source.name, repository, patterns=(*PATTERNS, *source.files), exclude=source.exclude)
        if isinstance(source, BackstageSettings):
            from nthlayer_sync.sources.backstage import ApiSettings, BackstageSource

            return BackstageSource(source.name, ApiSettings(url=source.url, authorize=self._let_in(source.token)))
        from nthlayer_sync.sources.api import ApiSettings
        from nthlayer_sync.sources.cortex import CortexSource, cortex_directory

        confidence = self.tiers.confidence.cortex
        if source.path is not None:
            return cortex_directory(source.name, self.folder / source.path, confidence)
        return CortexSource(source.name, ApiSettings(url=source.url, authorize=self._let_in(source.token)), confidence)

    def _let_in(self, token: str | None) -> Authorize:
        return self.secrets.header(token) if token else nobody

    def catalogs(self) -> dict[str, Path | str]:
        """The catalogs that are kept as files, by the root of their places: a folder, or a repository's address."""
        found: dict[str, Path | str] = {}
        for source in self.settings.sources:
            if isinstance(source, DirectorySettings):
                top = _top(self.folder / source.path)
                found[top] = Path(top)
            elif isinstance(source, GitSettings):
                address = self._repository(source.url)
                found[self.repositories.get(address).url] = address
        return found

    def code(self, entities: Iterable[Entity]) -> Source:
        """The source that looks into the repositories which the entities come from."""
        from nthlayer_sync.sources.code import Code, CodeSource, Policy, mirrored, work_tree

        entities = tuple(entities)
        repositories = self.repositories
        code: dict[str, Code] = {}
        here = {_top(self.folder / s.path) for s in self.settings.sources if isinstance(s, DirectorySettings)}
        for root in sorted({entity.place.root for entity in entities if entity.place}):
            if root in here:
                code[root] = work_tree(Path(root))
            elif repositories.allowed(root):
                code[root] = mirrored(repositories.get(root), repositories.mirror(root))
        tiers = self.tiers
        recent = timedelta(seconds=float(tiers.history.recent.seconds))
        return CodeSource(CODE, entities, code, Policy(tiers.confidence.model_dump(), recent, tiers.history.authors))

    def catalog_files(self) -> Callable[[Place], Awaitable[bytes | None]]:
        """Reads catalog files as their sources show them, None when one is not at hand; lists each repository once."""
        repositories = self.repositories
        listings: dict[str, dict[str, str]] = {}

        async def read(place: Place) -> bytes | None:
            file = Path(place.root) / place.path
            if await asyncio.to_thread(file.is_file):
                return await asyncio.to_thread(file.read_bytes)
            repository = repositories.get(place.root)
            if place.root not in listings:
                head = await repository.head()
                listings[place.root] = await repository.listing(head.sha) if head else {}
            sha = listings[place.root].get(place.path)
            return (await repository.blobs([sha]))[sha] if sha else None

        return read

    def _plugin(self, name: str, values: dict[str, object], runtime: Runtime) -> OperationalPlugin:
        try:
            plugin = load(name)
        except PermanentError as error:
            found = Diagnosis(code="plugin", message=str(error))
            raise misplaced(self.file, ("plugins", name), [found]) from error
        try:
            return plugin(plugin.settings_type.model_validate(values), runtime)
        except ValidationError as error:
            wrong = [problem.diagnosis for problem in explain(error, plugin.settings_type)]
            raise misplaced(self.file, ("plugins", name), wrong) from error

    def _repository(self, address: str) -> str:
        """An address as written, or the whole path where it is a path on this machine."""
        if "://" in address or (":" in address and not address.startswith((".", "/"))):
            return address
        return str((self.folder / address).resolve()) + ("/" if address.endswith("/") else "")


def _top(path: Path) -> str:
    from nthlayer_sync.sources.files import top_of_work_tree

    return str(top_of_work_tree(path.absolute()))
