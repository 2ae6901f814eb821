"""One organisation with a scripted catalog and a central repository: the whole engine, as the command line runs it."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Change, Plan
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.service import Home
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.state.sqlite import SqliteStore
from tests.engine.conftest import Notes, git

CENTRAL = "https://git.example.com/acme/central"
TIERS = load_tiers(None)


def service(name: str, text: str = "hello", uid: str = "", **words: Any) -> Entity:
    """A component of tier 1."""
    return Entity(
        ref=entity_ref("component", name), kind="Component", name=name, description=text, uid=uid,
        annotations={"nthlayer.dev/tier": "1"}, spec={"type": "service", "owner": "team"}, **words,
    )  # fmt: skip


def says(entities: Iterable[Entity] = (), completeness: str = "complete", scope: str = "all") -> Snapshot:
    """What the catalog says."""
    rows = tuple(entities)
    digest = blake2b(repr((rows, completeness, scope)).encode(), digest_size=8).hexdigest()
    return Snapshot(
        source="catalog", scope=scope, completeness=Completeness(completeness), reason="it is said so",
        digest=digest if completeness == "complete" else "", entities=rows,
    )  # fmt: skip


@dataclass
class Catalog:
    """A source that says what the test tells it to."""

    said: Snapshot
    name: str = "catalog"
    scope: str = "all"

    async def look(self) -> str:
        return self.said.digest

    async def read(self) -> Snapshot:
        return self.said


def same(part: Any) -> Any:
    return part


@dataclass
class House:
    """The folder holds the state, the mirrors and the remote."""

    folder: Path
    catalog: Catalog = field(default_factory=lambda: Catalog(says()))
    settings: PluginSettings = field(default_factory=PluginSettings)
    plugins: tuple[type[OperationalPlugin], ...] = (Notes,)
    wrap_target: Callable[[Any], Any] = same
    wrap_store: Callable[[Any], Any] = same

    @property
    def remote(self) -> Path:
        return self.folder / "central.git"

    def build(self) -> None:
        git("init", "-q", "--bare", "-b", "main", "central.git", cwd=self.folder)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """A fresh process, as far as the engine can tell."""
        repositories = Repositories(self.folder / "cache", "nthlayer-sync", [], instead_of={CENTRAL: str(self.remote)})
        files = FileTarget(repositories, ("Test", "test@example.com"))
        target = self.wrap_target(files)
        for plugin in self.plugins:
            files.serve(plugin.kinds)
        settings = self.settings.model_dump()
        plugins = [
            plugin(plugin.settings_type.model_validate(settings), Runtime(files=target)) for plugin in self.plugins
        ]
        generator = Generator(plugins)
        async with SqliteStore(self.folder / "state.db") as store:
            yield Engine(Setup("acme", TIERS, Home(CENTRAL)), [self.catalog], generator, self.wrap_store(store))

    async def plan(self, request: Request = Request()) -> tuple[Plan, dict[str, Change]]:
        async with self.engine() as engine:
            plan = await engine.plan(request)
            return plan, await _changes(engine, plan)

    async def run(self, request: Request = Request()) -> tuple[Plan, list[Result]]:
        """Plan and, where the guards let it pass, apply."""
        async with self.engine() as engine:
            plan = await engine.plan(request)
            if plan.refusals:
                return plan, []
            return plan, await engine.apply(plan, engine.store.parts(plan.id))

    def files(self) -> dict[str, str]:
        """What stands on the branch."""
        names = git("ls-tree", "-r", "--name-only", "nthlayer-sync", cwd=self.remote).splitlines()
        return {name: git("show", f"nthlayer-sync:{name}", cwd=self.remote) for name in names}

    def names(self) -> set[str]:
        """The services that have files."""
        listing = git("ls-tree", "-r", "--name-only", "nthlayer-sync", cwd=self.remote).splitlines()
        return {name.split("/")[1] for name in listing}


async def _changes(engine: Engine, plan: Plan) -> dict[str, Change]:
    return {
        f"{part.subject.rpartition('/')[2]} {change.kind}": change
        async for part in engine.store.parts(plan.id)
        for change in part.changes
    }


def deletes(plan: Plan) -> int:
    """How many configs a plan would delete."""
    return plan.total(Action.DELETE)
