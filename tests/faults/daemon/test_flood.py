"""A flood of webhooks, forged and replayed: none is accepted, memory stays bounded, and planning goes on as before.

The server runs in a process of its own, `python -m tests.faults.daemon.test_flood serve <folder> <refusals a second>`,
and so does the flood: as fast as the machine gives, on many connections, without waiting for answers.
"""

import asyncio
import gc
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiohttp import web

from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.engine.run import Engine, Terms
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.settings import Settings
from nthlayer_sync.web.hooks import install
from nthlayer_sync.web.hooks.brake import RATE, Brake
from nthlayer_sync.web.problem import problems
from tests.faults.house import House, says, service
from tests.web.hooks.senders import SECRETS, SETTINGS, signed

FULL = os.environ.get("NTHLAYER_FAULTS") == "full"

SECONDS = 4.0
CONNECTIONS = 64
ROUNDS = 3
PLANS = 100
"""In one round."""
UNBRAKED = 1e9


async def serve(folder: Path, rate: float) -> None:
    """The hooks, and an engine that plans when it is told to, in one event loop."""
    house = House(folder)
    house.catalog.said = says([service(f"svc-{number}") for number in range(300)])
    for system, secret in SECRETS.items():
        (folder / system).write_text(secret)
    refs = {system: f"file:{folder / system}" for system in SECRETS}
    settings = Settings.model_validate(SETTINGS | {"serve": {"webhooks": refs}})
    async with house.engine() as engine:
        await engine.plan()
        store: Any = engine.store
        app = web.Application(middlewares=[problems])
        daemon: Any = SimpleNamespace(settings=settings, store=store, metrics=Metrics(tuple))
        install(app, daemon, Secrets(), brake=Brake(rate))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gc.collect()
        gc.freeze()
        print(runner.addresses[0][1], flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = await plans(engine) if line == "plan\n" else await state(store)
            print(json.dumps(told | usage()), flush=True)
        await runner.cleanup()


async def plans(engine: Engine) -> dict[str, Any]:
    """How long the durable plan of one changed entity takes, in milliseconds, again and again."""
    refs = sorted(engine.graph.entities)
    times: list[float] = []
    for turn in range(PLANS):
        entity = engine.graph.entities[refs[turn * 79 % len(refs)]]
        start = time.perf_counter()
        changed = msgspec.structs.replace(entity, description=f"turn {turn} {start}")
        affected = engine.graph.update("catalog", [changed])
        engine.subjects.forget(affected)
        await engine.reconcile(affected, engine.store, Terms())
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.005)
    return {"times": times}


async def state(store: Any) -> dict[str, Any]:
    """What was accepted."""
    asked = {topic.value: backlog.due for topic, backlog in (await store.work.backlog()).items() if backlog.due}
    return {"asked": asked, "seen": len(await store.notes("seen")), "events": len(await store.events(0, 100_000))}


def usage() -> dict[str, float]:
    status = Path("/proc/self/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+)", status)
    return {"megabytes": int(resident[1]) / 1024 if resident else 0.0, "cpu": time.process_time()}


