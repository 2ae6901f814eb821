"""GitHub: pipelines and code owners, as files in the service's own repository."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nthlayer_sync.plugins.github.codeowners import CODEOWNERS
from nthlayer_sync.plugins.github.workflow import WORKFLOW, Runs
from nthlayer_sync.rollout.commands import Commands
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target


class GithubSettings(PluginSettings):
    """Settings of the plugin."""

    commands: Commands = Field(default=Commands(), description="What the pipelines run.")
    runner: str = Field(default="ubuntu-24.04", description="Label of the machines that the pipelines run on.")
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = Field(
        default=(), description="Names of secrets that deploying, verifying and rolling back need in their environment."
    )


class Plugin(OperationalPlugin):
    """What GitHub reads from a repository."""

    name = "github"
    version = "1"
    category = Category.DEPLOYMENT
    summary = "pipelines and code owners in GitHub repositories"
    kinds = (WORKFLOW, CODEOWNERS)
    settings_type = GithubSettings

    def __init__(self, settings: GithubSettings, files: Target) -> None:
        """The settings' commands go into every workflow."""
        super().__init__(settings, files)
        commands = settings.commands
        runs = Runs(commands.by_name(), commands.minutes, settings.runner, settings.secrets)
        self.bind(WORKFLOW, runs=runs)
