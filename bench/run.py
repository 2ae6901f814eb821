"""Measures the product beside the floor, in one run, and prints a table.

usage: run.py [--services N] [--rounds N] [--json FILE]

Every figure of a cold process is taken in a process of its own. Product and floor take turns, and medians are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

SETTINGS = """\
organisation: acme
sources: [{type: directory, name: catalog, path: catalog.json}]
landing: {central: operations.git}
plugins:
  alertmanager: {}
  aws: {}
  grafana: {}
  kubernetes: {}
  opa: {}
  openslo: {}
  prometheus: {}
  techdocs: {home: central}
"""
ARTEFACTS = 25


def app(home: Path) -> Any:
    """The product as a user sets it up, with filler kinds up to 25 artefacts; `home` is its folder or its settings."""
    from filler import filler

    from nthlayer_sync.app import App
    from nthlayer_sync.engine.generate import Generator
    from nthlayer_sync.sdk.plugin import PluginSettings
    from nthlayer_sync.sdk.runtime import Runtime
    from nthlayer_sync.sdk.testing import service_from

    class Bench(App):
        def generator(self) -> Generator:
            product = super().generator()
            plugins = list(product.plugins.values())
            own = len(product.generate(service_from({"name": "probe"})).configs)
            plugin = filler(max(ARTEFACTS - own, 0))(PluginSettings(), Runtime(files=self.files))
            self.files.serve(plugin.kinds)
            return Generator([*plugins, plugin])

    return Bench.load(home / "nthlayer-sync.yaml" if home.is_dir() else home)


def lay_out(folder: Path, services: int) -> None:
    """A catalog, an empty central repository and settings."""
    from catalog import write

    write(services, folder / "catalog.json")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "operations.git")], check=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "publish.git")], check=True)
    (folder / "nthlayer-sync.yaml").write_text(SETTINGS)


# What runs in a process of its own; each prints one JSON object.


async def full(folder: Path) -> dict[str, float]:
    async with app(folder).engine() as engine:
        plan = await engine.plan()
    return {"artefacts": plan.writes, "services": plan.subjects, **_used()}


async def apply(folder: Path) -> dict[str, float]:
    async with app(folder).engine() as engine:
        plan = await engine.plan()
        start = time.perf_counter()
        results = await engine.apply(plan, engine.store.parts(plan.id))
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "written": sum(r.outcome == "done" for r in results), **_used()}


async def publish(folder: Path) -> dict[str, float]:
    """Git alone: as many files as a full plan has, in one commit, pushed; then 25 on top."""
    from floor import MANIFESTS

    from nthlayer_sync.git import Repository

    files: dict[str, bytes | None] = {
        f"default/svc-{n:05d}/k{k:02d}.yaml": MANIFESTS[k % len(MANIFESTS)].format(n=n, t=n % 500, r=n % 3).encode()
        for n in range(_count(folder))
        for k in range(ARTEFACTS)
    }
    author = ("bench", "bench@example.com")
    remote = folder / "publish.git"
    repository = Repository(str(remote), folder / "mirror", branch="nthlayer-sync", protocols=("file",))
    start = time.perf_counter()
    tree = (await repository.commit(files, "first", author=author, expect=await repository.tree())).tree
    first = time.perf_counter() - start
    times: list[float] = []
    for turn in range(10):
        some: dict[str, bytes | None] = {
            f"default/svc-{turn:05d}/k{k:02d}.yaml": f"{turn}\n".encode() for k in range(25)
        }
        start = time.perf_counter()
        tree = (await repository.commit(some, "more", author=author, expect=tree)).tree
        times.append((time.perf_counter() - start) * 1000)
    pack = sum(file.stat().st_size for file in remote.glob("objects/pack/*.pack")) / 1e6
    return {"files": len(files), "first": first, "pack": pack, "more": statistics.median(times)}


def _count(folder: Path) -> int:
    return (folder / "catalog.json").read_bytes().count(b'"apiVersion"')


async def warm(folder: Path) -> dict[str, float]:
    """One entity changes, in a daemon with its state in a file."""
    from warm import warm

    async with app(folder).engine() as engine:
        return {**await warm(engine), **_used()}


async def warm_postgres(folder: Path) -> dict[str, float]:
    """The same, with its state in a database."""
    from warm import server, settings_on, warm

    async with server(folder / ".nthlayer/state.db") as address:
        settings = folder / "postgres.yaml"
        settings.write_text(settings_on(address, SETTINGS))
        async with app(settings).engine() as engine:
            return {**await warm(engine), **_used()}


async def live(folder: Path) -> dict[str, float]:
    """An apply to a tool, over loopback."""
    from live import live

    return {**await live(folder), **_used()}


CHILDREN: dict[str, Callable[[Path], Coroutine[Any, Any, dict[str, float]]]] = {
    "full": full,
    "unchanged": full,
    "apply": apply,
    "warm": warm,
    "warm-postgres": warm_postgres,
    "publish": publish,
    "live": live,
}


def _used() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"megabytes": usage.ru_maxrss / 1024, "cpu": usage.ru_utime + usage.ru_stime}


def child(what: str, folder: Path) -> dict[str, float]:
    """Run one measurement in a process of its own; `wall` counts from its start."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--child", what, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    wall = time.perf_counter() - start
    return {"wall": wall, **json.loads(done.stdout)}


