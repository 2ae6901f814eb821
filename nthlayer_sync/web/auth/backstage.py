"""Users and plugins of a Backstage, by the tokens that it makes for them.

A user's token has the type `vnd.backstage.user`, the audience `backstage`, the user's reference as `sub`, and in
`ent` what he owns things as. It is signed with a key of the auth backend. A plugin's token has the type
`vnd.backstage.plugin`, the plugin's id as `sub`, the id of the plugin that it is for as `aud`, and a key of its own.
Where it asks for a user, `obo` has that user's token, mostly a limited one: `vnd.backstage.limited-user`, with `sub`,
`iat` and `exp` alone; what he owns things as then comes from the auth backend. The issuer is not compared: it is the
address under which browsers see Backstage, and the keys can only be its own.

https://backstage.io/docs/auth/service-to-service-auth, packages/backend-defaults/src/entrypoints/auth (1.55).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from nthlayer_sync.daemon.person import Person
from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure, TemporaryError
from nthlayer_sync.model.ref import EntityRef, parse_ref
from nthlayer_sync.sdk.http import Call, Clock, NotThere, Refused, Tool, Web, at
from nthlayer_sync.settings.serve import BackstageAccess, Role
from nthlayer_sync.web.auth.keys import MANNERS, BadToken, Keys
from nthlayer_sync.web.auth.roles import highest
from nthlayer_sync.web.auth.signed import claims_of, header_of, name_in, names_in, verified

USER, LIMITED, PLUGIN = "vnd.backstage.user", "vnd.backstage.limited-user", "vnd.backstage.plugin"
TYPES = (USER, LIMITED, PLUGIN)
OURS = "nthlayer"
"""The id of our plugin in Backstage: tokens of plugins are made for it, and its own let it look."""
PREFIX = "plugin:"
"""Before the id of a plugin where roles are given."""
REMEMBERED = 10_000
"""Users of whom is remembered what they own things as."""
KEPT = 300.0
"""Seconds for which that is."""


class _UserInfo(msgspec.Struct, frozen=True):
    """The answer of the auth backend's `/v1/userinfo`, plugins/auth-backend/src/service/router.ts."""

    claims: dict[str, Any]


class Backstage:
    """Knows whom one Backstage vouches for."""

    def __init__(self, settings: BackstageAccess, web: Web, clock: Clock) -> None:
        self._role: Role = settings.role
        self._roles: dict[str, Role] = {name.lower(): role for name, role in settings.roles.items()}
        self._tool = web.tool("Backstage", settings.url, manners=MANNERS)
        self._clock = clock
        self._users = self._keys("/api/auth/.well-known/jwks.json")
        # Only those that are named: a token can claim to be of any plugin, and its keys would have to be asked for.
        named = {name.removeprefix(PREFIX) for name in self._roles if name.startswith(PREFIX)}
        self._plugins = {
            plugin: self._keys(f"{at('api', plugin)}/.backstage/auth/v1/jwks.json") for plugin in (OURS, *named)
        }
        self._groups: OrderedDict[EntityRef, tuple[float, frozenset[EntityRef]]] = OrderedDict()

    async def person(self, token: str) -> Person:
        """Who came with the token. BadToken where it lets nobody in, TemporaryError where Backstage has to say and
        cannot be asked.
        """
        typ = header_of(token).typ
        if typ == PLUGIN:
            return await self._plugin(token)
        if typ != USER:
            # A limited one is made for cookies and for plugins, not to come in with.
            raise BadToken("this sort of token of Backstage lets nobody in")
        return await self._user(token)

    async def _user(self, token: str) -> Person:
        limited = header_of(token).typ == LIMITED
        claims = await verified(token, self._users, audience=None if limited else "backstage", require=("iat",))
        try:
            user = parse_ref(name_in(claims, "sub"))
        except ValueError:
            raise BadToken("the token's claim sub is no entity reference") from None
        groups = _refs(names_in(claims, "ent")) if "ent" in claims else await self._owned(user, token)
        roles: list[Role] = [self._roles[name] for name in (user, *groups) if name in self._roles]
        return Person(name=user, role=highest(self._role, roles), groups=groups)

    async def _plugin(self, token: str) -> Person:
        plugin = claims_of(token).sub
        keys = self._plugins.get(plugin)
        if keys is None:
            raise BadToken("serve.access.backstage.roles does not name the plugin that the token is of")
        claims = await verified(token, keys, audience=OURS, require=("iat",))
        if "obo" not in claims:
            role: Role = self._roles.get(f"{PREFIX}{plugin}", "viewer")
            return Person(name=f"{PREFIX}{plugin}", role=role, groups=frozenset())
        user = claims["obo"]
        if not isinstance(user, str) or header_of(user).typ not in (USER, LIMITED):
            raise BadToken("the plugin's token has no token of a user inside")
        return await self._user(user)

    async def _owned(self, user: EntityRef, token: str) -> frozenset[EntityRef]:
        """What the user owns things as, as the auth backend says."""
        until, groups = self._groups.get(user, (0.0, frozenset[EntityRef]()))
        if self._clock.now() < until:
            return groups
        call = Call(path="/api/auth/v1/userinfo", headers={"Authorization": f"Bearer {token}"})
        try:
            info = msgspec.convert((await self._tool.ask(call)).json(), _UserInfo)
        except NotThere:  # before 1.31 it had no such thing
            info = _UserInfo({})
        except Refused:
            raise BadToken("Backstage does not accept the token") from None
        except (Failure, msgspec.ValidationError) as error:
            log().warning("groups of a user cannot be read", user=user, error=str(error))
            raise TemporaryError("Backstage does not say now which groups the user is in", delay=60) from None
        groups = _refs(names_in(info.claims, "ent"))
        self._groups[user] = (self._clock.now() + KEPT, groups)
        self._groups.move_to_end(user)
        if len(self._groups) > REMEMBERED:
            self._groups.popitem(last=False)
        return groups

    def _keys(self, path: str) -> Keys:
        return Keys("Backstage", partial(_read, self._tool, path), self._clock)


async def _read(tool: Tool, path: str) -> Any:
    return (await tool.ask(Call(path=path))).json()


def _refs(names: Iterable[str]) -> frozenset[EntityRef]:
    found: set[EntityRef] = set()
    for name in names:
        try:
            found.add(parse_ref(name))
        except ValueError:
            continue
    return frozenset(found)
