"""Secrets in Vault and in AWS Secrets Manager."""

import importlib.util
import json
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.secrets.vault import Vault, VaultSettings
from tests.sdk.web import QuickClock, served

CANARY = "canary-5d41402abc4b2a76"


class VaultServer:
    """As much of Vault as is asked for: two engines, logging in, and its own checks of each request."""

    def __init__(self) -> None:
        self.token = f"{CANARY}-root"
        self.asked: list[str] = []
        self.status = 200

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        assert request.headers["X-Vault-Request"] == "true"
        assert request.headers["X-Vault-Namespace"] == "team"
        if self.status != 200:
            return web.json_response({"errors": [f"{request.headers['X-Vault-Token']} is bad"]}, status=self.status)
        path = request.path.removeprefix("/v1/")
        if path == "auth/kubernetes/login":
            assert await request.json() == {"role": "sync", "jwt": f"{CANARY}-jwt"}
            return web.json_response({"auth": {"client_token": self.token, "lease_duration": 3600}})
        if request.headers.get("X-Vault-Token") != self.token:
            return web.json_response({"errors": ["permission denied"]}, status=403)
        engine = path.removeprefix("sys/internal/ui/mounts/")
        if engine.startswith("deep/kv/") and engine != path:
            return web.json_response({"data": {"path": "deep/kv/", "type": "kv", "options": {"version": "2"}}})
        if engine.startswith("old/") and engine != path:
            return web.json_response({"data": {"path": "old/", "type": "kv", "options": None}})
        if engine.startswith("pki/") and engine != path:
            return web.json_response({"data": {"path": "pki/", "type": "pki", "options": None}})
        if path == "deep/kv/data/a/b":
            return web.json_response({"data": {"data": {"token": CANARY, "number": 1}, "metadata": {"version": 3}}})
        if path == "deep/kv/data/gone":
            body = {"data": {"data": None, "metadata": {"deletion_time": "2026-01-01T00:00:00Z"}}}
            return web.json_response(body, status=404)
        if path == "old/a":
            return web.json_response({"data": {"token": f"{CANARY}-old"}})
        return web.json_response({"errors": []}, status=404)


class TestVault:
    @pytest.fixture
    async def connections(self) -> AsyncIterator[Web]:
        connections = Web(QuickClock())
        yield connections
        await connections.close()

    @pytest.fixture
    def token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_TOKEN", f"{CANARY}-root")

    @pytest.mark.usefixtures("token")
    async def test_both_versions_of_its_engine(self, connections: Web) -> None:
        server = VaultServer()
        async with served(server.answer) as url:
            secrets = Secrets(Vault(VaultSettings(url=url, namespace="team"), connections).read, keep=0)
            assert await secrets.value("vault:deep/kv/a/b#token") == CANARY
            assert await secrets.value("vault:deep/kv/a/b#token") == CANARY
            assert await secrets.value("vault:old/a#token") == f"{CANARY}-old"
        assert server.asked == [
            "GET /v1/sys/internal/ui/mounts/deep/kv/a/b",
            "GET /v1/deep/kv/data/a/b",
            "GET /v1/deep/kv/data/a/b",
            "GET /v1/sys/internal/ui/mounts/old/a",
            "GET /v1/old/a",
        ]

    @pytest.mark.usefixtures("token")
    @pytest.mark.parametrize(
        "path", ["deep/kv/a/b#other", "deep/kv/a/b#number", "deep/kv/none#x", "deep/kv/gone#x", "pki/a#b"]
    )
    async def test_what_is_not_there(self, connections: Web, path: str) -> None:
        async with served(VaultServer().answer) as url:
            secrets = Secrets(Vault(VaultSettings(url=url, namespace="team"), connections).read)
            with pytest.raises(PermanentError, match=f"the secret vault:{path}: ") as caught:
                await secrets.value(f"vault:{path}")
            assert CANARY not in str(caught.value)

    @pytest.mark.usefixtures("token")
    @pytest.mark.parametrize(("status", "kind"), [(400, PermanentError), (403, PermanentError), (503, TemporaryError)])
    async def test_when_it_does_not_answer(self, connections: Web, status: int, kind: type[Failure]) -> None:
        server = VaultServer()
        server.status = status
        async with served(server.answer) as url:
            secrets = Secrets(Vault(VaultSettings(url=url, namespace="team"), connections).read)
            with pytest.raises(kind, match=f"the secret vault:a/b#c: vault: GET .* HTTP {status}") as caught:
                await secrets.value("vault:a/b#c")
            assert CANARY not in str(caught.value)

    async def test_logging_in_by_way_of_kubernetes(self, connections: Web, tmp_path: Path) -> None:
        server = VaultServer()
        (tmp_path / "jwt").write_text(f"{CANARY}-jwt")
        async with served(server.answer) as url:
            settings = VaultSettings(url=url, namespace="team", role="sync", token=f"file:{tmp_path}/jwt")
            secrets = Secrets(Vault(settings, connections).read, keep=0)
            assert await secrets.value("vault:deep/kv/a/b#token") == CANARY
            server.token = f"{CANARY}-new"
            assert await secrets.value("vault:deep/kv/a/b#token") == CANARY
        assert server.asked.count("POST /v1/auth/kubernetes/login") == 2

    def test_its_own_token_cannot_lie_in_it(self, connections: Web) -> None:
        with pytest.raises(PermanentError, match="cannot lie in Vault itself"):
            Vault(VaultSettings(url="https://v", token="vault:a/b#c"), connections)


