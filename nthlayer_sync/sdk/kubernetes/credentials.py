"""Credentials that a program gives, as EKS, GKE and AKS have it.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.kubernetes.kubeconfig import Exec, Pem
from nthlayer_sync.sdk.redact import hide

LONGEST = 30.0
"""Seconds that the program may take."""
_LARGEST = 1 << 20
_EARLY = timedelta(seconds=30)
"""How long before they end credentials are looked up anew."""


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    expiration_timestamp: datetime | None = None
    client_certificate_data: str = ""
    client_key_data: str = ""


class _Credential(msgspec.Struct):
    status: _Status


class ExecPlugin:
    """Runs the program when there are no credentials yet, or they end; it lets requests in."""

    def __init__(self, plugin: Exec) -> None:
        self._plugin = plugin
        self._known: _Status | None = None
        self._asking = asyncio.Lock()

    async def __call__(self) -> Mapping[str, str]:
        """The header of one request; none where a certificate does it."""
        token = (await self._status()).token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def forget(self) -> None:
        """Ask the program anew at the next request."""
        self._known = None

    async def certificate(self) -> tuple[Pem, Pem] | None:
        """A certificate and its key, as they are now; None where the program gives a token."""
        status = await self._status()
        if not (status.client_certificate_data and status.client_key_data):
            return None
        return Pem(content=status.client_certificate_data.encode()), Pem(content=status.client_key_data.encode())

    async def _status(self) -> _Status:
        async with self._asking:
            known = self._known
            if known is None or (
                known.expiration_timestamp and known.expiration_timestamp - _EARLY < datetime.now(UTC)
            ):
                known = self._known = await self._run()
            return known

    async def _run(self) -> _Status:
        plugin = self._plugin
        about = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
        environment = {
            **os.environ,
            **{each.name: each.value for each in plugin.env or ()},
            "KUBERNETES_EXEC_INFO": msgspec.json.encode(about).decode(),
        }
        try:
            process = await asyncio.create_subprocess_exec(
                plugin.command,
                *(plugin.args or ()),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # it may say secrets
                start_new_session=True,
            )
        except OSError as error:
            raise PermanentError(
                f"{plugin.command}, which gives credentials, cannot be run: {error.strerror}"
            ) from None
        try:
            async with asyncio.timeout(LONGEST):
                assert process.stdout is not None
                out = await process.stdout.read(_LARGEST)
                while len(out) < _LARGEST and (more := await process.stdout.read(_LARGEST - len(out))):
                    out += more
                if len(out) == _LARGEST:
                    raise PermanentError(f"{plugin.command} prints no ExecCredential, but far more")
                await process.wait()
        except TimeoutError:
            raise TemporaryError(f"{plugin.command}, which gives credentials, took over {LONGEST:g} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)  # what it started goes as well
                await process.wait()
        if process.returncode:
            raise TemporaryError(f"{plugin.command}, which gives credentials, ended with {process.returncode}")
        return _decoded(plugin, out)


def _decoded(plugin: Exec, out: bytes) -> _Status:
    try:
        status = msgspec.json.decode(out, type=_Credential).status
    except msgspec.DecodeError:
        raise PermanentError(f"{plugin.command} prints no ExecCredential") from None
    if not status.token and not (status.client_certificate_data and status.client_key_data):
        raise PermanentError(f"{plugin.command} gives neither a token nor a certificate")
    for secret in (status.token, status.client_key_data):
        if secret:
            hide(secret)
    return status
