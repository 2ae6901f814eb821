"""Looks secrets up where settings say they are, and gives the headers that let a request in."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from pydantic import SecretStr

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.sdk.secrets.aws import read_aws
from nthlayer_sync.sdk.secrets.places import read_env, read_file
from nthlayer_sync.sdk.secrets.reference import check_reference

KEEP = 60.0
"""Seconds that a secret is remembered: a new one is in use within a minute, or at once when the old one is refused."""
Reader = Callable[[str], Awaitable[str]]
"""Gives the secret that stands behind the scheme of a reference; PermanentError or TemporaryError without its value."""


async def _no_vault(_: str) -> str:
    raise PermanentError("the settings name no Vault")


class Secrets:
    """Looks secrets up. `vault` is the `read` of the Vault that the settings name; `now` gives seconds."""

    def __init__(
        self, vault: Reader = _no_vault, *, keep: float = KEEP, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._readers: Mapping[str, Reader] = {"env": read_env, "file": read_file, "vault": vault, "aws": read_aws}
        self._keep = keep
        self._now = now
        self._known: dict[str, tuple[float, SecretStr]] = {}
        self._looking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def value(self, ref: str) -> str:
        """The secret, for immediate use: do not keep it, and let it into no text.

        PermanentError when it is not there or is none, TemporaryError when its place does not answer; both name `ref`.
        """
        if (known := self._remembered(ref)) is not None:
            return known
        scheme, _, rest = check_reference(ref).partition(":")
        async with self._looking[ref]:
            if (known := self._remembered(ref)) is not None:
                return known
            try:
                value = (await self._readers[scheme](rest)).rstrip("\r\n")
            except TemporaryError as error:
                raise TemporaryError(f"the secret {ref}: {error}", delay=error.delay) from None
            except PermanentError as error:
                raise PermanentError(f"the secret {ref}: {error}") from None
            if not value:
                raise PermanentError(f"the secret {ref} is empty")
            if not value.isascii() or not value.isprintable():
                raise PermanentError(f"the secret {ref} holds characters that no secret has, such as a line break")
            hide(value)
            self._known[ref] = (self._now() + self._keep, SecretStr(value))
            return value

    def forget(self, ref: str) -> None:
        """Look the secret up anew the next time, because it was refused."""
        self._known.pop(ref, None)

    def header(self, ref: str, form: str = "Bearer {}", *, name: str = "Authorization") -> Authorization:
        """One header with a secret: `form` with the secret for its braces, such as `Token token={}` or `{}`."""
        return self.headers({name: (form, ref)})

    def headers(self, headers: Mapping[str, tuple[str, str]]) -> Authorization:
        """Several headers: for each name a form and a reference."""
        return Authorization(self, headers)

    def basic(self, user: str, ref: str) -> Authorization:
        """The header of Basic authentication (RFC 7617), with the secret as the password."""
        return Authorization(self, {"Authorization": ("Basic {}", ref)}, user=user)

    def _remembered(self, ref: str) -> str | None:
        until, secret = self._known.get(ref, (0.0, None))
        return secret.get_secret_value() if secret is not None and self._now() < until else None


class Authorization:
    """Gives the headers that let a request in; an `Authorize` of `sdk/http`."""

    def __init__(self, secrets: Secrets, headers: Mapping[str, tuple[str, str]], *, user: str | None = None) -> None:
        self._secrets = secrets
        self._headers = headers
        self._user = user

    async def __call__(self) -> Mapping[str, str]:
        """The headers of one request."""
        return {name: form.replace("{}", await self._value(ref)) for name, (form, ref) in self._headers.items()}

    def forget(self) -> None:
        """Look the secrets up anew at the next request."""
        for _, ref in self._headers.values():
            self._secrets.forget(ref)

    async def _value(self, ref: str) -> str:
        value = await self._secrets.value(ref)
        if self._user is not None:
            value = base64.b64encode(f"{self._user}:{value}".encode()).decode()
            hide(value)
        return value
