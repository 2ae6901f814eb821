"""One organisation whose configs land in tools of the sandbox: the whole engine, as the command line runs it."""

import math
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Change, Plan
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.result import Result
from nthlayer_sync.plugins.pagerduty import Plugin as PagerDuty
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.http import Manners, Web
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.state.sqlite import SqliteStore
from tests.faults.house import TIERS, Catalog, same, says, service

FULL = os.environ.get("NTHLAYER_FAULTS") == "full"
"""Whether everything is tried, or what is worth a minute."""
SECRETS = {"token", "api_key", "application_key", "api_token", "app_key"}
"""Settings that hold the name of a secret."""
UNEXPLAINED = (Action.KEEP, Action.HOLD, Action.REFUSE)
"""Actions that nobody understands without a reason."""

QUICKLY = Manners(rate=math.inf, at_once=8, timeout=5.0, pause=0.001, rest=0.05, longest_wait=1.0)
"""The sandbox bears everything, and no test waits."""


def at_pace(plugin: type[OperationalPlugin], manners: Manners = QUICKLY) -> type[OperationalPlugin]:
    """The plugin, asking as fast as it may."""
    return type(plugin.__name__, (plugin,), {"manners": manners})


PAGERDUTY = at_pace(PagerDuty)


def staff() -> list[Entity]:
    """One team of one person, whom the sandbox knows."""
    person = Entity(
        ref=entity_ref("user", "ada"), kind="User", name="ada",
        spec={"profile": {"email": "ada@example.com", "displayName": "Ada"}, "memberOf": ["team"]},
    )  # fmt: skip
    return [Entity(ref=entity_ref("group", "team"), kind="Group", name="team", spec={"type": "team"}), person]


def services(count: int, text: str = "hello") -> list[Entity]:
    """So many services of the team."""
    return [service(f"s{number:05}", text, uid=f"u{number}") for number in range(count)]


def settings_of(tool: Any) -> dict[str, Any]:
    """How to reach a stand-in, with its secrets where settings may name them."""
    found: dict[str, Any] = dict(tool.settings())
    for name in SECRETS & found.keys():
        variable = f"SANDBOX_{tool.name}_{name}".upper()
        os.environ[variable] = found[name]
        found[name] = f"env:{variable}"
    return found


@dataclass
class Company:
    """The folder holds the state. Every plan is looked at: what is held, kept or refused has a reason."""

    folder: Path
    reach: Mapping[str, Mapping[str, Any]]
    """The settings of each plugin."""
    source: Source = field(default_factory=lambda: Catalog(says([*services(3), *staff()])))
    plugins: tuple[type[OperationalPlugin], ...] = (PAGERDUTY,)
    instance: str = "default"
    tiers: Tiers = TIERS
    wrap_store: Callable[[Any], Any] = same

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """A fresh process, as far as the engine and the tools can tell."""
        repositories = Repositories(self.folder / "cache", "nthlayer-sync", [])
        files = FileTarget(repositories, ("Test", "test@example.com"))
        web = Web()
        runtime = Runtime(files=files, instance=self.instance, web=web)
        plugins = [
            plugin(plugin.settings_type.model_validate(self.reach[plugin.name]), runtime) for plugin in self.plugins
        ]
        async with SqliteStore(self.folder / "state.db") as store:
            try:
                yield Engine(Setup("acme", self.tiers), [self.source], Generator(plugins), self.wrap_store(store))
            finally:
                await web.close()

    def says(self, entities: Iterable[Entity]) -> None:
        """What the catalog says from now on."""
        assert isinstance(self.source, Catalog)
        self.source.said = says([*entities, *staff()])

    async def plan(self, request: Request = Request()) -> tuple[Plan, dict[str, Change]]:
        """A plan and its changes, by subject and kind."""
        async with self.engine() as engine:
            plan = await engine.plan(request)
            return plan, await explained(engine, plan)

    async def tick(self, request: Request = Request()) -> tuple[Plan, list[Result]]:
        """Plan and, where the guards let it pass, apply."""
        async with self.engine() as engine:
            plan = await engine.plan(request)
            await explained(engine, plan)
            if plan.refusals:
                return plan, []
            results = await engine.apply(plan, engine.store.parts(plan.id))
            assert all(result.reason for result in results if not result.made), "a failure says why"
            return plan, results


async def explained(engine: Engine, plan: Plan) -> dict[str, Change]:
    """The changes of a plan; each that is not made has its reason, and so has every source that was not read whole."""
    changes = {
        f"{part.subject.rpartition('/')[2]} {change.kind}": change
        async for part in engine.store.parts(plan.id)
        for change in part.changes
    }
    for name, change in changes.items():
        assert change.reason or change.action not in UNEXPLAINED, f"{name}: {change.action}, and nobody says why"
    for source in plan.sources:
        assert source.completeness == "complete" or source.reason
        told = any(diagnosis.code == "source-incomplete" for diagnosis in engine.diagnoses)
        assert source.completeness == "complete" or told, f"{source.name} is {source.completeness}"
    for refusal in plan.refusals:
        assert refusal.message
        assert refusal.override
    return changes
