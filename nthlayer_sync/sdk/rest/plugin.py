"""A plugin whose configs land in the account of one tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.http import Authorize, Manners
from nthlayer_sync.sdk.kind import Kind
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.rest.kind import RestKind
from nthlayer_sync.sdk.rest.target import RestTarget
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.sdk.target import Target


class RestSettings(LiveSettings):
    """How the account of a tool is reached."""

    url: str = Field(default="", description="Base address of the API; the vendor's own when left out.")
    token: SecretRef | None = Field(
        default=None, description="Where the token is kept; without one nothing of this plugin is live."
    )
    rate: float | None = Field(
        default=None,
        gt=0,
        description="Requests a second, where your account allows other than the plugin's README says.",
    )


class RestPlugin(OperationalPlugin):
    """`url` is the vendor's own address, `manners` how hard its API may be asked, `scheme` how a token is sent."""

    url: ClassVar[str] = ""
    manners: ClassVar[Manners]
    scheme: ClassVar[str] = "Bearer {}"
    settles: ClassVar[float] = 30.0
    settings_type: ClassVar[type[PluginSettings]] = RestSettings
    settings: RestSettings

    def __init__(self, settings: RestSettings, runtime: Runtime | None = None) -> None:
        super().__init__(settings, runtime)
        if runtime is not None and self.live is None:
            self.active = tuple(kind for kind in self.active if not isinstance(kind, RestKind))

    def connect(self, runtime: Runtime) -> Target | None:
        """The account that the settings name."""
        authorize = self.authorize(runtime)
        if authorize is None:
            return None
        rate = self.settings.rate or self.manners.rate
        manners = msgspec.structs.replace(self.manners, rate=rate, read_only=self.settings.read_only)
        tool = runtime.web.tool(self.name, self.settings.url or self.url, authorize, manners)
        chosen = self.settings.kinds
        kinds = [kind for kind in self.live_kinds() if chosen is None or kind.name.partition("/")[2] in chosen]
        return RestTarget(self.name, tool, kinds, runtime.instance, self.settles)

    def live_kinds(self) -> Sequence[RestKind[Any, Any]]:
        """The kinds that land in the account; a plugin whose settings say where its collections are puts that in."""
        return [kind for kind in self.kinds if isinstance(kind, RestKind)]

    def authorize(self, runtime: Runtime) -> Authorize | None:
        """What lets us in; None where the settings name nothing that would."""
        token = self.settings.token
        return runtime.secrets.header(token, self.scheme) if token else None

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """In the account, or in a file."""
        if isinstance(kind, RestKind):
            return Place(self.name, f"{kind.collection.name}/{kind.key(subject, spec)}")
        return super().place(kind, subject, spec)
