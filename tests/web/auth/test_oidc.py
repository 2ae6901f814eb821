"""Users of an OpenID provider: who gets in, as what, and every token that must not."""

import hmac
import time
from typing import Any

import jwt
import pytest

from nthlayer_sync.settings.serve import AccessSettings, OidcAccess
from nthlayer_sync.web.auth import keys as key_times
from tests.web.auth.conftest import WHO
from tests.web.auth.provider import Key, Provider, unsigned
from tests.web.conftest import Client, Hand, Serve

DISCOVERY = "/realms/acme/.well-known/openid-configuration"
ADA: dict[str, Any] = {"sub": "0815", "aud": "nthlayer", "email": "ada@example.com", "groups": ["platform", "staff"]}
NOW = int(time.time())


@pytest.fixture
def issuer(provider: Provider) -> str:
    found = f"{provider.url}/realms/acme"
    provider.pages[DISCOVERY] = {"issuer": found, "jwks_uri": f"{provider.url}/keys?p=acme"}
    return found


@pytest.fixture
def key(provider: Provider) -> Key:
    found = Key("oidc-1", "RS256")
    provider.publish("/keys", found)
    return found


async def _oidc(serve: Serve, issuer: str, hand: Hand, **more: Any) -> Client:
    access = AccessSettings(oidc=OidcAccess(issuer=issuer, audience="nthlayer", **more))
    return await serve(WHO, access, hand)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
async def test_a_user_comes_in(
    serve: Serve, provider: Provider, issuer: str, hand: Hand, algorithm: str, typ: str | None
) -> None:
    key = Key("k", algorithm)
    provider.publish("/keys", key)
    client = await _oidc(serve, issuer, hand, roles={"platform": "operator"})
    said = await client.get("/who", key.sign(typ, iss=issuer, **ADA))
    assert said.json == {
        "name": "ada@example.com",
        "role": "operator",
        "groups": ["group:default/platform", "group:default/staff"],
    }
    assert provider.asked == {DISCOVERY: 1, "/keys": 1}


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": None}, "0815"),
        ({"email_verified": False}, "0815"),
        ({"email_verified": True}, "ada@example.com"),
        ({"email": 7}, None),
        ({"email": "a\u202eb"}, None),
        ({"email": "x" * 300}, None),
    ],
)
async def test_the_name_of_a_user(
    serve: Serve, issuer: str, hand: Hand, key: Key, claims: dict[str, Any], name: str | None
) -> None:
    client = await _oidc(serve, issuer, hand)
    said = await client.get("/who", key.sign("JWT", iss=issuer, **{**ADA, **claims}))
    assert (said.status, said.json.get("name")) == ((200, name) if name else (401, None))


@pytest.mark.parametrize(
    ("groups", "refs"),
    [
        (["group:default/Platform", "GROUP:infra/x"], ["group:default/platform", "group:infra/x"]),
        (["/realm/path", "a b", "", "user:default/root", "x" * 64, 7, None, "group:a:b:c"], []),
        ("platform", []),
        (None, []),
        ({"platform": 1}, []),
    ],
)
async def test_groups_that_look_like_such_own_what_the_catalog_says(
    serve: Serve, issuer: str, hand: Hand, key: Key, groups: object, refs: list[str]
) -> None:
    client = await _oidc(serve, issuer, hand)
    said = await client.get("/who", key.sign("JWT", iss=issuer, **{**ADA, "groups": groups}))
    assert (said.status, said.json["groups"]) == (200, refs)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": NOW - 61}, "the token has expired"),
        ({"exp": None}, "the token lacks the claim exp"),
        ({"nbf": NOW + 1000}, "the token is not valid yet"),
        ({"aud": "another"}, "the token is for somebody else"),
        ({"aud": []}, "the token lacks the claim aud"),
        ({"aud": None}, "the token lacks the claim aud"),
        ({"iss": "https://other.example"}, "the token is none that is known here"),
        ({"iss": None}, "the token is none that is known here"),
        ({"sub": None}, "the token lacks the claim sub"),
        ({"exp": "soon"}, "the token's signature is not valid"),
        ({"exp": 1e400}, "the token is none that is known here"),
    ],
)
async def test_a_token_that_is_not_right_lets_nobody_in(
    serve: Serve, issuer: str, hand: Hand, key: Key, claims: dict[str, Any], why: str
) -> None:
    client = await _oidc(serve, issuer, hand)
    said = await client.get("/who", key.sign("JWT", **{"iss": issuer, **ADA, **claims}))
    assert (said.status, said.json["detail"]) == (401, why)


