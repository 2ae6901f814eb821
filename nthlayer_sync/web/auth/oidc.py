"""Users of an OpenID provider, by the tokens that it signs (OpenID Connect Core 1.0, 2 and 3.1.3.7; Discovery 1.0, 4).

https://openid.net/specs/openid-connect-core-1_0.html, https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from nthlayer_sync.daemon.person import Person
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.ref import EntityRef, entity_ref, parse_ref
from nthlayer_sync.sdk.http import Call, Clock, Web
from nthlayer_sync.settings.serve import OidcAccess, Role
from nthlayer_sync.web.auth.keys import MANNERS, BadToken, Keys
from nthlayer_sync.web.auth.roles import highest
from nthlayer_sync.web.auth.signed import header_of, name_in, names_in, verified

TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
"""Types of tokens that say who somebody is: none or JWT for ID tokens, at+jwt by RFC 9068."""

# https://backstage.io/docs/features/software-catalog/descriptor-format#name-required
_NAME = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?")


class Oidc:
    """Knows whom one provider vouches for."""

    def __init__(self, settings: OidcAccess, web: Web, clock: Clock) -> None:
        self._settings = settings
        self._web = web
        self._keys = Keys("the OpenID provider", self._read_keys, clock)

    @property
    def issuer(self) -> str:
        """As it stands in the tokens."""
        return self._settings.issuer

    async def person(self, token: str) -> Person:
        """Who came with the token. BadToken where it lets nobody in, TemporaryError where the provider's keys are
        needed and cannot be read.
        """
        settings = self._settings
        if header_of(token).typ.lower() not in TYPES:
            raise BadToken("this sort of token does not say who somebody is")
        claims = await verified(
            token, self._keys, audience=settings.audience, issuer=settings.issuer, require=("iss", "aud")
        )
        # Whoever can put an address that is not his into his profile must not come in under it.
        unproven = settings.user == "email" and claims.get("email_verified") is False
        user = "sub" if unproven or settings.user not in claims else settings.user
        groups = names_in(claims, settings.claim)
        roles: list[Role] = [settings.roles[group] for group in groups if group in settings.roles]
        return Person(name=name_in(claims, user), role=highest(settings.role, roles), groups=_refs(groups))

    async def _read_keys(self) -> Any:
        found = await self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if not isinstance(found, dict) or found.get("issuer") != self.issuer:  # pyright: ignore[reportUnknownMemberType] - JSON
            raise PermanentError("what is published there is the configuration of another issuer")
        address = found.get("jwks_uri")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        safe = ("https://", "http://") if self.issuer.startswith("http://") else ("https://",)
        if not isinstance(address, str) or not address.startswith(safe):
            raise PermanentError("its configuration names no address of its keys")
        return await self._get(address)

    async def _get(self, address: str) -> Any:
        try:
            parts = urlsplit(address)
        except ValueError:
            raise PermanentError("its configuration names no address of its keys") from None
        tool = self._web.tool("OpenID provider", urlunsplit(parts._replace(query="", fragment="")), manners=MANNERS)
        return (await tool.ask(Call(path="", query=parse_qsl(parts.query)))).json()


def _refs(groups: Iterable[str]) -> frozenset[EntityRef]:
    """Groups as the catalog would name them: a reference as it is, and a plain name in the default namespace."""
    found: set[EntityRef] = set()
    for group in groups:
        if _NAME.fullmatch(group):
            found.add(entity_ref("group", group))
        elif group.lower().startswith("group:"):
            try:
                found.add(parse_ref(group))
            except ValueError:
                continue
    return frozenset(found)
