"""Git over smart HTTP, with a login: the real `git http-backend` behind a small server on the loopback interface."""

from __future__ import annotations

import asyncio
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git import Repository

if TYPE_CHECKING:
    from conftest import Remote

WHO = ("Robot", "robot@example.org")
OURS = "nthlayer/sync"
LOGIN = "Basic " + b64encode(b"bot:hunter2").decode()
BACKEND = (
    Path(subprocess.run(["git", "--exec-path"], capture_output=True, check=True, text=True).stdout.strip())
    / "git-http-backend"
)


class Host:
    """Serves one folder of repositories; `answer` (a status, or a coroutine function) may stand in for the backend."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer: int | Callable[[web.Request], Awaitable[web.Response | None]] = 200
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if callable(self.answer):
            if (instead := await self.answer(request)) is not None:
                return instead
        elif self.answer != 200:
            return web.Response(status=self.answer)
        if request.headers.get("Authorization") != LOGIN:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=git"})
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "bot",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        run = partial(subprocess.run, env=environment, input=await request.read(), capture_output=True, check=False)
        output = (await asyncio.to_thread(run, [BACKEND])).stdout
        head, _, body = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return web.Response(status=int(headers.pop("Status", "200").split()[0]), headers=headers, body=body)


@pytest.fixture
async def host(started: Remote) -> AsyncIterator[Host]:
    host = Host(started.bare.parent)
    # A gzip body is for the backend to unpack, which is told so by a header.
    server = TestServer(web.Application(client_max_size=1 << 30))
    server.app.router.add_route("*", "/{path:.*}", host.serve)
    await server.start_server(auto_decompress=False, shutdown_timeout=0.1)
    host.url = f"http://bot:hunter2@{server.host}:{server.port}/remote.git"
    yield host
    await server.close()


def repository(host: Host, tmp_path: Path, url: str = "", **more: float) -> Repository:
    return Repository(url or host.url, tmp_path / "cache/mirror", branch=OURS, protocols={"http"}, **more)


async def test_fetch_and_push(host: Host, started: Remote, tmp_path: Path) -> None:
    ours = repository(host, tmp_path)
    assert await ours.file("README.md") == b"hello\n"
    files: dict[str, bytes | None] = {f"many/f{n}.yaml": b"a: %d\n" % n * 200 for n in range(3000)}
    done = await ours.commit(files, "m", author=WHO, expect=await ours.tree())
    assert started.count(OURS) == 2
    assert len(await ours.listing(done.tree)) == 3003
    assert (await ours.commit({"many/f1.yaml": b"new"}, "m", author=WHO, expect=done.tree)).made
    assert started.show(OURS, "many/f1.yaml") == b"new"


async def test_secret_stays_secret(host: Host, started: Remote, tmp_path: Path) -> None:
    ours = repository(host, tmp_path)
    await ours.commit({"a": b"1"}, "m", author=WHO, expect=await ours.tree())
    assert "hunter2" not in repr(vars(ours)) + ours.url
    for file in (tmp_path / "cache").rglob("*"):
        assert not file.is_file() or (b"hunter2" not in (data := file.read_bytes()) and LOGIN[6:].encode() not in data)


@pytest.mark.parametrize("login", ["", "bot:wrong@", "other@"])
async def test_wrong_login(host: Host, tmp_path: Path, login: str) -> None:
    with pytest.raises(PermanentError, match=r"could not read Username|Authentication failed") as caught:
        await repository(host, tmp_path, host.url.replace("bot:hunter2@", login)).tree()
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, PermanentError), (404, PermanentError), (429, TemporaryError), (500, TemporaryError), (503, TemporaryError)],
)
async def test_status(host: Host, tmp_path: Path, status: int, error: type[Exception]) -> None:
    ours = repository(host, tmp_path)
    tree = await ours.tree()
    host.answer = status
    with pytest.raises(error):
        await ours.fetch()
    with pytest.raises(error):
        await ours.commit({"a": b"1"}, "m", author=WHO, expect=tree)
    host.answer = 200
    assert (await ours.commit({"a": b"1"}, "m", author=WHO, expect=tree)).made


async def test_silent_server(host: Host, tmp_path: Path) -> None:
    async def never(_: web.Request) -> None:
        await asyncio.Event().wait()

    host.answer = never
    with pytest.raises(TemporaryError, match="git ls-remote took longer than 1 s"):
        await repository(host, tmp_path, timeout=1.0).tree()


async def test_answer_to_a_push_is_lost(host: Host, started: Remote, tmp_path: Path) -> None:
    """The remote has taken the commit, but we do not hear of it: the next try finds that everything is done."""
    ours = repository(host, tmp_path)
    tree = await ours.tree()

    async def cut(request: web.Request) -> web.Response | None:
        if not request.path.endswith("/git-receive-pack"):
            return None
        host.answer = 200
        await host.serve(request)
        assert request.transport
        request.transport.abort()
        return web.Response(status=502)

    host.answer = cut
    with pytest.raises(TemporaryError):
        await ours.commit({"a": b"1"}, "m", author=WHO, expect=tree)
    await ours.fetch()
    assert (await ours.commit({"a": b"1"}, "m", author=WHO, expect=tree)).made is False
    assert started.count(OURS) == 2


async def test_redirect_elsewhere_gets_no_login(host: Host, tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=404)

    other = TestServer(web.Application())
    other.app.router.add_route("*", "/{path:.*}", elsewhere)
    await other.start_server(shutdown_timeout=0.1)

    async def redirect(request: web.Request) -> None:
        raise web.HTTPFound(f"http://localhost:{other.port}{request.path_qs}")

    host.answer = redirect
    with pytest.raises(PermanentError):
        await repository(host, tmp_path).tree()
    await other.close()
    assert seen == [None]
