"""A small plugin of two kinds, a real Git repository, a real store: everything an engine test needs."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.apply import Applier
from nthlayer_sync.engine.draft import Rules, Scope
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.observe import Live
from nthlayer_sync.engine.plan import Planner
from nthlayer_sync.engine.recover import recover
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.plan import Change, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.service import Home, Service
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.kind import Category, FileKind, Kind
from nthlayer_sync.sdk.ownership import MARK, Blocks
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.state.sqlite import SqliteStore


class NoteSpec(Spec):
    text: str


def whole(service: Service) -> Iterator[NoteSpec]:
    if service.description == "bad":
        raise PermanentError("a bad description")
    if service.description == "bug":
        raise RuntimeError("boom")
    if service.description != "none":
        yield NoteSpec(text=service.description)


def block(service: Service) -> Iterator[NoteSpec]:
    yield NoteSpec(text=service.title)


WHOLE = FileKind(
    name="notes/whole", version=1, summary="a file of ours", subject=Service, spec=NoteSpec, generate=whole,
    path=lambda service, spec: "whole.txt", render=lambda spec: f"{MARK}\n{spec.text}\n",
)  # fmt: skip
BLOCK = FileKind(
    name="notes/block", version=1, summary="a part of a file", subject=Service, spec=NoteSpec, generate=block,
    path=lambda service, spec: "block.md", render=lambda spec: Blocks("<!--", "-->").join({"main": spec.text}),
    owns=lambda id: Blocks("<!--", "-->"), requires=("notes/whole",),
)  # fmt: skip


class Notes(OperationalPlugin):
    name = "notes"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "notes, to test with"
    kinds = (WHOLE, BLOCK)


def git(*words: str, cwd: Path) -> str:
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


@dataclass
class House:
    """One organisation with one central repository, as a test plays it."""

    folder: Path
    store: SqliteStore
    services: dict[EntityRef, Service] = field(default_factory=dict)
    settings: PluginSettings = field(default_factory=PluginSettings)
    present: set[EntityRef] | None = None
    uids: dict[EntityRef, str] = field(default_factory=dict)
    kinds: tuple[Kind[Any, Any], ...] = (WHOLE, BLOCK)
    wrap: Callable[[FileTarget], Any] = lambda target: target

    @property
    def remote(self) -> Path:
        return self.folder / "central.git"

    def repository(self, name: str) -> Path:
        """One more repository."""
        path = self.folder / name
        git("init", "-q", "--bare", "-b", "main", name, cwd=self.folder)
        return path

    def service(self, name: str, text: str = "hello", title: str = "Title", **more: Any) -> Service:
        service = service_from(
            {"name": name, "description": text, "title": title, "own": None,
             "central": {"root": str(self.remote), "folder": name}, **more}
        )  # fmt: skip
        self.services[service.ref] = service
        return service

    def drop(self, name: str) -> None:
        del self.services[EntityRef(f"component:default/{name}")]

    def generator(self) -> Generator:
        local = [str(path) for path in self.folder.glob("*.git")]
        repositories = Repositories(self.folder / "cache", "nthlayer-sync", local)
        target = FileTarget(repositories, ("Test", "test@example.com"))
        target.serve(self.kinds)
        plugin = type("Plugin", (Notes,), {"kinds": self.kinds})
        return Generator([plugin(self.settings, Runtime(files=self.wrap(target)))])

    async def plan(self, *, consent: Consent = Consent(), enforce: bool = False) -> Plan:
        generator = self.generator()
        live = Live(self.store.roots)
        await live.observe_known(generator.targets)
        recovered = await recover(self.store, generator, live, time.time())
        subjects = [self.services[ref] for ref in sorted(self.services)]
        scope = Scope(subjects, self.present or set(self.services), lambda ref: self.uids.get(ref, ""))
        rules = Rules(load_tiers(None).guards, consent=consent, enforce=enforce, open=recovered.open)
        plan = await Planner(self.store, generator, live, rules).plan(scope, await self.store.traces())
        await self.store.see_roots(live.states())
        return plan

    async def apply(self, plan: Plan) -> list[Result]:
        return await Applier(self.store, self.generator(), self.services.get).apply(plan, self.store.parts(plan.id))

    async def changes(self, plan: Plan) -> dict[str, Change]:
        return {
            f"{part.subject.rpartition('/')[2]} {change.kind}": change
            async for part in self.store.parts(plan.id)
            for change in part.changes
        }

    async def actions(self, plan: Plan) -> dict[str, str]:
        return {name: str(change.action) for name, change in (await self.changes(plan)).items()}

    async def settle(self, **words: Any) -> None:
        """Plan and apply; all of it works."""
        plan = await self.plan(**words)
        assert not plan.refusals
        assert {result.outcome for result in await self.apply(plan)} <= {"done", "unchanged"}

    async def settled(self) -> bool:
        """Whether there is nothing to do, keep or refuse."""
        return (await self.plan()).counts == {}

    def file(self, path: str, branch: str = "nthlayer-sync", remote: Path | None = None) -> str:
        return git("show", f"{branch}:{path}", cwd=remote or self.remote)

    def git_files(self, branch: str = "nthlayer-sync", remote: Path | None = None) -> list[str]:
        return git("ls-tree", "-r", "--name-only", branch, cwd=remote or self.remote).split()

    def commit_first(self, path: str, text: str) -> None:
        """What a person had there before we came."""
        work = self.folder / "first"
        git("clone", "-q", str(self.remote), str(work), cwd=self.folder)
        (work / path).parent.mkdir(parents=True)
        (work / path).write_text(text)
        git("checkout", "-q", "-B", "main", cwd=work)
        git("add", "-A", cwd=work)
        git("-c", "user.name=Person", "-c", "user.email=person@example.com", "commit", "-q", "-m", "first", cwd=work)
        git("push", "-q", "origin", "main", cwd=work)

    def commit(self, path: str, text: str | None, branch: str = "nthlayer-sync") -> None:
        """What a person does: clone, edit, push."""
        work = self.folder / "work"
        if not work.exists():
            git("clone", "-q", str(self.remote), str(work), cwd=self.folder)
            git("config", "user.name", "Person", cwd=work)
            git("config", "user.email", "person@example.com", cwd=work)
        git("fetch", "-q", "origin", cwd=work)
        git("checkout", "-q", "-B", branch, f"origin/{branch}", cwd=work)
        target = work / path
        if text is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        git("add", "-A", cwd=work)
        git("commit", "-q", "-m", "by hand", cwd=work)
        git("push", "-q", "origin", branch, cwd=work)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    git("init", "-q", "--bare", "-b", "main", "central.git", cwd=tmp_path)
    async with SqliteStore(tmp_path / "state.db") as store:
        house = House(tmp_path, store)
        yield house
    await asyncio.sleep(0)


__all__ = ["Home", "House", "Notes", "git"]
