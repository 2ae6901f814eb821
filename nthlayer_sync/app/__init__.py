"""Puts the parts together as the settings say; the only place that knows them all."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nthlayer_sync.app.facts import Facts, top_of
from nthlayer_sync.app.hosts import Hosts
from nthlayer_sync.blueprint.check import explain
from nthlayer_sync.blueprint.tiers import Tiers, load_tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.service import Home
from nthlayer_sync.sdk.discover import load
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.hosting import Proposals
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.secrets.vault import Vault
from nthlayer_sync.sdk.store import SharedStore, Store
from nthlayer_sync.sdk.target import Closable
from nthlayer_sync.settings import (
    DirectorySettings,
    GitSettings,
    PostgresSettings,
    Settings,
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
        from nthlayer_sync.web.hooks.announce import Announcement

        async with self.store() as store, self._engine(store) as engine:
            preview = self.hosts.previews(engine, store).preview if self.settings.serve.previews else None
            announcement = Announcement(self.settings, self.web, self.secrets)
            announce = announcement.tell if announcement else None
            yield Daemon(engine, store, self.settings, replica, Metrics(self.web.tools), preview, announce)

    @asynccontextmanager
    async def _engine(self, store: Store) -> AsyncGenerator[Engine]:
        code = self.facts.code if self.settings.code else None
        generator = self.generator()
        try:
            yield Engine(self.setup(), list(self.facts.sources()), generator, store, code, self.files)
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
        central = self.repository(settings.landing.central) if settings.landing.central else None
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
        return FileTarget(self.repositories, author, Proposals(self.hosts.hostings()))

    @cached_property
    def hosts(self) -> Hosts:
        """The code hosts."""
        return Hosts(self)

    @cached_property
    def facts(self) -> Facts:
        """Where facts come from."""
        return Facts(self)

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
        named = {self.repository(landing.central)} if landing.central else set[str]()
        for source in self.settings.sources:
            if isinstance(source, DirectorySettings):
                named.add(top_of(self.folder / source.path))
            elif isinstance(source, GitSettings):
                named.add(self.repository(source.url))
        instead_of = {prefix: self.repository(place) for prefix, place in landing.instead_of.items()}
        return Repositories(self.folder / self.settings.cache, landing.branch, named, landing.hosts, instead_of)

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

    def repository(self, address: str) -> str:
        """An address as written, or the whole path where it is a path on this machine."""
        if "://" in address or (":" in address and not address.startswith((".", "/"))):
            return address
        return str((self.folder / address).resolve()) + ("/" if address.endswith("/") else "")
