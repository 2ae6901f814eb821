"""Access tokens of OAuth 2 for a service account of Google, got with its key file.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Call, Web
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.sdk.secrets.places import read_file

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE = 3600
"""Seconds that Google lets a signed request for a token live at most."""
_EARLY = 120.0
"""Seconds before its end at which a token is replaced."""
_SKEW = 30
"""Seconds that our clock may be ahead of Google's."""


class _Key(msgspec.Struct, frozen=True):
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 0.0


class GoogleKey:
    """Gives the header of a request; an `Authorize` of `sdk/http`. `now` gives seconds since 1970."""

    def __init__(self, file: Path, web: Web, *, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._web = web
        self._now = now
        self._token: SecretStr | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def __call__(self) -> Mapping[str, str]:
        """The header of one request."""
        async with self._asking:
            if self._token is None or self._now() >= self._until:
                await self._renew()
            assert self._token is not None
            return {"Authorization": f"Bearer {self._token.get_secret_value()}"}

    def forget(self) -> None:
        """Read the key file and get a token anew."""
        self._token = None

    async def _renew(self) -> None:
        key = await self._read()
        address = urlsplit(key.token_uri)
        began = self._now()
        tool = self._web.tool("google", f"{address.scheme}://{address.netloc}")
        form = {"grant_type": GRANT, "assertion": await asyncio.to_thread(self._signed, key)}
        answer = await tool.ask(Call(path=address.path or "/", method="POST", form=form, safe=True))
        try:
            token = msgspec.json.decode(answer.body, type=_Token)
        except msgspec.DecodeError:
            raise PermanentError("Google let the service account in and gave no token") from None
        if not token.access_token.isascii() or not token.access_token.isprintable() or not token.access_token:
            raise PermanentError("Google let the service account in and gave no token")
        hide(token.access_token)
        self._token = SecretStr(token.access_token)
        self._until = began + token.expires_in - _EARLY

    async def _read(self) -> _Key:
        try:
            key = msgspec.json.decode(await read_file(str(self._file)), type=_Key)
        except msgspec.DecodeError:
            raise PermanentError(f"{self._file} is not the key file of a service account") from None
        except PermanentError as error:
            raise PermanentError(f"{self._file}: {error}") from None
        hide(key.private_key)
        return key

    def _signed(self, key: _Key) -> str:
        import jwt  # here, for commands that sign nothing start without it

        at = int(self._now()) - _SKEW
        claims = {"iss": key.client_email, "scope": SCOPE, "aud": key.token_uri, "iat": at, "exp": at + LIFE}
        try:
            signed = jwt.encode(claims, key.private_key, "RS256", headers={"kid": key.private_key_id})
        except (jwt.PyJWTError, ValueError, TypeError):
            raise PermanentError(f"{self._file} holds no private key that signs") from None
        hide(signed)
        return signed
