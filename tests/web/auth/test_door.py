"""Static tokens, failed logins, and the daemon that knows nobody."""

import hashlib
import re

import pytest
from typer.testing import CliRunner

from nthlayer_sync.cli.commands import app
from nthlayer_sync.settings.serve import AccessSettings, TokenSettings
from nthlayer_sync.web.auth import failures
from nthlayer_sync.web.auth.failures import Failures
from nthlayer_sync.web.problem import TYPES
from tests.web.auth.conftest import WHO
from tests.web.conftest import Client, Hand, Serve


def _token(name: str, secret: str, role: str = "viewer") -> TokenSettings:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return TokenSettings.model_validate({"name": name, "sha256": digest, "role": role})


ACCESS = AccessSettings(tokens=(_token("ci", "s3cret", "operator"), _token("wall", "geheim-é")))


async def test_a_static_token_lets_in_whom_it_names(serve: Serve) -> None:
    client = await serve(WHO, ACCESS)
    assert (await client.get("/who", "s3cret")).json == {"name": "ci", "role": "operator", "groups": []}
    assert (await client.get("/who", "geheim-é")).json["name"] == "wall"
    assert (await client.get("/who", headers={"Authorization": "bearer   s3cret "})).status == 200
    assert (await client.ask("POST", "/do", "s3cret")).status == 200
    said = await client.ask("POST", "/do", "geheim-é")
    assert (said.status, said.json["type"]) == (403, f"{TYPES}not-allowed")
    assert said.json["detail"] == "wall is a viewer, and this takes an operator"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic Y2k6czNjcmV0", "s3cret", "Bearer s3cret2", "Bearer s3cre", "Bearer \udcff"],
)
async def test_what_is_no_token_lets_nobody_in(serve: Serve, authorization: str) -> None:
    client = await serve(WHO, ACCESS)
    said = await client.get("/who", headers={"Authorization": authorization} if authorization else {})
    assert (said.status, said.json["type"]) == (401, f"{TYPES}login-needed")
    assert said.headers["WWW-Authenticate"].startswith('Bearer realm="nthlayer-sync"')
    assert b"s3cre" not in said.body


async def test_the_digest_of_a_token_is_no_token(serve: Serve) -> None:
    client = await serve(WHO, ACCESS)
    assert (await client.get("/who", ACCESS.tokens[0].sha256)).status == 401


async def test_who_fails_too_often_waits(serve: Serve, hand: Hand) -> None:
    client = await serve(WHO, ACCESS, hand)
    said = [(await client.get("/who", f"guess-{n}")).status for n in range(failures.MOST + 5)]
    assert said == [401] * failures.MOST + [429] * 5
    refused = await client.get("/who", "guess")
    assert refused.json["type"] == f"{TYPES}too-many-requests"
    assert refused.headers["Retry-After"] == "60"
    assert (await client.get("/who", "s3cret")).status == 200
    assert (await client.get("/who")).status == 401
    hand.at += failures.WINDOW
    assert (await client.get("/who", "guess")).status == 401


def test_addresses_are_remembered_up_to_a_bound_and_networks_as_one(hand: Hand) -> None:
    found = Failures(hand)
    for number in range(failures.REMEMBERED * 2):
        found.add(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(found._counts) == failures.REMEMBERED
    for number in range(failures.MOST):
        found.add(f"2001:db8::{number:x}")
    assert found.wait("2001:db8::ffff%eth0") == failures.WINDOW
    assert found.wait("2001:db8:0:1::1") == 0


async def test_with_nobody_named_this_machine_may_do_everything(serve: Serve) -> None:
    client = await serve(WHO)
    assert (await client.ask("POST", "/do")).json == {"name": "local", "role": "admin", "groups": []}
    port = client.url.rpartition(":")[2]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost", f"LOCALHOST:{port}"):
        assert (await client.get("/who", headers={"Host": host})).status == 200
    own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}", "Sec-Fetch-Site": "same-origin"}
    assert (await client.ask("POST", "/do", headers=own)).status == 200


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example", "localhost.attacker.example",
     "10.0.0.1", "0.0.0.0", "localhost@attacker.example", "[::1", "", "x y"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/who", "/api/v1/", "/api/v1/openapi.json"])
async def test_a_foreign_name_is_not_answered(serve: Serve, host: str, path: str) -> None:
    client = await serve(WHO)
    said = await client.get(path, headers={"Host": host})
    assert said.status in (400, 421)
    assert b'local"' not in said.body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_may_not_ask(serve: Serve, headers: dict[str, str]) -> None:
    client = await serve(WHO)
    for method, path in (("POST", "/do"), ("GET", "/who")):
        said = await client.ask(method, path, headers=headers)
        assert (said.status, said.json["type"]) == (403, f"{TYPES}not-allowed")


async def test_a_token_of_the_command_line_opens_the_door(serve: Serve) -> None:
    made = CliRunner().invoke(app, ["token", "ci", "--role", "operator"])
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert re.fullmatch(r"nthlayer_[A-Za-z0-9_-]{43}", token)
    digest = re.search(r"sha256: ([0-9a-f]{64})", made.stderr)
    assert digest
    assert token not in made.stderr
    client: Client = await serve(
        WHO, AccessSettings(tokens=(TokenSettings(name="ci", sha256=digest[1], role="operator"),))
    )
    assert (await client.get("/who", token)).json["role"] == "operator"
    again = CliRunner().invoke(app, ["token", "ci"])
    assert again.stdout.strip() != token


def test_a_token_needs_a_name_that_settings_take() -> None:
    assert CliRunner().invoke(app, ["token", "a b"]).exit_code == 1
    assert CliRunner().invoke(app, ["token", "ci", "--role", "king"]).exit_code == 2
