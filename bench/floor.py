"""The floor: plain Python that reads a catalog, renders 25 artefacts for each service, hashes and stores them.

It validates, escapes and compares nothing: a bound to measure against in the same run, not a product.
usage: floor.py CATALOG.json PROCESSES      prints the seconds it took
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "7d", "14d", "28d", "30d")
RULES = "groups:\n- name: slo-{n}\n  rules:\n" + "".join(
    f"""  - record: slo:error_ratio:rate{window}
    expr: |
      sum(rate(http_requests_total{{{{service="{{n}}",code=~"5.."}}}}[{window}]))
      / sum(rate(http_requests_total{{{{service="{{n}}"}}}}[{window}]))
    labels:
      service: "{{n}}"
      team: "{{t}}"
      tier: "{{r}}"
"""
    for window in WINDOWS
)
MANIFESTS = [
    f"kind: K{k}\nmetadata:\n  name: '{{n}}'\n  labels:\n    team: '{{t}}'\n    tier: '{{r}}'\nspec:\n"
    + "".join(
        f"  - field{q}: value-{{n}}-{q}\n    owner: {{t}}\n    note: artefact {k} line {q} of tier {{r}}\n"
        for q in range(12)
    )
    for k in range(23)
]
Row = tuple[str, int, bytes]


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def render(services: list[tuple[str, str, str]]) -> list[Row]:
    rows: list[Row] = []
    for n, t, r in services:
        target = {"expr": f'up{{service="{n}"}}', "refId": "A"}
        panels = [{"id": i, "type": "timeseries", "targets": [target]} for i in range(12)]
        bodies = [json.dumps({"title": n, "tags": [t, r], "panels": panels}, indent=1), RULES.format(n=n, t=t, r=r)]
        bodies += [text.format(n=n, t=t, r=r) for text in MANIFESTS]
        rows += [(n, kind, digest(body.encode())) for kind, body in enumerate(bodies)]
    return rows


def run(path: Path, processes: int) -> float:
    """Seconds from the file to the stored rows."""
    start = time.perf_counter()
    entities = json.loads(path.read_bytes())
    dependents: dict[str, set[str]] = {}
    for entity in entities:
        for relation in entity["relations"]:
            dependents.setdefault(relation["targetRef"], set()).add(entity["metadata"]["name"])
    inputs = [(e["metadata"]["name"], digest(json.dumps(e, sort_keys=True).encode())) for e in entities]
    services = [
        (m["name"], e["spec"]["owner"].rpartition("/")[2], m["annotations"]["nthlayer.dev/tier"])
        for e in entities
        for m in (e["metadata"],)
    ]
    with ProcessPoolExecutor(processes) as pool:
        parts = pool.map(render, [services[i :: processes * 4] for i in range(processes * 4)])
        rows = sorted(row for part in parts for row in part)
    with tempfile.TemporaryDirectory() as folder:
        store = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        store.execute("pragma journal_mode=wal")
        store.execute("pragma synchronous=full")
        columns = "service text, kind int, digest blob, primary key(service, kind)"
        store.execute(f"create table artefact({columns}) without rowid")
        store.execute("create table input(service text primary key, digest blob) without rowid")
        store.execute("begin")
        store.executemany("insert into artefact values(?,?,?)", rows)
        store.executemany("insert into input values(?,?)", inputs)
        store.execute("commit")
        store.close()
    return time.perf_counter() - start


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), int(sys.argv[2])))