def floor(folder: Path) -> float:
    """Seconds of the floor with two processes, start of the interpreter included."""
    start = time.perf_counter()
    command = [sys.executable, str(HERE / "floor.py"), str(folder / "catalog.json"), "2"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def measure(services: int, rounds: int) -> dict[str, Any]:
    """Every figure."""
    plans: list[dict[str, float]] = []
    floors: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, services)
        for _ in range(rounds):
            _forget(folder)
            floors.append(floor(folder))
            plans.append(child("full", folder))
        figures = _figures(plans, floors)
        figures["publish"] = child("publish", folder)
        figures["apply"] = child("apply", folder)
        child("full", folder)
        unchanged = [child("unchanged", folder) for _ in range(rounds)]
        figures["unchanged"] = statistics.median(run["wall"] for run in unchanged)
        figures["unchanged_writes"] = unchanged[-1]["artefacts"]
        figures["warm_postgres"] = child("warm-postgres", folder)  # first, for it starts from the same state
        figures["warm"] = child("warm", folder)
        figures["live"] = child("live", folder)
    figures["growth"] = growth(services, rounds)
    return figures


def growth(services: int, rounds: int) -> float:
    """The exponent k of time ~ N^k, from a tenth of the services to twice as many."""
    times: dict[int, float] = {}
    for count in (services // 10, services * 2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, count)
            runs: list[float] = []
            for _ in range(rounds):
                _forget(folder)
                runs.append(child("full", folder)["cpu"])
            times[count] = statistics.median(runs)
    (small, a), (large, b) = times.items()
    return math.log(b / a) / math.log(large / small)


def _figures(plans: list[dict[str, float]], floors: list[float]) -> dict[str, Any]:
    wall, base = statistics.median(p["wall"] for p in plans), statistics.median(floors)
    return {
        "artefacts": plans[0]["artefacts"],
        "full": wall,
        "floor": base,
        "ratio": wall / base,
        "rate": plans[0]["artefacts"] / wall,
        "megabytes": max(p["megabytes"] for p in plans),
    }


def _forget(folder: Path) -> None:
    for file in (folder / ".nthlayer").glob("state.db*"):
        file.unlink()


def table(services: int, f: dict[str, Any]) -> str:
    """The figures as people read them."""
    apply_, publish_, live_ = f["apply"], f["publish"], f["live"]
    warm_, shared = f["warm"], f["warm_postgres"]
    rows = [
        (
            "full plan, from file to stored plan",
            f"{f['full']:.2f} s, {f['rate']:,.0f} artefacts/s",
            f"{f['ratio']:.2f} × the floor ({f['floor']:.2f} s)",
        ),
        ("one entity changed, warm, to a durable plan", f"p50 {warm_['p50']:.2f} ms, p99 {warm_['p99']:.2f} ms", ""),
        (
            "the same with the state in PostgreSQL",
            f"p50 {shared['p50']:.2f} ms, p99 {shared['p99']:.2f} ms",
            f"{shared['p50'] / warm_['p50']:.1f} × and {shared['p99'] / warm_['p99']:.1f} × the file's",
        ),
        ("nothing changed, cold process", f"{f['unchanged']:.2f} s", f"{f['unchanged_writes']:.0f} writes"),
        ("growth, from a tenth to twice as many services", f"N^{f['growth']:.2f}", "CPU time"),
        ("peak memory of the full plan", f"{f['megabytes']:.0f} MB", ""),
        (
            "first publish into Git, pushed",
            f"{publish_['first']:.1f} s for {publish_['files']:,.0f} files",
            f"{publish_['pack']:.0f} MB",
        ),
        ("25 files on top, pushed", f"{publish_['more']:.0f} ms", ""),
        (
            "first apply: rendered, journaled, committed, pushed",
            f"{apply_['seconds']:.1f} s for {apply_['written']:,.0f} configs",
            f"{apply_['megabytes']:.0f} MB peak",
        ),
        (
            "journaled apply of 7 kB objects over loopback",
            f"{live_['rate']:,.0f} creates/s",
            f"{live_['megabytes']:.0f} MB peak",
        ),
    ]
    python = sys.version.split()[0]
    head = f"{services:,} services, {f['artefacts']:,.0f} artefacts, Python {python}, {os.cpu_count()} cores"
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "", "| figure | measured | |", "|---|---|---|", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"))
    chosen = parser.parse_args()
    if chosen.child:
        from nthlayer_sync.cli import tune

        tune()
        what, folder = chosen.child
        print(json.dumps(asyncio.run(CHILDREN[what](Path(folder)))))
        return
    figures = measure(chosen.services, chosen.rounds)
    print(table(chosen.services, figures))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
