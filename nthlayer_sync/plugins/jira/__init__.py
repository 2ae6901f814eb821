"""Jira: what tickets about services need before they can be opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from nthlayer_sync.model.blueprint import JiraProject
from nthlayer_sync.plugins.jira.account import MANNERS
from nthlayer_sync.plugins.jira.component import COMPONENT, component_in
from nthlayer_sync.plugins.jira.project import PROJECT
from nthlayer_sync.sdk.http import Authorize
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime


class JiraSettings(RestSettings):
    """Settings of the plugin."""

    user: str = Field(
        default="",
        pattern=r"^[^:\s]*$",
        description="E-mail address of the account that the token belongs to; needed where there is a token.",
    )
    projects: tuple[JiraProject, ...] = Field(
        default=(), description="Keys of the projects that blueprints may name for their tickets."
    )
    create_projects: bool = Field(
        default=False, description="Make the projects that teams name and that are not there; they are never deleted."
    )

    @model_validator(mode="after")
    def _connected(self) -> Self:
        if self.token is not None and not (self.url and self.user):
            raise ValueError(
                "url and user say which Jira is meant and whose the token is; both are needed with a token"
            )
        return self


class Plugin(RestPlugin):
    """Projects, and components in them."""

    name = "jira"
    version = "1"
    category = Category.INCIDENT
    summary = "projects and components that tickets need"
    kinds = (PROJECT, COMPONENT)
    manners = MANNERS
    settings_type = JiraSettings

    def __init__(self, settings: JiraSettings, runtime: Runtime | None = None) -> None:
        """The settings say which projects there are, and whether they are made."""
        super().__init__(settings, runtime)
        self.bind(PROJECT, create=settings.create_projects)
        self.bind(COMPONENT, projects=settings.projects)

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """In the settings' projects."""
        assert isinstance(self.settings, JiraSettings)
        return PROJECT, component_in(self.settings.projects)

    def authorize(self, runtime: Runtime) -> Authorize | None:
        """Atlassian's clouds take the address and an API token as user and password."""
        assert isinstance(self.settings, JiraSettings)
        token = self.settings.token
        return runtime.secrets.basic(self.settings.user, token) if token else None
