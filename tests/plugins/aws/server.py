"""moto's server as AWS, behind a proxy that counts what is asked and fills the gaps.

moto's CloudFormation knows no drift, no replacements, no failures and no throttling. A test that needs one of these
says so with `answers` (instead of moto) or `rewrites` (of moto's answer); all else is moto's own.
"""

import asyncio
import importlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from nthlayer_sync.sdk.cloudformation import Account, StackTarget

ACCOUNT = "123456789012"
"""The number of moto's account."""
ROOT = f"aws:{ACCOUNT}/eu-west-1"
HAS_MOTO = importlib.util.find_spec("moto") is not None and importlib.util.find_spec("aiobotocore") is not None
REASON = "moto or aiobotocore is not installed: pip install 'moto[server,cloudformation,ec2,iam]' aiobotocore"

Asked = dict[str, str]


@contextmanager
def moto_server() -> Iterator[str]:
    """A server on loopback; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}
    arguments = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        over = time.monotonic() + 60
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > over:
                raise RuntimeError("moto did not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Aws:
    """The proxy. `asked` are the calls so far, with their parameters."""

    moto: str
    session: aiohttp.ClientSession
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, Callable[[Asked], web.Response | None]] = field(default_factory=dict)
    rewrites: dict[str, Callable[[str], str]] = field(default_factory=dict)
    lose: set[str] = field(default_factory=set)
    """Calls that moto gets, but whose answer is lost once."""

    def count(self, action: str) -> int:
        return sum(asked.get("Action") == action for asked in self.asked)

    def target(self, instance: str = "test", drift_seconds: float | None = None, id: str = ACCOUNT) -> StackTarget:
        account = Account(id, "eu-west-1", drift_seconds=drift_seconds, endpoint=self.url)
        return StackTarget({ROOT: account}, instance)

    def client(self, service: str) -> Any:
        """What a person has: AWS's own client, past the proxy."""
        session = importlib.import_module("aiobotocore.session").get_session()
        return session.create_client(service, region_name="eu-west-1", endpoint_url=self.moto)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = dict(parse_qsl(body.decode(errors="replace")))
        action = asked.get("Action", "")
        self.asked.append(asked)
        if action in self.answers and (answer := self.answers[action](asked)) is not None:
            return answer
        headers = {key: value for key, value in request.headers.items() if key.lower() != "content-length"}
        async with self.session.request(request.method, self.moto + request.path_qs, data=body, headers=headers) as got:
            text = await got.text()
            status, kind = got.status, got.headers.get("Content-Type", "text/xml").partition(";")[0]
        if action in self.lose:
            self.lose.remove(action)
            assert request.transport is not None
            request.transport.close()
            await asyncio.sleep(0)
        if action in self.rewrites:
            text = self.rewrites[action](text)
        return web.Response(text=text, status=status, content_type=kind)


async def serve(moto: str) -> AsyncIterator[Aws]:
    """The proxy on a port of its own, before an empty moto."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{moto}/moto-api/reset"):
            pass
        aws = Aws(moto, session)
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{rest:.*}", aws.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        aws.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield aws
        await runner.cleanup()


def xml(action: str, inner: str) -> web.Response:
    """An answer as CloudFormation gives it."""
    space = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    text = f'<{action}Response xmlns="{space}"><{action}Result>{inner}</{action}Result></{action}Response>'
    return web.Response(text=text, content_type="text/xml")


def refusal(code: str, message: str, status: int = 400) -> web.Response:
    """An error as CloudFormation gives it."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return web.Response(text=f"<ErrorResponse>{error}</ErrorResponse>", status=status, content_type="text/xml")
