"""GitHub: pipelines and code owners as files in the service's own repository; environments and branch rules live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from nthlayer_sync.plugins.github.account import MANNERS
from nthlayer_sync.plugins.github.codeowners import CODEOWNERS
from nthlayer_sync.plugins.github.environment import ENVIRONMENT, environment_of
from nthlayer_sync.plugins.github.ruleset import RULESET, ruleset_of
from nthlayer_sync.plugins.github.workflow import WORKFLOW, Runs
from nthlayer_sync.rollout.commands import Commands
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime


class GithubSettings(RestSettings):
    """Settings of the plugin."""

    commands: Commands = Field(default=Commands(), description="What the pipelines run.")
    runner: str = Field(default="ubuntu-24.04", description="Label of the machines that the pipelines run on.")
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = Field(
        default=(), description="Names of secrets that deploying, verifying and rolling back need in their environment."
    )
    organisation: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9-]{0,38})?$",
        description="Whose repositories have live configs; needed where there is a token.",
    )
    repositories: tuple[str, ...] = Field(
        default=("*",), description="Names or patterns of the organisation's repositories that have live configs."
    )

    @model_validator(mode="after")
    def _connected(self) -> Self:
        if self.token is not None and not self.organisation:
            raise ValueError("organisation says whose repositories are meant; it is needed where there is a token")
        return self

    @property
    def within(self) -> tuple[str, ...]:
        """Patterns of whole names, in lower case."""
        return tuple(f"{self.organisation}/{pattern}".lower() for pattern in self.repositories)


class Plugin(RestPlugin):
    """What GitHub reads from a repository, and how it guards one."""

    name = "github"
    version = "1"
    category = Category.DEPLOYMENT
    summary = "pipelines, code owners, environments and branch rules of GitHub repositories"
    kinds = (WORKFLOW, CODEOWNERS, ENVIRONMENT, RULESET)
    url = "https://api.github.com"
    manners = MANNERS
    settings_type = GithubSettings

    def __init__(self, settings: GithubSettings, runtime: Runtime | None = None) -> None:
        """The settings' commands go into every workflow."""
        super().__init__(settings, runtime)
        commands = settings.commands
        runs = Runs(commands.by_name(), commands.minutes, settings.runner, settings.secrets)
        self.bind(WORKFLOW, runs=runs)
        for kind in (ENVIRONMENT, RULESET):
            self.bind(kind, organisation=settings.organisation, within=settings.within)

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """In the settings' organisation."""
        assert isinstance(self.settings, GithubSettings)
        where = self.settings.organisation, self.settings.within
        return environment_of(*where), ruleset_of(*where)
