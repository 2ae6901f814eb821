"""How a cluster is reached: kubeconfig, certificates, programs that give credentials."""

import base64
import datetime
import ipaddress
import json
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Call, Web
from nthlayer_sync.sdk.kubernetes import ClusterSettings, Connection
from nthlayer_sync.sdk.kubernetes import credentials as plugins
from nthlayer_sync.sdk.runtime import Runtime

DAY = datetime.timedelta(days=1)


class Pki:
    """An authority, and what it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.ca = self._signed(self.name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
        self.ca_file = self._write("ca.crt", self.ca.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = self._signed(subject, key.public_key(), names)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return (
            self._write(f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{name}.key", private),
        )

    def _signed(self, subject: x509.Name, key: Any, extension: x509.ExtensionType) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        authority = isinstance(extension, x509.BasicConstraints)
        usage = dict.fromkeys(
            [
                *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
                *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
            ],
            False,
        )
        usage |= {"key_cert_sign": True, "crl_sign": True} if authority else {"digital_signature": True}
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(extension, critical=authority)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


@asynccontextmanager
async def server(pki: Pki, seen: list[Any]) -> AsyncIterator[str]:
    """Tells who asks, over TLS."""

    async def answer(request: web.Request) -> web.Response:
        certificate: Any = request.transport.get_extra_info("peercert") if request.transport else None
        subject = dict(pair for group in (certificate or {}).get("subject", ()) for pair in group)
        seen.append((request.headers.get("Authorization"), subject.get("commonName")))
        return web.json_response({})

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.ca_file))
    context.load_cert_chain(*pki.issue("server"))
    context.verify_mode = ssl.CERT_OPTIONAL
    app = web.Application()
    app.router.add_get("/version/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def kubeconfig(folder: Path, url: str, user: Any, **cluster: Any) -> Path:
    path = folder / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority": "ca.crt"} | cluster}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return path


async def ask(settings: dict[str, Any], times: int = 1) -> None:
    line = Web()
    runtime = Runtime(files=None, web=line)  # type: ignore[arg-type]
    try:
        connection = Connection("kubernetes", ClusterSettings.model_validate(settings), runtime)
        for _ in range(times):
            await (await connection.open()).ask(Call(path="/version/"))
    finally:
        await line.close()


async def test_the_ways_in(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTHLAYER_TEST_KUBERNETES", "canary-token")
    certificate, key = pki.issue("ops")
    (tmp_path / "token").write_text("canary-from-file\n")
    seen: list[Any] = []
    async with server(pki, seen) as url:
        await ask({"url": url, "token": "env:NTHLAYER_TEST_KUBERNETES", "ca": str(pki.ca_file)})
        for user in (
            {"token": "canary-in-config"},
            {"tokenFile": "token"},
            {"client-certificate": "ops.crt", "client-key": "ops.key"},
            {
                "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
                "client-key-data": base64.b64encode(key.read_bytes()).decode(),
            },
        ):
            await ask({"kubeconfig": str(kubeconfig(tmp_path, url, user))})
        with pytest.raises(PermanentError, match="its certificate is not valid"):
            await ask({"url": url, "token": "env:NTHLAYER_TEST_KUBERNETES"})
        monkeypatch.setattr("nthlayer_sync.sdk.kubernetes.connection._POD", str(tmp_path))
        host, _, port = url.removeprefix("https://").partition(":")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
        await ask({"in_cluster": True})
    assert seen == [
        ("Bearer canary-token", None),
        ("Bearer canary-in-config", None),
        ("Bearer canary-from-file", None),
        (None, "ops"),
        (None, "ops"),
        ("Bearer canary-from-file", None),
    ]


def program(folder: Path, code: str) -> dict[str, Any]:
    path = folder / "plugin.py"
    path.write_text(f"import json, os, sys, time\n{code}\n")
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(path)]}


async def test_a_program_gives_credentials_until_they_end(pki: Pki, tmp_path: Path) -> None:
    code = """
