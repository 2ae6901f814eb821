"""Lets a request in, as somebody, or refuses it."""

from __future__ import annotations

from aiohttp import web

from nthlayer_sync.daemon.person import Person
from nthlayer_sync.engine.log import log
from nthlayer_sync.sdk.http import Clock, Web
from nthlayer_sync.sdk.http.manners import SystemClock
from nthlayer_sync.settings.serve import AccessSettings
from nthlayer_sync.web.auth.backstage import TYPES, Backstage
from nthlayer_sync.web.auth.failures import Failures
from nthlayer_sync.web.auth.keys import BadToken
from nthlayer_sync.web.auth.loopback import check_is_local
from nthlayer_sync.web.auth.oidc import Oidc
from nthlayer_sync.web.auth.signed import claims_of, header_of
from nthlayer_sync.web.auth.static import StaticTokens
from nthlayer_sync.web.problem import Refusal

LOCAL = Person(name="local", role="admin", groups=frozenset())
"""Who comes in from this machine, where nobody is named."""
NOBODY = Person(name="", role="viewer", groups=frozenset())
"""Who has not said who he is, at what is open to all."""
CHALLENGE = 'Bearer realm="nthlayer-sync"'
TOKEN = web.RequestKey("token", str)
"""A token that came in another way than by the header. Only our own pages put one there, from their cookie."""


class Door:
    """Knows everybody that the settings let in."""

    def __init__(self, access: AccessSettings, web: Web, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self._open = not access
        self._static = StaticTokens(access.tokens)
        self._backstage = Backstage(access.backstage, web, clock) if access.backstage else None
        self._oidc = Oidc(access.oidc, web, clock) if access.oidc else None
        self._failures = Failures(clock)

    @property
    def open(self) -> bool:
        """Whether nobody is asked who he is."""
        return self._open

    def visitor(self, request: web.Request) -> Person:
        """Who asks for what is open to all. A Refusal where a foreign page asks a daemon that knows nobody."""
        if not self._open:
            return NOBODY
        check_is_local(request)
        return LOCAL

    async def admit(self, request: web.Request) -> Person:
        """Who asks. A Refusal where he does not say so (401), or says so wrongly too often (429); TemporaryError
        where it cannot be found out now.
        """
        if self._open:
            return self.visitor(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else request.get(TOKEN, "")
        if not token:
            raise Refusal(401, "log in with a token: Authorization: Bearer …", headers={"WWW-Authenticate": CHALLENGE})
        if person := self._static.person(token):
            return person
        address = request.remote or ""
        # After the static tokens, which cost nothing to compare and cannot be guessed: one behind the same proxy as
        # somebody who tries them out is not kept out.
        if wait := self._failures.wait(address):
            raise Refusal(429, "too many failed logins from your address", headers={"Retry-After": f"{wait:.0f}"})
        try:
            return await self._vouched(token)
        except BadToken as error:
            self._failures.add(address)
            log().warning("a login failed", address=address, why=str(error))
            challenge = f'{CHALLENGE}, error="invalid_token", error_description="{error}"'
            raise Refusal(401, str(error), headers={"WWW-Authenticate": challenge}) from None

    async def _vouched(self, token: str) -> Person:
        if self._backstage and header_of(token).typ in TYPES:
            return await self._backstage.person(token)
        if self._oidc and claims_of(token).iss == self._oidc.issuer:
            return await self._oidc.person(token)
        raise BadToken("the token is none that is known here")
