"""Git over SSH: a real `sshd` on the loopback interface, with keys of its own."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git import Repository

if TYPE_CHECKING:
    from conftest import Remote

WHO = ("Robot", "robot@example.org")
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


pytestmark = pytest.mark.skipif(not SSHD, reason="sshd is not installed (Debian: openssh-server)")


class Server:
    """A running `sshd`; `command` is the `ssh` that it lets in."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def key(self, name: str) -> Path:
        file = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
        return file

    def command(self, key: str = "user", hosts: str = "hosts") -> str:
        options = {
            "BatchMode": "yes", "IdentitiesOnly": "yes", "IdentityFile": self.folder / key, "IdentityAgent": "none",
            "UserKnownHostsFile": self.folder / hosts, "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
        }  # fmt: skip
        return " ".join(["ssh", "-F", "/dev/null", *(f"-o{name}={value}" for name, value in options.items())])


@pytest.fixture
def laid_out(tmp_path: Path, unused_tcp_port: int) -> Server:
    """Keys and configuration of a server."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it for those who are not let in yet
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    server = Server(folder, unused_tcp_port)
    host, user, _ = (server.key(name) for name in ("host", "user", "stranger"))
    keys = {key: key.with_suffix(".pub").read_text() for key in (host, user)}
    (folder / "authorized").write_text(keys[user])
    (folder / "hosts").write_text(f"[127.0.0.1]:{server.port} {keys[host]}")
    (folder / "wrong").write_text(f"[127.0.0.1]:{server.port} {keys[user]}")
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{server.port}\nHostKey {host}\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    )
    return server


@pytest.fixture
async def server(laid_out: Server) -> AsyncIterator[Server]:
    assert SSHD
    command = [SSHD, "-D", "-e", "-f", str(laid_out.folder / "config")]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    async with asyncio.timeout(20):
        line = await process.stderr.readline()
        assert b"listening" in line, line
    reading = asyncio.create_task(process.stderr.read())
    yield laid_out
    process.terminate()
    await process.wait()
    await reading


def repository(server: Server, started: Remote, tmp_path: Path) -> Repository:
    url = f"ssh://{getpass.getuser()}@127.0.0.1:{server.port}{started.bare}"
    return Repository(url, tmp_path / "cache/mirror", branch="nthlayer/sync")


async def test_fetch_and_push(server: Server, started: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command())
    ours = repository(server, started, tmp_path)
    assert await ours.file("README.md") == b"hello\n"
    assert (await ours.commit({"a.yaml": b"a: 1\n"}, "m", author=WHO, expect=await ours.tree())).made
    assert started.show("nthlayer/sync", "a.yaml") == b"a: 1\n"
    started.person({"b.yaml": b"theirs\n"}, "nthlayer/sync")
    with pytest.raises(TemporaryError, match="moved since the plan"):
        await ours.commit({"a.yaml": b"a: 2\n"}, "m", author=WHO, expect=await ours.tree())
    assert await ours.file("b.yaml") == b"theirs\n"


@pytest.mark.parametrize(("key", "hosts", "says"), [
    ("stranger", "hosts", "Permission denied"), ("user", "wrong", "Host key verification failed"),
])  # fmt: skip
async def test_who_is_not_let_in_or_not_known_is_for_a_person(
    server: Server, started: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, hosts: str, says: str
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command(key, hosts))
    with pytest.raises(PermanentError, match=says):
        await repository(server, started, tmp_path).tree()


async def test_nobody_listens(
    server: Server, started: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port_factory
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command())
    server.port = unused_tcp_port_factory()
    with pytest.raises(TemporaryError, match="Connection refused"):
        await repository(server, started, tmp_path).tree()