with open(os.environ["RUNS"], "a") as runs: runs.write("x")
about = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert about["spec"]["interactive"] is False
ends = os.environ["ENDS"]
status = {"token": "canary-token"} | ({"expirationTimestamp": ends} if ends else {})
print(json.dumps({"apiVersion": about["apiVersion"], "kind": "ExecCredential", "status": status}))
"""
    seen: list[Any] = []
    async with server(pki, seen) as url:
        for ends, runs in (("", 1), ("2020-01-01T00:00:00Z", 4), ("2999-01-01T00:00:00Z", 1)):
            count = tmp_path / f"runs{ends[:4]}"
            env = [{"name": "RUNS", "value": str(count)}, {"name": "ENDS", "value": ends}]
            user = {"exec": program(tmp_path, code) | {"env": env}}
            await ask({"kubeconfig": str(kubeconfig(tmp_path, url, user))}, times=3)
            assert len(count.read_text()) == runs
    assert set(seen) == {("Bearer canary-token", None)}


async def test_a_program_may_give_a_certificate(pki: Pki, tmp_path: Path) -> None:
    certificate, key = pki.issue("ops")
    status = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
    code = f"print({json.dumps(json.dumps({'kind': 'ExecCredential', 'status': status}))})"
    seen: list[Any] = []
    async with server(pki, seen) as url:
        await ask({"kubeconfig": str(kubeconfig(tmp_path, url, {"exec": program(tmp_path, code)}))})
    assert seen == [(None, "ops")]


@pytest.mark.parametrize(
    ("code", "error", "complaint"),
    [
        ("sys.exit(3)", TemporaryError, "ended with 3"),
        ("print('canary-secret')", PermanentError, "prints no ExecCredential"),
        ("print('{\"status\": {}}')", PermanentError, "gives neither a token nor a certificate"),
        ("time.sleep(60)", TemporaryError, r"took over 0\.5 s"),
        ("while True: sys.stdout.write('x' * 65536)", PermanentError, "prints no ExecCredential"),
    ],
)
async def test_a_program_that_gives_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception], complaint: str
) -> None:
    monkeypatch.setattr(plugins, "LONGEST", 0.5 if "sleep" in code else 30.0)
    path = kubeconfig(tmp_path, "http://127.0.0.1:9", {"exec": program(tmp_path, code)})
    with pytest.raises(error, match=complaint) as raised:
        await ask({"kubeconfig": str(path)})
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("user", "cluster", "complaint"),
    [
        ({}, {"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify of the context 'here' cannot be used"),
        ({}, {"proxy-url": "http://proxy"}, "proxy-url"),
        ({"username": "a", "password": "b"}, {}, "username"),
        ({"auth-provider": {"name": "gcp"}}, {}, "auth-provider"),
        ({"exec": {"command": "x", "interactiveMode": "Always"}}, {}, "wants to talk to a person"),
        ({"exec": {"command": "./not-there"}}, {}, "cannot be run"),
        ({"exec": {}}, {}, "is no kubeconfig"),
        ({"token": 7}, {}, "is no kubeconfig"),
        ({"client-certificate-data": "%", "client-key-data": "%"}, {}, "is not base64"),
        ({"client-certificate": "nowhere", "client-key": "nowhere"}, {}, "cannot be used"),
        ({}, {"certificate-authority": "nowhere"}, "cannot be used"),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_says_why(
    pki: Pki, tmp_path: Path, user: Any, cluster: Any, complaint: str
) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:9", user, **cluster)
    with pytest.raises(PermanentError, match=complaint):
        await ask({"kubeconfig": str(path)})


async def test_what_is_no_kubeconfig_says_so(tmp_path: Path) -> None:
    path = tmp_path / "config"
    for text in ("", "a: [", "- a", "a: 1\n---\nb: 2", "x: canary-secret"):
        path.write_text(text)
        with pytest.raises(PermanentError, match="is no kubeconfig") as raised:
            await ask({"kubeconfig": str(path)})
        assert "canary" not in str(raised.value)
    with pytest.raises(PermanentError, match="has no context 'other'"):
        await ask({"kubeconfig": str(kubeconfig(tmp_path, "https://h", {})), "context": "other"})
    with pytest.raises(PermanentError, match="cannot be read"):
        await ask({"kubeconfig": str(tmp_path / "nowhere")})
    with pytest.raises(PermanentError, match="this is no pod of a cluster"):
        await ask({"in_cluster": True})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "https://h"},
        {"url": "https://h", "token": "env:A", "in_cluster": True},
        {"in_cluster": True, "token": "env:A"},
        {"in_cluster": True, "context": "a"},
        {"kubeconfig": "relative"},
        {"kubeconfig": "~nobody-of-this-name/config"},
    ],
)
def test_settings_name_one_way(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ClusterSettings.model_validate(settings)


def test_a_kubeconfig_may_be_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ops")
    assert ClusterSettings.model_validate({"kubeconfig": "~/.kube/config"}).kubeconfig == Path("/home/ops/.kube/config")