class TestAws:
    @pytest.fixture
    def aws(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for library in ("moto", "flask", "aiobotocore"):
            if importlib.util.find_spec(library) is None:
                if os.environ.get("CI"):
                    pytest.fail(f"CI must have {library}")
                pytest.skip(f"{library} is not installed")
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{CANARY}-aws")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield f"http://{host}:{port}"
        server.stop()

    async def test_whole_secrets_and_keys_of_them_by_name_and_by_arn(self, aws: str) -> None:
        from aiobotocore.session import get_session

        async with get_session().create_client("secretsmanager", region_name="us-east-2") as client:
            await client.create_secret(Name="team/plain", SecretString=CANARY)
            arn = (await client.create_secret(Name="team/json", SecretString=json.dumps({"a": CANARY, "n": 7})))["ARN"]
            binary = (await client.create_secret(Name="team/bytes", SecretBinary=b"\x00"))["ARN"]
        async with get_session().create_client("secretsmanager") as client:
            await client.create_secret(Name="team/plain", SecretString=f"{CANARY}-here")
        secrets = Secrets()
        assert await secrets.value("aws:team/plain") == f"{CANARY}-here"
        assert await secrets.value(f"aws:{arn}#a") == CANARY
        assert await secrets.value(f"aws:{arn}#n") == "7"
        for ref, why in (
            (f"aws:{arn}#b", "the secret has no such key"),
            ("aws:team/plain#a", "it is not a JSON object"),
            (f"aws:{binary}", "it holds bytes and no text"),
            ("aws:none", "AWS answers ResourceNotFoundException"),
        ):
            with pytest.raises(PermanentError, match=re.escape(f"the secret {ref}: {why}")) as caught:
                await secrets.value(ref)
            assert CANARY not in str(caught.value)

    async def test_without_credentials_or_a_region_it_says_so(self, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(PermanentError, match=r"AWS cannot be asked: Unable to locate credentials"):
            await Secrets().value("aws:a")
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(PermanentError, match=r"AWS cannot be asked: You must specify a region"):
            await Secrets().value("aws:a")

    async def test_when_it_is_not_reached(self, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
        async with served(VaultServer().answer) as url:
            pass
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(TemporaryError, match="the secret aws:a: AWS was not reached"):
            await Secrets().value("aws:a")

    async def test_without_its_libraries_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
        with pytest.raises(PermanentError, match=re.escape("pip install 'nthlayer-sync[aws]'")):
            await Secrets().value("aws:a")
