"""GitLab: pipelines, as files in the service's own repository."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.plugins.gitlab.pipeline import PIPELINE
from nthlayer_sync.rollout.commands import Commands
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target


class GitlabSettings(PluginSettings):
    """Settings of the plugin."""

    commands: Commands = Field(default=Commands(), description="What the pipelines run.")


class Plugin(OperationalPlugin):
    """What GitLab reads from a repository."""

    name = "gitlab"
    version = "1"
    category = Category.DEPLOYMENT
    summary = "pipelines in GitLab repositories"
    kinds = (PIPELINE,)
    settings_type = GitlabSettings

    def __init__(self, settings: GitlabSettings, files: Target) -> None:
        """The settings' commands go into every pipeline."""
        super().__init__(settings, files)
        commands = settings.commands
        self.bind(PIPELINE, commands=commands.by_name(), minutes=commands.minutes)
