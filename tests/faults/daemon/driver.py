"""Runs replicas of a daemon in processes of their own: `python -m tests.faults.daemon.driver`, one job a line.

Everything is imported once; each job is a fork, so that a replica starts at once. A job is JSON, see `Job`. The answer
is {"pid": …}, and later {"pid": …, "code": …} when that process has ended: 0 where it was told to stop and did,
negative for a signal. What a replica logs is in `<folder>/<replica>.log`.
"""

import asyncio
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.service import Home
from nthlayer_sync.model.snapshot import Snapshot
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.http import Authorize, Web
from nthlayer_sync.sdk.plugin import PluginSettings
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.settings import Settings
from nthlayer_sync.state.postgres import PostgresStore, database
from nthlayer_sync.state.sqlite import SqliteStore
from tests.engine.conftest import Notes
from tests.faults.house import CENTRAL, TIERS, says, service
from tests.faults.live.company import PAGERDUTY, staff

REPLICA = "X-Replica"
"""The header in which a replica says who it is."""
SETTLES = 0.5
"""Seconds for which a write may not show in the sandbox's lists: it shows at once, and no test waits."""
ANSWER = 3.0
"""Seconds for one statement, so that a connection that is dead without anybody knowing costs seconds."""


class Job(msgspec.Struct, kw_only=True):
    """One replica. `postgres` is the address of its database, "" for a file in the folder."""

    folder: str
    replica: str
    reach: dict[str, Any] = {}
    """The settings of the PagerDuty plugin; without any, notes land in a repository."""
    postgres: str = ""
    serve: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    """Variables of its environment."""


class CatalogFile:
    """A source that is a file: the services and what each says. It notes who looks at it, and when."""

    name = "catalog"
    scope = "all"

    def __init__(self, folder: Path, replica: str) -> None:
        self._folder = folder
        self._replica = replica

    async def look(self) -> str:
        with (self._folder / "looks").open("a") as looks:
            looks.write(f"{time.time()} {self._replica}\n")
        return blake2b((self._folder / "catalog.json").read_bytes(), digest_size=8).hexdigest()

    async def read(self) -> Snapshot:
        raw = (self._folder / "catalog.json").read_bytes()
        rows = [service(name, text, uid=name) for name, text in msgspec.json.decode(raw, type=dict[str, str]).items()]
        return msgspec.structs.replace(says([*rows, *staff()]), digest=blake2b(raw, digest_size=8).hexdigest())


def easy(tiers: Tiers) -> Tiers:
    """A tier table whose guards let everything pass, at once: what they do is tried elsewhere."""
    guards = tiers.guards
    updates = guards.updates.model_copy(update={"floor": 1_000_000})
    waves = guards.waves.model_copy(update={"above": 1_000_000})
    table = tiers.table.model_copy(update={"guards": guards.model_copy(update={"updates": updates, "waves": waves})})
    return type(tiers)(table, tiers.organisation)


def signed(replica: str) -> type[PAGERDUTY]:  # type: ignore[valid-type]
    """The plugin, saying with each request who asks."""

    class Signed(PAGERDUTY):  # type: ignore[misc, valid-type]
        settles = SETTLES

        def authorize(self, runtime: Runtime) -> Authorize | None:
            inner = super().authorize(runtime)

            async def named() -> dict[str, str]:
                return {**await inner(), REPLICA: replica}

            return named

    return Signed


@asynccontextmanager
async def daemon(job: Job) -> AsyncIterator[Daemon]:
    """The replica, not running yet."""
    folder = Path(job.folder)
    remote = {CENTRAL: str(folder / "central.git")}
    files = FileTarget(
        Repositories(folder / f"cache-{job.replica}", "nthlayer-sync", [], instead_of=remote),
        ("Test", "test@example.com"),
    )
    web = Web()
    runtime = Runtime(files=files, web=web)
    if job.reach:
        plugin = signed(job.replica)
        plugins = [plugin(plugin.settings_type.model_validate(job.reach), runtime)]
    else:
        files.serve(Notes.kinds)
        plugins = [Notes(PluginSettings(), runtime)]
    raw = {"organisation": "acme", "sources": [{"type": "directory", "name": "catalog", "path": "."}]}
    settings = Settings.model_validate({**raw, "serve": job.serve})
    opened = PostgresStore(job.postgres) if job.postgres else SqliteStore(folder / "state.db")
    async with opened as store:
        try:
            setup = Setup("acme", easy(TIERS), Home(CENTRAL))
            engine = Engine(setup, [CatalogFile(folder, job.replica)], Generator(plugins), store)
            yield Daemon(engine, store, settings, job.replica, Metrics(list))
        finally:
            await web.close()


async def run(job: Job) -> None:
    """Be a replica until told to stop."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with daemon(job) as one, one.running():
        (Path(job.folder) / f"{job.replica}.up").touch()
        await stopped.wait()


def _become(job: Job) -> None:
    try:
        database.ANSWER_WITHIN = ANSWER
        os.environ.update(job.secrets)
        with (Path(job.folder) / f"{job.replica}.log").open("a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        asyncio.run(run(job))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def main() -> None:
    children: set[int] = set()
    buffer = b""
    while True:
        if select.select([0], [], [], 0.02)[0]:
            said = os.read(0, 1 << 16)
            if not said:
                break
            *lines, buffer = (buffer + said).split(b"\n")
            for line in lines:
                if (child := os.fork()) == 0:
                    _become(msgspec.json.decode(line, type=Job))
                children.add(child)
                _say({"pid": child})
        for child in list(children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                children.discard(child)
                _say({"pid": child, "code": os.waitstatus_to_exitcode(status)})
    for child in children:
        os.kill(child, signal.SIGKILL)


def _say(what: dict[str, int]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