async def test_tokens_that_say_other_things_let_nobody_in(serve: Serve, issuer: str, hand: Hand, key: Key) -> None:
    client = await _oidc(serve, issuer, hand)
    for typ in ("logout+jwt", "vnd.backstage.user", "dpop+jwt"):
        assert (await client.get("/who", key.sign(typ, iss=issuer, **ADA))).status == 401


async def test_forged_tokens_let_nobody_in(serve: Serve, provider: Provider, issuer: str, hand: Hand, key: Key) -> None:
    client = await _oidc(serve, issuer, hand)
    claims = {"iss": issuer, **ADA, "exp": NOW + 3600}
    header = {"alg": "HS256", "kid": key.kid}
    text = unsigned(header, claims).rpartition(".")[0]
    secret = hmac.new(key.public, text.encode(), "sha256").digest()
    for token in (
        unsigned({"alg": "none", "kid": key.kid}, claims),
        unsigned(header, claims, secret),
        Key(key.kid, "ES256").sign("JWT", iss=issuer, **ADA),
    ):
        assert (await client.get("/who", token)).status == 401
    shared = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "oct", "alg": "HS256"}
    provider.pages["/keys"] = {"keys": [shared, key.jwk()]}
    hand.at += key_times.FRESH + 1
    raw = b"secretsecretsecretsecretsecretsecret"
    assert (await client.get("/who", jwt.encode(claims, raw, "HS256", {"kid": "oct"}))).status == 401


@pytest.mark.parametrize(
    "page",
    [
        {"issuer": "https://other.example", "jwks_uri": "{url}/keys"},
        {"issuer": "{url}/realms/acme"},
        {"issuer": "{url}/realms/acme", "jwks_uri": "file:///etc/passwd"},
        {"issuer": "{url}/realms/acme", "jwks_uri": "http://user:pw@127.0.0.1/keys"},
        {"issuer": "{url}/realms/acme", "jwks_uri": "http://[::1"},
        {"issuer": "{url}/realms/acme", "jwks_uri": 7},
        ["issuer"],
        "x",
    ],
)
async def test_a_provider_that_publishes_nonsense_is_not_there(
    serve: Serve, provider: Provider, issuer: str, hand: Hand, key: Key, page: Any
) -> None:
    if isinstance(page, dict):
        page = {
            name: value.replace("{url}", provider.url) if isinstance(value, str) else value
            for name, value in page.items()
        }
    provider.pages[DISCOVERY] = page
    client = await _oidc(serve, issuer, hand)
    assert (await client.get("/who", key.sign("JWT", iss=issuer, **ADA))).status == 503


async def test_a_provider_that_is_down_is_no_reason_to_say_no(
    serve: Serve, provider: Provider, issuer: str, hand: Hand, key: Key
) -> None:
    client = await _oidc(serve, issuer, hand)
    provider.down = True
    token = key.sign("JWT", iss=issuer, **ADA)
    assert (await client.get("/who", token)).status == 503
    provider.down = False
    hand.at += key_times.RETRY + 1
    assert (await client.get("/who", token)).status == 200


async def test_a_key_without_an_id_is_found_where_it_is_the_only_one(
    serve: Serve, provider: Provider, issuer: str, hand: Hand
) -> None:
    key = Key("x", "ES256")
    published = key.jwk()
    del published["kid"], published["alg"], published["use"]
    provider.pages["/keys"] = {"keys": [published]}
    client = await _oidc(serve, issuer, hand)
    assert (await client.get("/who", key.sign("JWT", headers={"kid": None}, iss=issuer, **ADA))).status == 200
