"""Which cluster, and how to be let in: by an address and a token, a kubeconfig, or as a pod of the cluster itself."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Manners, Tool
from nthlayer_sync.sdk.kubernetes.credentials import ExecPlugin
from nthlayer_sync.sdk.kubernetes.kubeconfig import Pem, read_kubeconfig
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef

_MANNERS = Manners(rate=50.0, burst=10, largest_answer=256 << 20)
"""Ten times what client-go asks for itself; the server's own fairness holds back what is too much."""
_POD = "/var/run/secrets/kubernetes.io/serviceaccount"
"""https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""


def _absolute(path: Path) -> Path:
    try:
        path = path.expanduser()
    except RuntimeError:
        raise ValueError("nobody's home directory is known by that name") from None
    if not path.is_absolute():
        raise ValueError("must be an absolute path, or begin with ~")
    return path


FilePath = Annotated[Path, AfterValidator(_absolute)]


class ClusterSettings(BaseModel):
    """One cluster, by `url` and `token`, by `kubeconfig`, or the one that this program runs in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="What you call the cluster. With another name it is another cluster, in which nothing is known.",
    )
    url: str | None = Field(
        default=None, description="Address of the API server.", examples=["https://kubernetes.example.com:6443"]
    )
    token: SecretRef | None = Field(default=None, description="Where the bearer token is kept.")
    ca: FilePath | None = Field(
        default=None, description="File with the certificate authority of the API server, if it has its own."
    )
    kubeconfig: FilePath | None = Field(default=None, description="A kubeconfig file, as kubectl reads it.")
    context: str | None = Field(default=None, description="Context in it; left out, its current one.")
    in_cluster: bool = Field(default=False, description="As the pod that this program runs in, in its own cluster.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum((self.url is not None, self.kubeconfig is not None, self.in_cluster)) != 1:
            raise ValueError("give one of url, kubeconfig and in_cluster")
        if self.url is None and (self.token or self.ca):
            raise ValueError("token and ca go with url")
        if self.url is not None and self.token is None:
            raise ValueError("url needs a token")
        if self.kubeconfig is None and self.context:
            raise ValueError("context goes with kubeconfig")
        return self


class Connection:
    """The way to one cluster; nothing is read before it is first needed."""

    def __init__(self, name: str, settings: ClusterSettings, runtime: Runtime) -> None:
        self._name = name
        self._settings = settings
        self._runtime = runtime
        self._tool: Tool | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> Tool:
        """The tool to ask the API server with."""
        async with self._opening:
            if self._tool is None:
                self._tool = await self._opened()
            return self._tool

    async def _opened(self) -> Tool:
        settings = self._settings
        if settings.kubeconfig is not None:
            return await self._by_kubeconfig(settings.kubeconfig)
        if settings.in_cluster:
            host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
            if not host:
                raise PermanentError(f"{self._name}: in_cluster is set, but this is no pod of a cluster")
            address = f"[{host}]" if ":" in host else host
            return await self._by_token(f"https://{address}:{port}", f"file:{_POD}/token", Path(_POD, "ca.crt"))
        assert settings.url is not None
        assert settings.token is not None
        return await self._by_token(settings.url, settings.token, settings.ca)

    async def _by_token(self, url: str, token: str, ca: Path | None) -> Tool:
        tls = await asyncio.to_thread(_context, Pem.of_file(ca)) if ca else None
        return self._runtime.web.tool(self._name, url, self._runtime.secrets.header(token), _MANNERS, tls)

    async def _by_kubeconfig(self, file: Path) -> Tool:
        config = await asyncio.to_thread(read_kubeconfig, file, self._settings.context)
        secrets, plugin = self._runtime.secrets, config.plugin
        certificate = config.certificate
        if plugin is not None:
            letting = ExecPlugin(plugin)
            certificate = await letting.certificate() or certificate
        elif config.token is not None:
            letting = config.token
        elif config.token_file is not None:
            letting = secrets.header(f"file:{config.token_file}")
        else:
            letting = None
        tls = await asyncio.to_thread(_context, config.authority, certificate)
        web = self._runtime.web
        if letting is None:
            return web.tool(self._name, config.server, manners=_MANNERS, tls=tls)
        return web.tool(self._name, config.server, letting, _MANNERS, tls)


def _context(authority: Pem | None, certificate: tuple[Pem, Pem] | None = None) -> ssl.SSLContext:
    """Which servers are believed, and how we show who we are."""
    try:
        context = ssl.create_default_context(cadata=authority.text() if authority else None)
        if certificate is not None:
            with certificate[0].file() as chain, certificate[1].file() as key:
                context.load_cert_chain(chain, key, password=_no_password)
        return context
    except (OSError, ValueError) as error:
        raise PermanentError(f"the certificates of the cluster cannot be used: {error}") from None


def _no_password() -> str:
    raise ValueError("the key has a password")
