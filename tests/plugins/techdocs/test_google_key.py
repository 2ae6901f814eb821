"""Access tokens for a service account: got once, renewed in time, and never in a text."""

import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.plugins.techdocs.publish.google_key import GoogleKey
from nthlayer_sync.plugins.techdocs.publish.settings import FolderSettings, GcsSettings, S3Settings
from nthlayer_sync.sdk.http import Web
from tests.plugins.techdocs.google import google
from tests.sdk.web import QuickClock


async def test_a_token_is_got_once_and_renewed_before_its_end(tmp_path: Path) -> None:
    async with google() as stand_in:
        web, ahead = Web(QuickClock()), 0.0
        key = GoogleKey(stand_in.key_file(tmp_path), web, now=lambda: time.time() + ahead)
        first = await key()
        assert first == await key()
        assert stand_in.asked == [("POST", "/token")]
        ahead = 20.0
        assert first == await key()
        key.forget()
        second = await key()
        assert second != first
        ahead = 3599.0 - 60
        with pytest.raises(Failure):
            await key()  # Google takes no request that is signed for a time to come
        assert len(stand_in.tokens) == 2
        await web.close()


@pytest.mark.parametrize(
    "wrong", ["no json", '{"client_email": "a"}', '{"client_email": "a", "private_key": "secret-key"}', None]
)
async def test_a_key_file_that_is_none_is_named(tmp_path: Path, wrong: str | None) -> None:
    file = tmp_path / "key.json"
    if wrong is not None:
        file.write_text(wrong)
    web = Web(QuickClock())
    with pytest.raises(PermanentError) as error:
        await GoogleKey(file, web)()
    await web.close()
    assert str(file) in str(error.value)
    assert "secret-key" not in str(error.value)


async def test_a_refusal_tells_no_secret(tmp_path: Path) -> None:
    async with google() as stand_in:
        file = stand_in.key_file(tmp_path)
        stand_in.key = type(stand_in)().key
        web = Web(QuickClock())
        with pytest.raises(PermanentError, match="invalid_grant") as error:
            await GoogleKey(file, web)()
        await web.close()
        assert "eyJ" not in str(error.value)
        assert "PRIVATE" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "words", "said"),
    [
        (GcsSettings, {"type": "gcs", "bucket": "acme"}, "one of token and key_file"),
        (GcsSettings, {"type": "gcs", "bucket": "acme", "token": "env:A", "key_file": "/k"}, "one of token"),
        (GcsSettings, {"type": "gcs", "bucket": "acme", "key_file": "k"}, "absolute"),
        (GcsSettings, {"type": "gcs", "bucket": "acme", "token": "ya29.secret"}, "named by where it is"),
        (S3Settings, {"type": "s3", "bucket": "a/../b", "region": "eu-west-1"}, "bucket"),
        (S3Settings, {"type": "s3", "bucket": "acme", "region": "eu-west-1", "prefix": "a/../b"}, "none of them"),
        (S3Settings, {"type": "s3", "bucket": "acme", "region": "eu-west-1", "prefix": "/a"}, "prefix"),
        (FolderSettings, {"type": "local", "directory": "sites"}, "absolute"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(settings: type, words: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings.model_validate(words)
