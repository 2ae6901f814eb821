"""Measures what a daemon needs: the table of deploy/SIZING.md, one row for each size.

usage: sizing.py [--services 100,1000]

Each row is a `nthlayer-sync serve` of its own, on the catalog of the other benchmarks, with its state and cache fresh.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from run import lay_out  # noqa: E402

SERVE = """
serve: {{listen: "127.0.0.1:{port}", every: 1h, poll: 1h, audit: 1h}}
"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Daemon:
    """One process, seen from outside."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [str(Path(sys.executable).with_name("nthlayer-sync")), "serve", "--settings", "nthlayer-sync.yaml"]
        self.process = subprocess.Popen(command, cwd=folder, stderr=(folder / "log").open("w"))

    def ask(self, path: str, method: str = "GET") -> dict[str, object]:
        body = b"{}" if method == "POST" else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, method=method, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def memory(self, what: str) -> float:
        """Megabytes: `VmRSS` now, `VmHWM` at the most."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{what}:\s+(\d+) kB", text)
        assert found
        return int(found[1]) / 1024

    def processor(self) -> float:
        """Seconds of processor, of children that ended included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[n]) for n in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")

    def settled(self, since: float = 0.0) -> dict[str, object]:
        """The status, once a full sync has ended since then and nothing is left to do."""
        while True:
            try:
                status = self.ask("/api/v1/status")
            except OSError:
                assert self.process.poll() is None, "it has ended"
                time.sleep(0.2)
                continue
            backlog, wave = status["backlog"], status["wave"]
            assert isinstance(backlog, dict)
            busy = any(one["due"] or one["claimed"] or one["later"] for key, one in backlog.items() if key != "lead")
            synced = float(str(status["synced"] or 0.0))
            if synced > since and not busy and isinstance(wave, dict) and wave["whole"]:
                return status
            time.sleep(0.2)


@contextmanager
def running(folder: Path) -> Iterator[Daemon]:
    port = free_port()
    settings = folder / "nthlayer-sync.yaml"
    settings.write_text(settings.read_text() + SERVE.format(port=port))
    daemon = Daemon(folder, port)
    try:
        yield daemon
    finally:
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(60)


def size_of(folder: Path) -> float:
    """Megabytes below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def row(services: int) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, services)
        start = time.perf_counter()
        with running(folder) as daemon:
            status = daemon.settled()
            first, most = time.perf_counter() - start, daemon.memory("VmHWM")
            before = daemon.processor()
            daemon.ask("/api/v1/sync", "POST")
            status = daemon.settled(float(str(status["synced"])))
            sync = daemon.processor() - before
            for _ in range(100):
                since = float(str(daemon.ask("/api/v1/status")["synced"]))
                daemon.ask("/api/v1/sync", "POST")
                daemon.settled(since)
            rest = daemon.memory("VmRSS")
            disk = sum(file.stat().st_size for file in (folder / ".nthlayer").glob("state.db*")) / 1e6
            cache = size_of(folder / ".nthlayer" / "cache")
        return (
            f"| {services:,} | {status['configs']:,} | {rest:.0f} MB | {most:.0f} MB | {sync:.2f} s | "
            f"{disk:.0f} MB | {cache:.0f} MB | {first:.0f} s |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", default="100,1000")
    asked = parser.parse_args()
    print("| services | configs | at rest | most | full sync, processor | state | cache | first apply |")
    print("|---|---|---|---|---|---|---|---|")
    for services in asked.services.split(","):
        print(row(int(services)), flush=True)


if __name__ == "__main__":
    main()
