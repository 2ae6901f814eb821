"""Users and plugins of a Backstage: who gets in, as what, and every token that must not."""

import asyncio
import base64
import hmac
import time
from typing import Any

import pytest

from nthlayer_sync.settings.serve import AccessSettings, BackstageAccess, Role
from nthlayer_sync.web.auth import keys as key_times
from nthlayer_sync.web.problem import TYPES
from tests.web.auth.conftest import WHO
from tests.web.auth.provider import Key, Provider, unsigned
from tests.web.conftest import Client, Hand, Serve

JWKS = "/api/auth/.well-known/jwks.json"
PLUGIN_JWKS = "/api/{}/.backstage/auth/v1/jwks.json"
USER, LIMITED, PLUGIN = "vnd.backstage.user", "vnd.backstage.limited-user", "vnd.backstage.plugin"
ADA: dict[str, Any] = {
    "sub": "user:default/ada",
    "aud": "backstage",
    "iss": "https://backstage.example.com/api/auth",
    "ent": ["user:default/ada", "group:default/Payments"],
}


@pytest.fixture
def key(provider: Provider) -> Key:
    """The key of the auth backend."""
    found = Key("auth-1")
    provider.publish(JWKS, found)
    return found


async def _backstage(serve: Serve, provider: Provider, hand: Hand, role: Role = "viewer", **roles: Role) -> Client:
    named: dict[str, Role] = {name.replace("__", ":").replace("_", "/"): role for name, role in roles.items()}
    access = AccessSettings(backstage=BackstageAccess(url=provider.url, role=role, roles=named))
    return await serve(WHO, access, hand)


async def test_a_user_comes_in_with_what_they_own_things_as(
    serve: Serve, provider: Provider, hand: Hand, key: Key
) -> None:
    client = await _backstage(serve, provider, hand)
    said = await client.get("/who", key.sign(USER, **ADA))
    assert said.json == {
        "name": "user:default/ada",
        "role": "viewer",
        "groups": ["group:default/payments", "user:default/ada"],
    }
    for _ in range(5):
        assert (await client.get("/who", key.sign(USER, **ADA))).status == 200
    assert provider.asked == {JWKS: 1}


async def test_a_user_gets_the_highest_role_of_their_own_and_their_groups(
    serve: Serve, provider: Provider, hand: Hand, key: Key
) -> None:
    client = await _backstage(
        serve, provider, hand, role="viewer", user__default_ada="viewer", group__default_payments="operator",
        group__default_others="admin",
    )  # fmt: skip
    assert (await client.get("/who", key.sign(USER, **ADA))).json["role"] == "operator"
    assert (await client.ask("POST", "/do", key.sign(USER, **ADA))).status == 200
    other = key.sign(USER, **{**ADA, "sub": "user:default/bob", "ent": []})
    said = await client.ask("POST", "/do", other)
    assert (said.status, said.json["detail"]) == (403, "user:default/bob is a viewer, and this takes an operator")


NOW = int(time.time())


@pytest.mark.parametrize(
    ("typ", "claims", "why"),
    [
        (USER, {"exp": NOW - 61}, "the token has expired"),
        (USER, {"exp": None}, "the token lacks the claim exp"),
        (USER, {"iat": None}, "the token lacks the claim iat"),
        (USER, {"iat": NOW + 1000}, "the token is not valid yet"),
        (USER, {"nbf": NOW + 1000}, "the token is not valid yet"),
        (USER, {"sub": None}, "the token lacks the claim sub"),
        (USER, {"sub": ""}, "the token's claim sub is no name"),
        (USER, {"sub": "nobody"}, "the token's claim sub is no entity reference"),
        (USER, {"sub": "user:default/a\nb"}, "the token's claim sub is no name"),
        (USER, {"sub": "user:default/" + "a" * 300}, "the token's claim sub is no name"),
        (USER, {"aud": "somebody"}, "the token is for somebody else"),
        (USER, {"aud": None}, "the token lacks the claim aud"),
        (LIMITED, {}, "this sort of token of Backstage lets nobody in"),
        ("JWT", {}, "the token is none that is known here"),
        (None, {}, "the token is none that is known here"),
    ],
)
async def test_a_users_token_that_is_not_right_lets_nobody_in(
    serve: Serve, provider: Provider, hand: Hand, key: Key, typ: str | None, claims: dict[str, Any], why: str
) -> None:
    client = await _backstage(serve, provider, hand)
    said = await client.get("/who", key.sign(typ, **{**ADA, **claims}))
    assert (said.status, said.json["type"], said.json["detail"]) == (401, f"{TYPES}login-needed", why)
    assert said.headers["WWW-Authenticate"].startswith('Bearer realm="nthlayer-sync", error="invalid_token"')


