"""Plans and makes single changes of a plugin with a live target, as the engine does."""

from typing import Any

from nthlayer_sync.model.config import Config, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.target import Target


class Hand:
    """A plugin and its live target."""

    def __init__(self, plugin: OperationalPlugin, target: Target) -> None:
        self.plugin = plugin
        self.target = target

    def configs(self, *subjects: Subject) -> list[Config]:
        """What the subjects should have."""
        return [config for subject in subjects for config in self.plugin.generate_configs(subject)]

    async def observed(self, config: Config) -> Observed | None:
        """What is live."""
        return (await self.target.read(config.place.root, {config.id: config.place.path})).get(config.id)

    async def diff(self, config: Config) -> Diff:
        """What is to be done about a config."""
        return self.plugin.reconcile(config, await self.observed(config))

    async def plan(self, configs: list[Config]) -> list[Diff]:
        """What is to be done about several."""
        return [diff for config in configs if (diff := await self.diff(config)).action.writes]

    async def removal(self, config: Config) -> Diff:
        """How to take a config away."""
        return self.plugin.reconcile(None, await self.observed(config))

    async def apply(self, *diffs: Diff) -> list[Result]:
        """Make changes, in one batch."""
        return await self.target.write(list(diffs), "key")

    async def make(self, diff: Diff) -> Result:
        """Make one change."""
        return (await self.apply(diff))[0]

    async def done(self, subject: Subject) -> Config:
        """Bring the one config of a subject about; afterwards there is nothing to do, and doing it again is nothing."""
        [config] = self.configs(subject)
        diff = await self.diff(config)
        assert diff.action in (Action.CREATE, Action.UPDATE), diff
        result = await self.make(diff)
        assert result.outcome == "done", (result.reason, diff.after)
        observed = await self.observed(config)
        assert (observed.revision, observed.marked) == (result.revision, True)
        assert (await self.diff(config)).action is Action.NOTHING
        assert (await self.make(diff)).outcome == "unchanged"
        return config

    async def outcomes(self, *diffs: Diff) -> list[Any]:
        """The same; how each ended."""
        return [str(result.outcome) for result in await self.apply(*diffs)]
