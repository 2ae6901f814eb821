"""A plugin against the sandbox, with every exchange held against the vendor's specification."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sandbox import Sandbox, Tool, kept_apart
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.rest import RestTarget
from nthlayer_sync.sdk.runtime import Runtime
from tests.sandbox.oracle import Oracle


class Trial:
    """One plugin, and the stand-in that it talks to."""

    def __init__(self, runtime: Runtime, plugin: OperationalPlugin, sandbox: Sandbox, tool: Tool) -> None:
        self.runtime = runtime
        self.plugin = plugin
        self.tool = tool
        self.sandbox = sandbox
        self.remembered: dict[ConfigId, str] = {}
        """The ids of what was made: where there is no room for a mark, the engine knows by them what is ours."""
        self.forward = 0.0
        """Seconds by which the stand-in's clock was put forward."""

    @property
    def target(self) -> RestTarget:
        assert isinstance(self.plugin.live, RestTarget)
        return self.plugin.live

    def configs(self, *subjects: Subject) -> list[Config]:
        """What the subjects should have here, in the order in which it has to land."""
        made = [config for subject in subjects for config in self.plugin.generate_configs(subject)]
        order = [kind.name for kind in self.plugin.active]
        return sorted((c for c in made if c.place.root == self.plugin.name), key=lambda c: order.index(c.id.kind))

    async def observed(self, config: Config) -> Observed | None:
        """What is live now, asked for anew."""
        await self.target.moved(config.place.root, "")
        found = (await self.target.read(config.place.root, {config.id: config.place.path})).get(config.id)
        if found is None or found.remote != self.remembered.get(config.id):
            return found
        return msgspec.structs.replace(found, marked=True)

    async def diff(self, config: Config) -> Diff:
        diff = self.plugin.reconcile(config, await self.observed(config))
        return msgspec.structs.replace(diff, reason="")

    async def apply(self, config: Config, *, allowed: Collection[Outcome] = (Outcome.DONE,)) -> Result:
        """Bring one config about; afterwards there is nothing to do."""
        diff = await self.diff(config)
        assert diff.action.writes, f"{config.id}: {diff.action}"
        result = (await self.target.write([diff], f"{config.id}"))[0]
        assert result.outcome in allowed, f"{config.id}: {result.outcome} {result.reason}"
        self.remembered[config.id] = result.remote
        return result

    async def bring_about(self, configs: Sequence[Config]) -> None:
        """Create or update; then nothing is to be done, and doing it again changes nothing."""
        for config in configs:
            diff = await self.diff(config)
            if not diff.action.writes:
                continue
            result = (await self.target.write([diff], f"{config.id}"))[0]
            assert result.outcome is Outcome.DONE, f"{config.id}: {result.outcome} {result.reason}"
            assert not result.reason, f"{config.id}: {result.reason}"
            assert result.content in (None, diff.after), f"{config.id}: {diff.after} is kept as {result.content}"
            self.remembered[config.id] = result.remote
        for config in configs:
            diff = await self.diff(config)
            assert diff.action is Action.NOTHING, f"{config.id}: {diff.before} -> {diff.after}"

    async def take_away(self, configs: Sequence[Config]) -> None:
        """Delete in reverse order; afterwards nothing of it is left."""
        for config in reversed(configs):
            observed = await self.observed(config)
            assert observed is not None, f"{config.id} is not there"
            result = (await self.target.write([self.plugin.reconcile(None, observed)], f"remove {config.id}"))[0]
            assert result.outcome is Outcome.DONE, f"{config.id}: {result.outcome} {result.reason}"
            assert await self.observed(config) is None


def referred(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a stand-in, with its secrets where settings may name them."""

    def exported(name: str, secret: str) -> str:
        os.environ[f"SANDBOX_{name.upper()}"] = secret
        return f"env:SANDBOX_{name.upper()}"

    return kept_apart(settings, exported)


@asynccontextmanager
async def trial(
    shared: Path, plugin: type[OperationalPlugin], settings: dict[str, Any] | None = None, tool: str = ""
) -> AsyncIterator[Trial]:
    """The plugin connected to a fresh sandbox; `settings` are laid over what the sandbox names."""
    name = tool or plugin.name
    trying: Trial | None = None
    async with Sandbox([name], clock=lambda: time.monotonic() + (trying.forward if trying else 0)) as sandbox:
        with Oracle(shared, sandbox):
            stand_in = getattr(sandbox, name)
            web = Web()
            runtime = Runtime(files=None, web=web)  # type: ignore[arg-type]
            given = plugin.settings_type.model_validate(referred(stand_in.settings()) | (settings or {}))
            trying = Trial(runtime, plugin(given, runtime), sandbox, stand_in)
            try:
                yield trying
            finally:
                await web.close()
