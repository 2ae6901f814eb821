"""Live systems that keep no history: ids, writes of unknown outcome, pre-images, and what is not ours."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.model.config import Observed, Spec
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Plan, content_sum
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Movement
from nthlayer_sync.state.sqlite import SqliteStore
from tests.faults.house import TIERS, Catalog, says, service


class TeamSpec(Spec):
    text: str


class PageSpec(Spec):
    text: str
    remotes: dict[str, str] = msgspec.field(default_factory=dict)


def team(service: Service) -> Iterator[TeamSpec]:
    yield TeamSpec(text=service.description)


def page(service: Service) -> Iterator[PageSpec]:
    yield PageSpec(text=service.name)


TEAM = Kind(name="vendor/team", version=1, summary="a team", subject=Service, spec=TeamSpec, generate=team)
PAGE = Kind(
    name="vendor/page", version=1, summary="a page", subject=Service, spec=PageSpec, generate=page,
    refers=("vendor/team",),
)  # fmt: skip


@dataclass
class Thing:
    id: str
    content: str
    marked: bool = True

    @property
    def revision(self) -> str:
        return content_sum(self.id + self.content)


@dataclass
class Vendor:
    """A system with ids of its own; `hidden` is not listed yet, `lost` answers to writes never arrive."""

    name: str = "vendor"
    settles: float = 60.0
    things: dict[str, Thing] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    upper: bool = False
    writes: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    made: int = 0

    async def moved(self, root: str, since: str) -> Movement:
        return Movement("", None)

    async def revisions(self, root: str, paths: Any) -> dict[str, str]:
        shown = {path: t.revision for path, t in self.things.items() if path not in self.hidden}
        return shown if paths is None else {path: shown[path] for path in paths if path in shown}

    async def confirm(self, root: str, remotes: dict[str, str]) -> dict[str, str]:
        self.confirmed += remotes
        there = {t.id: (path, t.revision) for path, t in self.things.items()}
        return dict(there[id] for id in remotes.values() if id in there)

    async def read(self, root: str, paths: Any) -> dict[Any, Observed]:
        return {
            id: Observed(id, Place(root, path), t.revision, t.content, t.marked, remote=t.id)
            for id, path in paths.items()
            if (t := self.things.get(path)) is not None
        }

    async def write(self, batch: Any, idempotency_key: str) -> list[Result]:
        return [self._one(diff) for diff in batch]

    def _one(self, diff: Any) -> Result:
        place = diff.desired.place if diff.desired else diff.actual.place
        self.writes.append(f"{diff.action} {place.path}")
        thing = self.things.get(place.path)
        if (thing.revision if thing else "") != (diff.actual.revision if diff.actual else ""):
            return Result(id=diff.id, outcome=Outcome.FAILED, reason="changed since the plan", temporary=True)
        if diff.desired is None:
            del self.things[place.path]
            return Result(id=diff.id, outcome=Outcome.DONE)
        if thing is None:
            self.made += 1
            thing = self.things[place.path] = Thing(f"V{self.made}", "")
        thing.content = diff.after.upper() if self.upper else diff.after
        if place.path in self.lost:
            return Result(id=diff.id, outcome=Outcome.UNKNOWN, reason="no answer", temporary=True)
        content = thing.content if self.upper else None
        return Result(id=diff.id, outcome=Outcome.DONE, revision=thing.revision, remote=thing.id, content=content)


class Plugin(OperationalPlugin):
    name, version, category, summary = "vendor", "1", Category.INCIDENT, "a vendor, to test with"
    kinds = (TEAM, PAGE)

    def connect(self, runtime: Runtime) -> Any:
        return runtime.files

    def place(self, kind: Any, subject: Any, spec: Any) -> Place:
        return Place("vendor", f"{kind.name.partition('/')[2]}/{subject.name}")


@dataclass
class World:
    folder: Path
    vendor: Vendor = field(default_factory=Vendor)
    catalog: Catalog = field(default_factory=lambda: Catalog(says([service("a"), service("b")])))
    settings: PluginSettings = field(default_factory=PluginSettings)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        generator = Generator([Plugin(self.settings, Runtime(files=self.vendor))])
        async with SqliteStore(self.folder / "state.db") as store:
            yield Engine(Setup("acme", TIERS), [self.catalog], generator, store)

    async def plan(self, request: Request = Request()) -> tuple[Plan, dict[str, tuple[str, str]]]:
        async with self.engine() as engine:
            plan = await engine.plan(request)
            return plan, {
                change.place.path: (str(change.action), change.reason)
                async for part in engine.store.parts(plan.id)
                for change in part.changes
            }

    async def run(self, request: Request = Request()) -> list[Result]:
        async with self.engine() as engine:
            plan = await engine.plan(request)
            return await engine.apply(plan, engine.store.parts(plan.id)) if not plan.refusals else []

    async def undo(self) -> list[Result]:
        async with self.engine() as engine:
            [(plan, _)] = await engine.store.undoable(1)
            return await engine.undo(plan)

    async def settled(self) -> bool:
        return (await self.plan())[0].counts == {}

    def says(self, **texts: str) -> None:
        self.catalog.said = says([service(name, text) for name, text in texts.items()])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_ids_flow_from_what_is_made_first(world: World) -> None:
    await world.run()
    team = world.vendor.things["team/a"].id
    assert msgspec.json.decode(world.vendor.things["page/a"].content)["remotes"] == {"vendor/team": team}
    assert [w.partition("/")[0] for w in world.vendor.writes] == ["create team"] * 2 + ["create page"] * 2
    assert await world.settled()
    del world.vendor.things["team/a"]
    _, changes = await world.plan(Request(enforce=True))
    assert changes["team/a"] == ("create", "makes again what was removed outside")
    assert changes["page/a"] == ("update", "vendor/team gets its id")
    await world.run(Request(enforce=True))
    new = world.vendor.things["team/a"].id
    assert new != team
    assert msgspec.json.decode(world.vendor.things["page/a"].content)["remotes"] == {"vendor/team": new}
    assert await world.settled()


async def test_what_goes_goes_before_what_it_refers_to(world: World) -> None:
    await world.run()
    world.vendor.writes.clear()
    world.says(b="hello")
    gone = frozenset({service("a").ref})
    await world.run(Request(Consent(deletes=2), gone=gone))
    assert world.vendor.writes == ["delete page/a", "delete team/a"]


async def test_a_write_of_unknown_outcome_is_looked_at_and_never_made_twice(world: World) -> None:
    world.vendor.lost, world.vendor.hidden = {"team/a"}, {"team/a"}
    outcomes = {str(r.id): (str(r.outcome), r.reason) for r in await world.run()}
    assert outcomes["vendor/team component:default/a"] == ("unknown", "no answer")
    assert outcomes["vendor/page component:default/a"][0] == "failed"
    assert outcomes["vendor/page component:default/b"][0] == "done"
    _, changes = await world.plan()
    assert changes["team/a"][0] == "refuse"
    assert "written 0 s ago with unknown outcome; looked at again in 60 s" in changes["team/a"][1]
    world.vendor.lost, world.vendor.hidden = set(), set()
    async with world.engine() as engine:
        plan = await engine.plan()
        assert engine.interrupted == 1
        await engine.apply(plan, engine.store.parts(plan.id))
    assert await world.settled()
    assert world.vendor.made == 4


async def test_what_never_shows_is_made_once_it_had_time_to_show(world: World, monkeypatch: Any) -> None:
    world.vendor.lost = {"team/a"}
    await world.run()
    del world.vendor.things["team/a"]
    world.vendor.lost = set()
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert (await world.plan())[1]["team/a"][0] == "create"


async def test_undo_writes_what_stood_there(world: World) -> None:
    await world.run()
    before = {path: t.content for path, t in world.vendor.things.items()}
    world.says(a="new", b="hello", c="another")
    await world.run()
    assert "new" in world.vendor.things["team/a"].content
    world.vendor.things["page/c"].content = "by hand"
    results = {str(r.id): (str(r.outcome), r.reason) for r in await world.undo()}
    assert results["vendor/team component:default/a"] == ("done", "")
    assert results["vendor/page component:default/c"][0] == "skipped"
    assert "changed since" in results["vendor/page component:default/c"][1]
    assert {path: t.content for path, t in world.vendor.things.items()} == before | {"page/c": "by hand"}


async def test_undo_makes_what_was_deleted(world: World) -> None:
    await world.run()
    world.says(b="hello")
    await world.run(Request(Consent(deletes=2), gone=frozenset({service("a").ref})))
    world.vendor.writes.clear()
    assert {str(r.outcome) for r in await world.undo()} == {"done"}
    assert world.vendor.writes == ["create team/a", "create page/a"]
    team = world.vendor.things["team/a"].id
    assert msgspec.json.decode(world.vendor.things["page/a"].content)["remotes"] == {"vendor/team": team}
    world.says(a="hello", b="hello")
    assert await world.settled()


async def test_what_is_kept_otherwise_is_said_once_and_is_no_difference(world: World) -> None:
    world.vendor.upper = True
    results = await world.run()
    assert {r.reason for r in results} == {"the live system keeps some of it otherwise than it was given"}
    assert await world.settled()
    assert await world.settled()


async def test_what_a_list_does_not_show_is_asked_for_by_its_id(world: World) -> None:
    await world.run()
    world.vendor.hidden = {"team/a"}
    assert await world.settled()
    assert world.vendor.confirmed == ["team/a"]


async def test_what_equals_ours_without_our_mark_is_not_ours(world: World) -> None:
    await world.run()
    things, world.vendor.things = world.vendor.things, {}
    (world.folder / "state.db").unlink()
    for thing in things.values():
        thing.marked = False
    world.vendor.things = things
    _, changes = await world.plan()
    assert {action for action, _ in changes.values()} == {"refuse"}
    assert all("does not bear our mark; import it" in reason for _, reason in changes.values())


async def test_what_has_no_room_for_a_mark_is_ours_by_its_id(world: World) -> None:
    await world.run()
    thing = world.vendor.things["team/a"]
    thing.marked, thing.content = False, "{}"
    assert (await world.plan())[1]["team/a"] == ("keep", "drift: it was changed by hand")
    thing.id = "another"
    assert (await world.plan(Request(enforce=True)))[1]["team/a"][0] == "refuse"


async def test_a_wiped_account_is_not_filled_again_unasked(world: World) -> None:
    world.says(**{f"s{n}": "hello" for n in range(20)})
    await world.run()
    world.vendor.things.clear()
    plan, _ = await world.plan(Request(enforce=True))
    assert [(r.guard, r.override) for r in plan.refusals] == [("recreates", "--allow-recreates 40")]
    assert world.vendor.things == {}
    await world.run(Request(Consent(recreates=40), enforce=True))
    assert len(world.vendor.things) == 40
    assert await world.settled()


async def test_edits_are_overwritten_of_the_kinds_that_say_so(world: World) -> None:
    world.settings = PluginSettings(drift={"team": "enforce"})
    await world.run()
    for path in ("team/a", "page/a"):
        world.vendor.things[path].content = "{}"
    _, changes = await world.plan()
    assert (changes["team/a"][0], changes["page/a"][0]) == ("update", "keep")
