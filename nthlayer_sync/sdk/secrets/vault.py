"""Secrets in HashiCorp Vault or OpenBao: its key-value engine, version 1 or 2.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 and /auth/kubernetes; the version of an engine is asked
for as Vault's own command line does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Answer, Call, Manners, NotThere, Web, at
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.sdk.secrets.reference import SecretRef
from nthlayer_sync.sdk.secrets.secrets import Secrets

MANNERS = Manners(rate=50.0, burst=10, timeout=10.0, tries=3)
"""Vault has no limit of its own; whoever waits for a secret waits for one look-up, so it is short."""


class VaultSettings(BaseModel):
    """Where Vault is, and who we are there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Address of Vault, such as https://vault.example.com:8200.")
    token: SecretRef = Field(
        default="env:VAULT_TOKEN",
        description="Where our token is: env:NAME or file:PATH. With `role`: that of our Kubernetes service account.",
    )
    namespace: str = Field(default="", description="Our namespace, where Vault has them.")
    role: str = Field(default="", description="Log in by way of Kubernetes, as this role.")


class Vault:
    """One Vault. Its `read` is what `Secrets` takes; `Vault` itself is what its tool takes as authorization."""

    def __init__(self, settings: VaultSettings, web: Web) -> None:
        if not settings.token.startswith(("env:", "file:")):
            raise PermanentError("the token for Vault is named by env:NAME or file:PATH; it cannot lie in Vault itself")
        self._settings = settings
        self._secrets = Secrets()
        self._login: SecretStr | None = None
        self._versions: dict[str, int] = {}
        self._tool = web.tool("vault", settings.url, self, MANNERS)
        self._door = web.tool("vault", settings.url, self._namespace, MANNERS)

    async def read(self, reference: str) -> str:
        """The value at `path#field`; the path begins with where its engine is mounted."""
        path, _, field = reference.partition("#")
        mount = await self._mount(path)
        inner = path.removeprefix(mount).split("/")
        is_second = self._versions[mount] == 2
        try:
            answer = await self._tool.ask(Call(path=at("v1", *mount.split("/")[:-1], *["data"] * is_second, *inner)))
        except NotThere:
            raise PermanentError("Vault has no secret there, or none any more") from None
        value = _map_in(answer, "data", *["data"] * is_second).get(field)
        if not isinstance(value, str):
            raise PermanentError("the secret in Vault has no such field with a text")
        return value

    async def __call__(self) -> Mapping[str, str]:
        """The headers of one request."""
        token = await self._secrets.value(self._settings.token)
        if self._settings.role:
            if self._login is None:
                self._login = await self._log_in(token)
            token = self._login.get_secret_value()
        return {"X-Vault-Token": token, **await self._namespace()}

    def forget(self) -> None:
        """Look our token up anew, and log in anew."""
        self._login = None
        self._secrets.forget(self._settings.token)

    async def _namespace(self) -> Mapping[str, str]:
        space = self._settings.namespace
        return {"X-Vault-Request": "true", **({"X-Vault-Namespace": space} if space else {})}

    async def _log_in(self, jwt: str) -> SecretStr:
        body = {"role": self._settings.role, "jwt": jwt}
        answer = await self._door.ask(Call(method="POST", path="/v1/auth/kubernetes/login", json=body, safe=True))
        token = _map_in(answer, "auth").get("client_token")
        if not isinstance(token, str) or not token.isprintable() or not token:
            raise PermanentError("Vault let us in and gave no token")
        hide(token)
        return SecretStr(token)

    async def _mount(self, path: str) -> str:
        """Where the engine of a path is mounted, with a slash at its end."""
        for mount in self._versions:
            if path.startswith(mount):
                return mount
        answer = await self._tool.ask(Call(path=at("v1", "sys", "internal", "ui", "mounts", *path.split("/"))))
        found = _map_in(answer, "data")
        mount = found.get("path")
        if found.get("type") not in ("kv", "generic") or not isinstance(mount, str) or not path.startswith(mount):
            raise PermanentError("that path in Vault is no part of a key-value engine")
        options = found.get("options")
        version = cast(dict[str, Any], options).get("version") if isinstance(options, dict) else None
        self._versions[mount] = 2 if version == "2" else 1
        return mount


def _map_in(answer: Answer, *keys: str) -> dict[str, Any]:
    value = answer.json()
    for key in keys:
        value = cast(dict[str, Any], value).get(key) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        raise PermanentError("Vault answers with something else than a secret")
    return cast(dict[str, Any], value)