async def test_clocks_may_be_a_minute_apart(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    client = await _backstage(serve, provider, hand)
    now = int(time.time())
    assert (await client.get("/who", key.sign(USER, **ADA, exp=now - 30))).status == 200
    assert (await client.get("/who", key.sign(USER, **ADA, iat=now + 30, nbf=now + 30))).status == 200


async def test_forged_tokens_let_nobody_in(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    client = await _backstage(serve, provider, hand)
    claims = {**ADA, "iat": NOW, "exp": NOW + 3600}
    good = key.sign(USER, **ADA)
    header, payload, signature = good.split(".")
    secret = hmac.new(key.public, f"{header}.{payload}".encode(), "sha256").digest()
    stranger = Key(key.kid)
    root = unsigned({}, {**claims, "sub": "user:default/root"}).split(".")[1]
    forged = {
        "none": unsigned({"alg": "none", "typ": USER, "kid": key.kid}, claims),
        "None": unsigned({"alg": "None", "typ": USER, "kid": key.kid}, claims),
        "no algorithm": unsigned({"typ": USER, "kid": key.kid}, claims),
        "HS256 with the public key": unsigned({"alg": "HS256", "typ": USER, "kid": key.kid}, claims, secret),
        "RS256 with an ES256 key": unsigned({"alg": "RS256", "typ": USER, "kid": key.kid}, claims, b"x" * 256),
        "signature cut off": f"{header}.{payload}.",
        "signature of another": f"{header}.{payload}.{stranger.sign(USER, **ADA).split('.')[2]}",
        "key of another": stranger.sign(USER, **ADA),
        "own key in the header": stranger.sign(USER, headers={"jwk": stranger.jwk()}, **ADA),
        "key at an address": key.sign(USER, headers={"jku": "http://attacker.example/", "kid": "x"}, **ADA),
        "claims of another": f"{header}.{root}.{signature}",
        "critical": key.sign(USER, headers={"crit": ["b65"], "b65": True}, **ADA),
        "zero signature": unsigned({"alg": "ES256", "typ": USER, "kid": key.kid}, claims, b"\0" * 64),
    }
    for what, token in forged.items():
        said = await client.get("/who", token)
        assert said.status == 401, what
    assert (await client.get("/who", good)).status == 200
    assert set(provider.asked) == {JWKS}
    assert provider.asked[JWKS] <= 2


@pytest.mark.parametrize(
    "token",
    ["x", "..", "a.b.c", "e30.e30.e30", "é.é.é", "." * 1000, "[" * 4000, "bnVsbA.bnVsbA.AA", "eyJhbGciOjF9.e30.AA"],
)
async def test_junk_lets_nobody_in(serve: Serve, provider: Provider, hand: Hand, key: Key, token: str) -> None:
    client = await _backstage(serve, provider, hand)
    assert (await client.get("/who", token)).status == 401
    assert not provider.asked


async def test_deep_json_lets_nobody_in(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
    part = base64.urlsafe_b64encode(deep[:6000]).decode().rstrip("=")
    client = await _backstage(serve, provider, hand)
    assert (await client.get("/who", f"{part}.e30.AA")).status == 401


async def test_a_huge_token_is_refused(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    client = await _backstage(serve, provider, hand)
    said = await client.get("/who", "a" * 60_000)
    assert said.status in (400, 431)
    assert not provider.asked
    large = key.sign(USER, **{**ADA, "ent": [f"group:default/team-{n}" for n in range(350)]})
    assert len(large) > 11_000
    assert (await client.get("/who", large)).status == 200


async def test_unknown_keys_are_asked_for_once_a_minute(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    client = await _backstage(serve, provider, hand)
    good = key.sign(USER, **ADA)
    assert (await client.get("/who", good)).status == 200
    hand.at += key_times.PAUSE + 1
    storm = [client.get("/who", Key(f"unknown-{n}").sign(USER, **ADA)) for n in range(25)]
    assert {said.status for said in await asyncio.gather(*storm)} == {401}
    assert provider.asked[JWKS] == 2
    new = Key("auth-2")
    provider.publish(JWKS, key, new)
    assert (await client.get("/who", new.sign(USER, **ADA))).status == 401
    hand.at += key_times.PAUSE + 1
    assert (await client.get("/who", new.sign(USER, **ADA))).status == 200
    assert (await client.get("/who", good)).status == 200
    assert provider.asked[JWKS] == 3


async def test_a_key_that_is_withdrawn_lets_nobody_in_an_hour_later(
    serve: Serve, provider: Provider, hand: Hand, key: Key
) -> None:
    client = await _backstage(serve, provider, hand)
    good = key.sign(USER, **ADA)
    assert (await client.get("/who", good)).status == 200
    provider.publish(JWKS, Key("auth-2"))
    assert (await client.get("/who", good)).status == 200
    hand.at += key_times.FRESH + 1
    assert (await client.get("/who", good)).status == 401


async def test_many_at_once_ask_for_the_keys_once(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    client = await _backstage(serve, provider, hand)
    token = key.sign(USER, **ADA)
    said = await asyncio.gather(*(client.get("/who", token) for _ in range(20)))
    assert {each.status for each in said} == {200}
    assert provider.asked == {JWKS: 1}


@pytest.mark.parametrize("page", [None, [], {}, {"keys": []}, {"keys": "x"}, {"keys": [1, {"kty": "oct", "k": "AA"}]}])
async def test_who_cannot_be_checked_now_is_told_to_come_again(
    serve: Serve, provider: Provider, hand: Hand, key: Key, page: object
) -> None:
    provider.pages[JWKS] = page
    client = await _backstage(serve, provider, hand)
    for _ in range(3):
        said = await client.get("/who", key.sign(USER, **ADA))
        assert (said.status, said.json["type"]) == (503, f"{TYPES}not-now")
        assert said.headers["Retry-After"]
    assert provider.asked[JWKS] == 1
    provider.publish(JWKS, key)
    hand.at += key_times.RETRY + 1
    assert (await client.get("/who", key.sign(USER, **ADA))).status == 200


async def test_known_keys_outlive_an_outage_of_the_provider(
    serve: Serve, provider: Provider, hand: Hand, key: Key
) -> None:
    client = await _backstage(serve, provider, hand)
    good, unknown = key.sign(USER, **ADA), Key("auth-2").sign(USER, **ADA)
    assert (await client.get("/who", good)).status == 200
    provider.down = True
    hand.at += key_times.FRESH + 1
    assert (await client.get("/who", good)).status == 200
    assert (await client.get("/who", unknown)).status == 503
    hand.at += key_times.KEPT
    assert (await client.get("/who", good)).status == 503


async def test_a_plugin_comes_in_as_itself(serve: Serve, provider: Provider, hand: Hand, key: Key) -> None:
    ours, catalog = Key("p-1"), Key("p-2")
    provider.publish(PLUGIN_JWKS.format("nthlayer"), ours)
    provider.publish(PLUGIN_JWKS.format("catalog"), catalog)
    client = await _backstage(serve, provider, hand, role="operator", plugin__catalog="operator")
    said = await client.get("/who", ours.sign(PLUGIN, sub="nthlayer", aud="nthlayer"))
    assert said.json == {"name": "plugin:nthlayer", "role": "viewer", "groups": []}
    said = await client.get("/who", catalog.sign(PLUGIN, sub="catalog", aud="nthlayer"))
    assert said.json["role"] == "operator"
    assert (await client.get("/who", catalog.sign(PLUGIN, sub="nthlayer", aud="nthlayer"))).status == 401
    assert (await client.get("/who", catalog.sign(PLUGIN, sub="catalog", aud="catalog"))).status == 401
    assert (await client.get("/who", key.sign(PLUGIN, sub="catalog", aud="nthlayer"))).status == 401


@pytest.mark.parametrize("plugin", ["scaffolder", "../auth", "a/b", "", "nthlayer/../../x"])
async def test_a_plugin_that_is_not_named_is_not_even_looked_up(
    serve: Serve, provider: Provider, hand: Hand, key: Key, plugin: str
) -> None:
    client = await _backstage(serve, provider, hand)
    assert (await client.get("/who", Key("p").sign(PLUGIN, sub=plugin, aud="nthlayer"))).status == 401
    assert not provider.asked


async def test_a_plugin_asks_for_a_user_with_that_users_token_inside(
    serve: Serve, provider: Provider, hand: Hand, key: Key
) -> None:
    ours = Key("p-1")
    provider.publish(PLUGIN_JWKS.format("nthlayer"), ours)
    info = {"sub": "user:default/ada", "ent": ["user:default/ada", "group:default/payments"]}
    provider.pages["/api/auth/v1/userinfo"] = {"claims": info}
    client = await _backstage(serve, provider, hand, group__default_payments="operator")
    limited = key.sign(LIMITED, sub="user:default/ada")
    token = ours.sign(PLUGIN, sub="nthlayer", aud="nthlayer", obo=limited)
    for _ in range(3):
        said = await client.get("/who", token)
        assert said.json == {"name": "user:default/ada", "role": "operator", "groups": sorted(info["ent"])}
    assert provider.asked["/api/auth/v1/userinfo"] == 1
    assert f"Bearer {limited}" in provider.seen
    whole = ours.sign(PLUGIN, sub="nthlayer", aud="nthlayer", obo=key.sign(USER, **ADA))
    assert (await client.get("/who", whole)).json["name"] == "user:default/ada"
    wrong = {
        "expired": key.sign(LIMITED, sub="user:default/ada", exp=NOW - 3600),
        "of a stranger": Key(key.kid).sign(LIMITED, sub="user:default/ada"),
        "of the plugin itself": ours.sign(LIMITED, sub="user:default/ada"),
        "a plugin's": ours.sign(PLUGIN, sub="nthlayer", aud="nthlayer"),
        "junk": "junk",
        "no text": 7,
        "null": {},
    }
    for what, obo in wrong.items():
        said = await client.get("/who", ours.sign(PLUGIN, sub="nthlayer", aud="nthlayer", obo=obo))
        assert said.status == 401, what


@pytest.mark.parametrize(("page", "status"), [(None, 200), ({"claims": 1}, 503), ([], 503), ({"claims": {}}, 200)])
async def test_groups_that_backstage_does_not_tell(
    serve: Serve, provider: Provider, hand: Hand, key: Key, page: object, status: int
) -> None:
    if page is not None:
        provider.pages["/api/auth/v1/userinfo"] = page
    client = await _backstage(serve, provider, hand)
    claims = {name: value for name, value in ADA.items() if name != "ent"}
    said = await client.get("/who", key.sign(USER, **claims))
    assert said.status == status
    assert status != 200 or said.json["groups"] == []
