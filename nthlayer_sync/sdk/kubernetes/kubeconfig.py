"""Reads a kubeconfig: which server, which authority vouches for it, and who we are.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.yaml.read import read_documents

_LARGEST = 4 << 20


class Pem(msgspec.Struct, frozen=True):
    """A certificate or key: a file, or the text itself."""

    path: Path | None = None
    content: bytes = b""

    @classmethod
    def of_file(cls, path: Path) -> Pem:
        """What stands in a file."""
        return cls(path)

    def text(self) -> str:
        """The text."""
        data = self.path.read_bytes() if self.path else self.content
        return data.decode("ascii", errors="ignore")  # what is between certificates is for people

    @contextmanager
    def file(self) -> Generator[Path]:
        """A file with it, for as long as the context lasts, that nobody else may read."""
        if self.path is not None:
            yield self.path
            return
        handle, name = tempfile.mkstemp()
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(self.content)
            yield Path(name)
        finally:
            os.unlink(name)


class StaticToken(msgspec.Struct, frozen=True):
    """A token that is written in the file itself; it lets requests in."""

    value: str

    async def __call__(self) -> Mapping[str, str]:
        """The header of one request."""
        return {"Authorization": f"Bearer {self.value}"}

    def __repr__(self) -> str:
        return "StaticToken()"


class Variable(msgspec.Struct, frozen=True):
    """A variable of the environment of a program."""

    name: str
    value: str


class Exec(msgspec.Struct, frozen=True, rename="camel"):
    """A program that gives credentials."""

    command: str
    api_version: str = "client.authentication.k8s.io/v1"
    args: list[str] | None = None
    env: list[Variable] | None = None
    interactive_mode: str = "IfAvailable"


class Kubeconfig(msgspec.Struct, frozen=True):
    """What one context says."""

    server: str
    authority: Pem | None
    certificate: tuple[Pem, Pem] | None
    token: StaticToken | None
    token_file: Path | None
    plugin: Exec | None


class _Cluster(msgspec.Struct, rename="kebab"):
    server: str
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class _User(msgspec.Struct, rename="kebab"):
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    username: str = ""
    auth_provider: Any = None
    exec: Exec | None = None


class _Context(msgspec.Struct):
    cluster: str
    user: str


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: _Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: _User


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context


class _File(msgspec.Struct, rename="kebab"):
    clusters: list[_NamedCluster]
    contexts: list[_NamedContext]
    users: list[_NamedUser]
    current_context: str = ""


def read_kubeconfig(path: Path, context: str | None) -> Kubeconfig:
    """What `context` of the file says, or its current one; PermanentError when that cannot be used."""
    file = _read(path)
    wanted = context or file.current_context
    chosen = next((each.context for each in file.contexts if each.name == wanted), None)
    if chosen is None:
        raise PermanentError(f"{path} has no context {wanted!r}")
    cluster = next((each.cluster for each in file.clusters if each.name == chosen.cluster), None)
    user = next((each.user for each in file.users if each.name == chosen.user), None)
    if cluster is None or user is None:
        raise PermanentError(f"{path}: the context {wanted!r} names a cluster or a user that is not there")
    refused = {
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "tls-server-name": cluster.tls_server_name,
        "proxy-url": cluster.proxy_url,
        "username": user.username,
        "auth-provider": user.auth_provider,
    }
    if used := [name for name, value in refused.items() if value]:
        raise PermanentError(f"{path}: {', '.join(used)} of the context {wanted!r} cannot be used here")
    key = _pem(path, user.client_key, user.client_key_data)
    certificate = _pem(path, user.client_certificate, user.client_certificate_data)
    if user.token:
        hide(user.token)
    return Kubeconfig(
        server=cluster.server,
        authority=_pem(path, cluster.certificate_authority, cluster.certificate_authority_data),
        certificate=(certificate, key) if certificate and key else None,
        token=StaticToken(user.token) if user.token and not user.token_file else None,
        token_file=path.parent / user.token_file if user.token_file else None,
        plugin=_plugin(path, user.exec),
    )


def _read(path: Path) -> _File:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise PermanentError(f"{path} is too large for a kubeconfig")
    documents, diagnoses = read_documents(data, file=str(path))
    if diagnoses or len(documents) != 1:
        # Not repeated: what stands there may be a secret.
        raise PermanentError(f"{path} is no kubeconfig: it is not one document of YAML")
    try:
        return msgspec.convert(documents[0].value, _File)
    except msgspec.ValidationError as error:
        raise PermanentError(f"{path} is no kubeconfig: {error}") from None


def _pem(file: Path, path: str, data: str) -> Pem | None:
    """Data goes before a path, and a path is as seen from the file."""
    if data:
        try:
            return Pem(content=base64.b64decode(data, validate=True))
        except ValueError:
            raise PermanentError(f"{file}: a certificate or key in it is not base64") from None
    return Pem(file.parent / path) if path else None


def _plugin(file: Path, plugin: Exec | None) -> Exec | None:
    """A command with a slash is as seen from the file; another is looked for where programs are."""
    if plugin is None:
        return None
    if plugin.interactive_mode == "Always":
        raise PermanentError(f"{file}: {plugin.command} wants to talk to a person, and here is none")
    if "/" in plugin.command:
        return msgspec.structs.replace(plugin, command=str(file.parent / plugin.command))
    return plugin
