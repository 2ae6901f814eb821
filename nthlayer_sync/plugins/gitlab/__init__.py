"""GitLab: pipelines as files in the service's own repository; protected environments live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from nthlayer_sync.plugins.gitlab.account import MANNERS
from nthlayer_sync.plugins.gitlab.pipeline import PIPELINE
from nthlayer_sync.plugins.gitlab.protected_environment import PROTECTED_ENVIRONMENT, protected_environment_of
from nthlayer_sync.rollout.commands import Commands
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime


class GitlabSettings(RestSettings):
    """Settings of the plugin."""

    commands: Commands = Field(default=Commands(), description="What the pipelines run.")
    group: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*)?$",
        description="Path of the group whose projects have live configs; needed where there is a token.",
    )
    projects: tuple[str, ...] = Field(
        default=("*",), description="Paths below the group, or patterns of them, of projects that have live configs."
    )

    @model_validator(mode="after")
    def _connected(self) -> Self:
        if self.token is not None and not self.group:
            raise ValueError("group says whose projects are meant; it is needed where there is a token")
        return self

    @property
    def within(self) -> tuple[str, ...]:
        """Patterns of whole paths, in lower case."""
        return tuple(f"{self.group}/{pattern}".lower() for pattern in self.projects)


class Plugin(RestPlugin):
    """What GitLab reads from a repository, and how it guards what is deployed from one."""

    name = "gitlab"
    version = "1"
    category = Category.DEPLOYMENT
    summary = "pipelines and protected environments of GitLab projects"
    kinds = (PIPELINE, PROTECTED_ENVIRONMENT)
    url = "https://gitlab.com/api/v4"
    manners = MANNERS
    settings_type = GitlabSettings

    def __init__(self, settings: GitlabSettings, runtime: Runtime | None = None) -> None:
        """The settings' commands go into every pipeline."""
        super().__init__(settings, runtime)
        commands = settings.commands
        self.bind(PIPELINE, commands=commands.by_name(), minutes=commands.minutes)
        self.bind(PROTECTED_ENVIRONMENT, group=settings.group, within=settings.within)

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """Below the settings' group."""
        assert isinstance(self.settings, GitlabSettings)
        return (protected_environment_of(self.settings.group, self.settings.within),)
