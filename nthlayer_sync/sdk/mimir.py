"""Mimir, Cortex and Grafana Cloud: the API that takes rules and the configuration of Alertmanager, in YAML.

https://grafana.com/docs/mimir/latest/references/http-api/
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from nthlayer_sync.blueprint.layer import as_map
from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Call, Manners, NotThere, Tool, Unsure
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.yaml.read import Limits, read_documents

_MANNERS = Manners(rate=20.0, burst=4, largest_answer=256 << 20)
_LIMITS = Limits(bytes=256 << 20, nodes=20_000_000)
"""A list of all rules of an organisation is far larger than any file of a person."""


class MimirSettings(BaseModel):
    """Where the API is, and how to be let in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        description="Address of the API. For rules it includes the prefix of Prometheus.",
        examples=["https://mimir.example.com/prometheus", "https://prometheus-prod-01.example.net/api/prom"],
    )
    tenant: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9!._*'()-]{1,150}$", description="The tenant, where there are several."
    )
    user: str | None = Field(
        default=None, pattern=r"^[^:\s]+$", description="User of Basic authentication; without it, Bearer."
    )
    token: SecretRef | None = Field(default=None, description="Where the token or password is kept.")


class Mimir:
    """One tenant of one Mimir."""

    def __init__(self, tool: Tool, tenant: str | None) -> None:
        self.name = tool.name
        self._tool = tool
        self._headers = {"Accept": "application/yaml", **({"X-Scope-OrgID": tenant} if tenant else {})}

    @classmethod
    def connect(cls, runtime: Runtime, name: str, settings: MimirSettings) -> Mimir:
        """What the settings name."""
        if settings.token is None:
            return cls(runtime.web.tool(name, settings.url, manners=_MANNERS), settings.tenant)
        secrets = runtime.secrets
        letting = secrets.basic(settings.user, settings.token) if settings.user else secrets.header(settings.token)
        return cls(runtime.web.tool(name, settings.url, letting, _MANNERS), settings.tenant)

    async def get(self, path: str) -> dict[str, Any]:
        """The map that stands there; empty where nothing does."""
        try:
            answer = await self._tool.ask(Call(path=path, headers=self._headers))
        except NotThere:
            return {}
        documents, diagnoses = read_documents(answer.body, file=self.name, limits=_LIMITS)
        value = as_map(documents[0].value) if documents and not diagnoses else None
        if value is None:
            raise PermanentError(f"{self.name}: GET {path} gives no map in YAML; is it a login page?")
        return dict(value)

    async def post(self, path: str, text: str) -> None:
        """Make what stands there this. Sent again where that can help; Unsure when it is still not known to be done."""
        await self._change(
            Call(path=path, method="POST", data=text.encode(), content_type="application/yaml", safe=True)
        )

    async def delete(self, path: str) -> None:
        """Take it away, likewise; it may be gone already."""
        with suppress(NotThere):
            await self._change(Call(path=path, method="DELETE"))

    async def _change(self, call: Call) -> None:
        try:
            await self._tool.ask(msgspec.structs.replace(call, headers=self._headers))
        except TemporaryError as error:
            raise Unsure(str(error), delay=error.delay) from None