def request(system: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [
        f"POST /hooks/{system} HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, *lines, "", ""]).encode() + body


def forgeries() -> list[bytes]:
    """One of each sort: without proof, with one of the right shape, with one of another secret, too old, too large."""
    body = json.dumps({"service": "svc-1", "version": "1"}).encode()
    now = time.time()
    other = {"deploy": "whsec_" + "B" * 43 + "=", "backstage": "whsec_" + "B" * 43 + "="}
    forged = [request(system, {}, body) for system in SECRETS]
    for system in SECRETS:
        wrong = other.get(system, "another-secret-0123456789")
        forged.append(request(system, signed(system, body, now, wrong), body))
        forged.append(request(system, signed(system, body, now - 3600, wrong), body))
    forged.append(request("deploy", signed("deploy", body, now - 400), body))  # was genuine once
    forged.append(request("github", signed("github", body), body + b" "))
    forged.append(request("github", signed("github", body, secret="wrong" * 4), b"x" * 40_000))
    return forged


def flood(port: int, script: Sequence[bytes], reconnect: bool) -> Counter[str]:
    """Send the script over and over on many connections, until a line comes in; how often which status came back."""
    blob = script[0] if reconnect else b"".join(script)
    selector = selectors.DefaultSelector()
    counts: Counter[str] = Counter()
    state: dict[socket.socket, tuple[int, bytes]] = {}

    def connect() -> None:
        link = socket.create_connection(("127.0.0.1", port))
        link.setblocking(False)
        state[link] = (0, b"")
        selector.register(link, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def close(link: socket.socket) -> None:
        selector.unregister(link)
        link.close()
        del state[link]
        connect()

    for _ in range(CONNECTIONS):
        connect()
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("on", flush=True)
    while True:
        for key, events in selector.select():
            link: Any = key.fileobj
            if link is sys.stdin:
                return counts
            sent, tail = state[link]
            try:
                if events & selectors.EVENT_WRITE:
                    sent += link.send(blob[sent : sent + 65536])
                    state[link] = (sent if reconnect else sent % len(blob), tail)
                    if reconnect and sent == len(blob):
                        selector.modify(link, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    data = tail + link.recv(1 << 18)
                    if data == tail:
                        close(link)
                        continue
                    found = list(re.finditer(rb"HTTP/1\.1 (\d{3})", data))
                    counts.update(each[1].decode() for each in found)
                    state[link] = (state[link][0], data[max(found[-1].end() if found else 0, len(data) - 11) :])
                    if reconnect and found:
                        close(link)
            except (BlockingIOError, InterruptedError):
                pass
            except ConnectionError:
                close(link)


class Server:
    """The server's process, as the test talks to it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def tell(self, what: str) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what}\n".encode())
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60.0))

    async def post(self, message: bytes) -> bytes:
        """The status line that one delivery is answered with."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(message)
        line = await asyncio.wait_for(reader.readline(), 10.0)
        writer.close()
        return line


@asynccontextmanager
async def running(folder: Path, rate: float) -> AsyncIterator[Server]:
    module = "tests.faults.daemon.test_flood"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "serve", str(folder), str(rate), **pipes
    )
    try:
        assert process.stdout
        port = int(await asyncio.wait_for(process.stdout.readline(), 60.0))
        yield Server(process, port)
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10.0)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def flooded(port: int, how: str) -> AsyncIterator[Counter[str]]:
    """Flooded while the block runs; the counts are there afterwards."""
    module = "tests.faults.daemon.test_flood"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "flood", str(port), how, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert await asyncio.wait_for(process.stdout.readline(), 60.0) == b"on\n"
    counts: Counter[str] = Counter()
    try:
        yield counts
    finally:
        out, _ = await process.communicate(b"off\n")
    counts.update(json.loads(out))


def replayed() -> bytes:
    body = json.dumps({"service": "svc-1", "version": "1"}).encode()
    return request("deploy", signed("deploy", body, time.time(), number="replayed"), body)


@pytest.mark.parametrize("how", ["stream", "reconnect"])
async def test_a_flood_changes_nothing(tmp_path: Path, how: str) -> None:
    async with running(tmp_path, RATE) as server:
        assert b" 202 " in await server.post(replayed())
        before = await server.tell("state")
        quiet, busy, counts = Rounds(), Rounds(), Counter[str]()
        for turn in range(ROUNDS):  # in turns, for what else the machine does changes as well
            await quiet.measure(server)
            async with flooded(server.port, how) as some:
                await busy.measure(server)
                # Who proves himself comes through.
                assert b" 202 " in await server.post(signed_deploy(turn))
            counts += some
        after = await server.tell("state")
        print(f"{how}: {dict(counts)}, plans quiet {quiet}, flooded {busy}")
        assert set(counts) <= {"401", "429", "200"}
        assert after["seen"] == before["seen"] + ROUNDS
        assert after["events"] == before["events"] + ROUNDS
        assert after["asked"] == {Topic.SUBJECT.value: 1}  # the one service, however often it was named
        assert after["megabytes"] < before["megabytes"] + 40
        assert (busy.cpu - quiet.cpu) / busy.wall < 0.2  # of a core, for the same plans
        assert busy.at(0.5) < quiet.at(0.5) * 2 + 10
        if FULL:  # a machine that does other things as well moves the slowest plans more than a flood does
            assert busy.at(0.99) < quiet.at(0.99) * 2 + 10


async def test_one_core_refuses_thousands_a_second(tmp_path: Path) -> None:
    """Without the brake: what the refusals themselves cost."""
    async with running(tmp_path, UNBRAKED) as server:
        before = await server.tell("state")
        async with flooded(server.port, "stream") as counts:
            await asyncio.sleep(SECONDS)
        after = await server.tell("state")
        spent = after["cpu"] - before["cpu"]
        print(dict(counts), f"{counts.total() / SECONDS:,.0f}/s, {counts.total() / spent:,.0f} a second of one core")
        assert counts["202"] == after["seen"] == 1  # the one delivery that all the others repeat
        assert after["asked"] == {Topic.SUBJECT.value: 1}
        assert after["megabytes"] < before["megabytes"] + 40
        assert counts.total() / spent > 2000


@dataclass
class Rounds:
    """How long plans took, in milliseconds, and how much of the processor the server did with meanwhile."""

    times: list[float] = field(default_factory=list[float])
    cpu: float = 0.0
    wall: float = 0.0

    async def measure(self, server: Server) -> None:
        start, since = (await server.tell("state"))["cpu"], time.perf_counter()
        told = await server.tell("plan")
        self.wall += time.perf_counter() - since
        self.times = sorted([*self.times, *told["times"]])
        self.cpu += told["cpu"] - start

    def at(self, share: float) -> float:
        return self.times[int(len(self.times) * share)]

    def __str__(self) -> str:
        return f"p50 {self.at(0.5):.1f} ms, p99 {self.at(0.99):.1f} ms, {self.cpu:.2f} s of CPU in {self.wall:.1f} s"


def signed_deploy(number: int) -> bytes:
    body = json.dumps({"service": "svc-1", "version": str(number)}).encode()
    return request("deploy", signed("deploy", body, time.time()), body)


def main() -> None:
    match sys.argv[1:]:
        case ["serve", folder, rate]:
            asyncio.run(serve(Path(folder), float(rate)))
        case ["flood", port, how]:
            script = [*forgeries() * 3, *[replayed()] * 10]
            print(json.dumps(flood(int(port), script, how == "reconnect")))
        case _:
            raise SystemExit(2)


if __name__ == "__main__":
    main()
