"""The code hosts that the settings name: where files are proposed, and what is told on pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.sdk.hosting import Hosting
from nthlayer_sync.sdk.hosting.github import MANNERS as GITHUB
from nthlayer_sync.sdk.hosting.github import GitHub
from nthlayer_sync.sdk.hosting.gitlab import MANNERS as GITLAB
from nthlayer_sync.sdk.hosting.gitlab import GitLab
from nthlayer_sync.sdk.http import Tool
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.settings import GitSettings, HostingSettings

if TYPE_CHECKING:
    from nthlayer_sync.app import App
    from nthlayer_sync.daemon.preview_sources import Editable
    from nthlayer_sync.daemon.previews import Previews


class Hosts:
    """One connection to each host, whatever it is used for."""

    def __init__(self, app: App) -> None:
        self._app = app

    def hostings(self) -> list[Hosting]:
        """Where pull requests are opened."""
        return [self._hosting(settings) for settings in self._app.settings.landing.hosting]

    def previews(self, engine: Engine, store: SharedStore) -> Previews:
        """Tells on pull requests what merging them would change."""
        from nthlayer_sync.daemon.previews import Previews
        from nthlayer_sync.sdk.hosting.github_reviews import GitHubReviews
        from nthlayer_sync.sdk.hosting.gitlab_reviews import GitLabReviews

        reviews = {
            name: GitHubReviews(tool) if type == "github" else GitLabReviews(tool)
            for name, (type, tool) in self._hosts.items()
        }
        return Previews(engine, store, self._app.settings.serve, reviews=reviews, sources=list(self._editable(store)))

    def _editable(self, store: SharedStore) -> Iterator[Editable]:
        """The sources, in the same order, such that edits can be laid on them."""
        from nthlayer_sync.daemon.preview_sources import EditableCatalog, EditableFiles
        from nthlayer_sync.sources.git import PATTERNS

        for source in self._app.settings.sources:
            if isinstance(source, GitSettings):
                repository = self._app.repositories.get(self._app.repository(source.url))
                patterns = (*PATTERNS, *source.files)
                yield EditableFiles(source.name, source.url, repository, patterns=patterns, exclude=source.exclude)
            else:
                yield EditableCatalog(source.name, store)

    @cached_property
    def _hosts(self) -> dict[str, tuple[str, Tool]]:
        """The code hosts by name: what runs there, and the connection to it."""
        return {settings.name: (settings.type, self._host(settings)) for settings in self._app.settings.landing.hosting}

    def _host(self, settings: HostingSettings) -> Tool:
        github = settings.type == "github"
        own = f"https://{settings.name}/api/{'v3' if github else 'v4'}"
        url = settings.url or ("https://api.github.com" if settings.name == "github.com" else own)
        return self._app.web.tool(
            settings.type, url, self._app.secrets.header(settings.token), GITHUB if github else GITLAB
        )

    def _hosting(self, settings: HostingSettings) -> Hosting:
        type, tool = self._hosts[settings.name]
        return Hosting(
            name=settings.name,
            host=GitHub(tool) if type == "github" else GitLab(tool),
            labels=settings.labels,
            draft=settings.draft,
            land=settings.land,
            repositories=settings.repositories,
        )
