"""Several replicas in processes of their own, what they share, and what is done to them."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nthlayer_sync.sdk.work import Topic
from tests.faults.daemon.driver import Job
from tests.state.contract.conftest import Home

LEASE = 2.0
SERVE = {
    "every": "3s", "poll": "1h", "audit": "5s", "lease": "2s", "grace": "5s", "workers": 2, "batch": 8,
}  # fmt: skip


async def until(true: Callable[[], Awaitable[Any]], seconds: float, what: str) -> Any:
    """What `true` gives once it is something; it is asked again and again, for things that others bring about."""
    end = time.monotonic() + seconds
    while True:
        if found := await true():
            return found
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.03)


class Nursery:
    """The process whose forks the replicas are; one for all tests."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.daemon.driver"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        self._born: queue.Queue[int] = queue.Queue()
        self._codes: dict[int, int] = {}
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "code" in said:
                self._codes[said["pid"]] = said["code"]
            else:
                self._codes.pop(said["pid"], None)
                self._born.put(said["pid"])

    def close(self) -> None:
        """Whoever is left is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._listening.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    async def start(self, job: Job) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        return await asyncio.to_thread(self._born.get, timeout=30)

    async def ended(self, pid: int) -> int:
        """With which code a process ends."""

        async def over() -> bool:
            return self.has_ended(pid)

        await until(over, 30, f"{pid} ends")
        return self._codes[pid]

    def has_ended(self, pid: int) -> bool:
        return pid in self._codes


@dataclass
class Crew:
    """The replicas of one installation. `store` is a connection of the test's own."""

    nursery: Nursery
    folder: Path
    home: Home
    store: Any
    reach: dict[str, Any] = field(default_factory=dict)
    serve: dict[str, Any] = field(default_factory=lambda: dict(SERVE))
    addresses: dict[str, str] = field(default_factory=dict)
    """The way to the database of those that have one of their own."""
    pids: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    thawed: list[tuple[str, float]] = field(default_factory=list)

    async def start(self, *replicas: str) -> None:
        for replica in replicas:
            address = self.addresses.get(replica, self.home.address if self.home.engine == "postgres" else "")
            job = Job(
                folder=str(self.folder), replica=replica, reach=self.reach, postgres=address, serve=self.serve,
                secrets={name: value for name, value in os.environ.items() if name.startswith("SANDBOX_")},
            )  # fmt: skip
            (self.folder / f"{replica}.up").unlink(missing_ok=True)
            self.pids[replica] = await self.nursery.start(job)

    async def leave(self) -> None:
        """Whoever still runs is killed."""
        for replica, pid in self.pids.items():
            if not self.nursery.has_ended(pid):
                await self.kill(replica)

    async def up(self, replica: str) -> None:
        """Wait until it runs."""

        async def there() -> bool:
            return (self.folder / f"{replica}.up").exists()

        await until(there, 20, f"{replica} is up")

    async def kill(self, replica: str) -> None:
        os.kill(self.pids[replica], signal.SIGKILL)
        assert await self.nursery.ended(self.pids[replica]) == -signal.SIGKILL

    def freeze(self, replica: str) -> None:
        os.kill(self.pids[replica], signal.SIGSTOP)

    def thaw(self, replica: str) -> None:
        self.thawed.append((replica, time.time()))
        os.kill(self.pids[replica], signal.SIGCONT)

    async def stop(self, *replicas: str) -> None:
        """Tell replicas to stop; they do, and well."""
        for replica in replicas or self.pids:
            os.kill(self.pids[replica], signal.SIGTERM)
        for replica in replicas or self.pids:
            code = await self.nursery.ended(self.pids[replica])
            assert code == 0, self.log(replica)[-3000:]

    def log(self, replica: str) -> str:
        return (self.folder / f"{replica}.log").read_text()

    def looks(self) -> int:
        """How often somebody looked at the catalog."""
        return len((self.folder / "looks").read_text().splitlines())

    def says(self, services: dict[str, str]) -> None:
        """What the catalog says from now on."""
        self.said = dict(services)
        new = self.folder / "catalog.json.new"
        new.write_text(json.dumps(self.said))
        new.replace(self.folder / "catalog.json")

    async def call(self) -> None:
        """A webhook says that the catalog changed."""
        await self.store.work.ask(Topic.LOOK, ["catalog"], "the catalog changed")

    async def leader(self) -> str:
        """Who leads now, "" when nobody does."""
        rows = await self.home.run(
            "select owner, until, extract(epoch from clock_timestamp()) from work where topic = 'lead'"
            if self.home.engine == "postgres"
            else "select owner, until, (julianday('now') - 2440587.5) * 86400 from work where topic = 'lead'"
        )
        return rows[0][0] if rows and rows[0][1] > float(rows[0][2]) else ""

    async def someone_leads(self, seconds: float = 15.0, but: str = "") -> str:
        async def leads() -> str:
            leader = await self.leader()
            return leader if leader != but else ""

        return await until(leads, seconds, "somebody leads")

    async def at_rest(self, seconds: float) -> None:
        """All that the catalog says is read, and nothing is asked for or worked on, now or later."""

        async def resting() -> bool:
            waiting = (await self.store.work.backlog())[Topic.SUBJECT]
            look = (await self.store.work.backlog())[Topic.LOOK]
            return not (waiting.due or waiting.claimed or waiting.later or look.due or look.claimed or look.later)

        try:
            await until(resting, seconds, "nothing is left to do")
        except BaseException:
            print(await self.store.work.backlog(), await self.store.work.errors(Topic.SUBJECT))
            raise
