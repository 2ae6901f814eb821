"""Confluence: pages about services, where people look who have no access to the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from nthlayer_sync.plugins.confluence.page import PAGE, page_in
from nthlayer_sync.plugins.confluence.space import MANNERS
from nthlayer_sync.sdk.http import Authorize
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime


class ConfluenceSettings(RestSettings):
    """Settings of the plugin."""

    user: str = Field(
        default="",
        pattern=r"^[^:\s]*$",
        description="E-mail address of the account that the token belongs to; needed where there is a token.",
    )
    space: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9~._-]{0,255}$",
        description="Key of the space that the pages are in; needed where there is a token.",
    )

    @model_validator(mode="after")
    def _connected(self) -> Self:
        if self.token is not None and not (self.url and self.user and self.space):
            raise ValueError(
                "url, user and space say where the pages go and who writes them; all are needed with a token"
            )
        return self


class Plugin(RestPlugin):
    """Pages about running a service."""

    name = "confluence"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "pages about running a service, in Confluence"
    kinds = (PAGE,)
    manners = MANNERS
    settings_type = ConfluenceSettings

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """In the settings' space."""
        assert isinstance(self.settings, ConfluenceSettings)
        return (page_in(self.settings.space),)

    def authorize(self, runtime: Runtime) -> Authorize | None:
        """Atlassian's clouds take the address and an API token as user and password."""
        assert isinstance(self.settings, ConfluenceSettings)
        token = self.settings.token
        return runtime.secrets.basic(self.settings.user, token) if token else None
