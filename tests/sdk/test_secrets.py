"""Secrets: where they are looked up, and that they turn up nowhere else."""

import asyncio
import base64
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.redact import redacted
from nthlayer_sync.sdk.secrets import SecretRef, Secrets
from tests.sdk.web import QuickClock

CANARY = "canary-5d41402abc4b2a76"


class Settings(BaseModel):
    token: SecretRef


class TestReference:
    @pytest.mark.parametrize(
        "text",
        [
            "env:TOKEN",
            "env:_a1",
            "file:/run/secrets/token",
            "file:a b/c",
            "vault:secret/team/pagerduty#token",
            "vault:kv/a#b c",
            "aws:prod/pagerduty",
            "aws:prod/pagerduty#token",
            "aws:arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/b-AbCdEf#token",
        ],
    )
    def test_it_names_a_place(self, text: str) -> None:
        assert Settings(token=text).token == text
        assert re.search(Settings.model_json_schema()["properties"]["token"]["pattern"], text)

    @pytest.mark.parametrize(
        "text",
        [
            CANARY,
            f"{CANARY}:x",
            "",
            "env:",
            f"env:{CANARY}",
            "env:A\n",
            f"Bearer {CANARY}",
            "file:",
            f"file:a\n{CANARY}",
            f"vault:{CANARY}",
            f"vault:secret/{CANARY}",
            "vault:a#b",
            f"https://{CANARY}",
            f" env:{CANARY}",
            12345678987,
            [CANARY],
            {"value": CANARY},
            None,
            CANARY.encode(),
        ],
    )
    def test_a_secret_itself_is_refused_and_not_repeated(self, text: object) -> None:
        with pytest.raises(ValidationError, match="named by where it is") as caught:
            Settings.model_validate({"token": text})
        shown = f"{caught.value!s} {caught.value!r} {caught.value.json()} {caught.value.errors()}"
        assert CANARY not in shown
        assert "12345678987" not in shown
        assert caught.value.errors()[0]["loc"] == ("token",)
        assert "env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME-OR-ARN#KEY" in shown

    def test_the_schema_says_what_is_allowed(self) -> None:
        schema = Settings.model_json_schema()["properties"]["token"]
        assert schema["type"] == "string"
        assert "env:NAME" in schema["description"]


class TestPlaces:
    async def test_the_environment_and_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", CANARY)
        file = tmp_path / "token"
        file.write_text(f"{CANARY}\r\n\n")
        secrets = Secrets()
        assert await secrets.value("env:TOKEN") == CANARY
        assert await secrets.value(f"file:{file}") == CANARY

    @pytest.mark.parametrize(
        "content", ["", "\n", f"{CANARY}\nb", f"{CANARY}é", f"{CANARY}\t", f"{CANARY}\x00", "\xff"]
    )
    async def test_what_is_no_secret_is_refused_by_name_alone(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "token"
        file.write_bytes(content.encode("latin-1"))
        with pytest.raises(PermanentError, match=re.escape(f"the secret file:{file}")) as caught:
            await Secrets().value(f"file:{file}")
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize("ref", ["env:NOT_SET_ANYWHERE", "file:/none/such", "file:/", "vault:secret/a#b"])
    async def test_what_is_not_there_is_named(self, ref: str) -> None:
        with pytest.raises(PermanentError, match=f"the secret {ref}: "):
            await Secrets().value(ref)

    async def test_what_is_no_reference_is_not_repeated(self) -> None:
        with pytest.raises(PermanentError) as caught:
            await Secrets().value(CANARY)
        assert CANARY not in str(caught.value)

    async def test_a_file_that_is_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("x" * 100_000)
        with pytest.raises(PermanentError, match="more than 65,536 bytes"):
            await Secrets().value(f"file:{tmp_path}/token")


async def test_a_secret_is_remembered_for_a_while_or_until_it_is_refused() -> None:
    clock, asked = QuickClock(), list[str]()

    async def vault(reference: str) -> str:
        asked.append(reference)
        await asyncio.sleep(0)
        return f"{CANARY}-{len(asked)}"

    secrets = Secrets(vault, keep=60, now=clock.now)
    ref = "vault:secret/a#b"
    assert await asyncio.gather(*(secrets.value(ref) for _ in range(8))) == [f"{CANARY}-1"] * 8
    clock.time += 59
    assert await secrets.value(ref) == f"{CANARY}-1"
    clock.time += 1
    assert await secrets.value(ref) == f"{CANARY}-2"
    secrets.forget(ref)
    assert await secrets.value(ref) == f"{CANARY}-3"
    assert asked == ["secret/a#b"] * 3
    authorization = secrets.header(ref)
    await authorization()
    assert CANARY not in f"{secrets!r} {vars(secrets)} {authorization!r} {vars(authorization)}"


async def test_the_headers_of_every_sort_of_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", CANARY)
    monkeypatch.setenv("TWO", "two-{}")
    secrets = Secrets()
    assert await secrets.header("env:ONE")() == {"Authorization": f"Bearer {CANARY}"}
    assert await secrets.header("env:ONE", "Token token={}")() == {"Authorization": f"Token token={CANARY}"}
    two = {"DD-API-KEY": ("{}", "env:ONE"), "DD-APPLICATION-KEY": ("{}", "env:TWO")}
    assert await secrets.headers(two)() == {"DD-API-KEY": CANARY, "DD-APPLICATION-KEY": "two-{}"}
    basic = (await secrets.basic("me@example.com", "env:ONE")())["Authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == f"me@example.com:{CANARY}"
    assert redacted(basic) == "Basic [removed]"
