"""The statements of the SQLite store: each works on an open connection, in the thread that owns it."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Applied, Plan, Wanted
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Memory, Planned

SCHEMA_VERSION = 1
ALWAYS_CHECKED = 16 << 20
"""A state file up to this size is checked whenever it is opened; it takes seconds for one of 10,000 services.

A larger one is checked after a crash, and each row that a delete rests on has a checksum of its own."""
PLANS_KEPT = 20
"""Older plans are dropped; a plan that is reviewed for longer belongs in a plan file."""

MEMORY = "select subject, fingerprint, uid, wanted, applied, sum from memory"
"""The columns that `memory_of` takes."""

RUNS_KEPT = 20
"""Applied plans that can be undone."""

pack = msgspec.msgpack.encode
_wanted = msgspec.msgpack.Decoder(tuple[Wanted, ...])
_applied = msgspec.msgpack.Decoder(tuple[Applied, ...])


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """One durable transaction, taken for writing at once so that it cannot fail half way for a lock."""
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        roll_back(db)
        raise


def roll_back(db: sqlite3.Connection) -> None:
    """Give up the transaction, where SQLite has not done so itself, as it does when the disk is full."""
    if db.in_transaction:
        db.execute("rollback")


def open_database(path: Path) -> sqlite3.Connection:
    """A connection to the state file, made ready; sqlite3.Error and PermanentError say why there is none."""
    # A write-ahead log that is left over tells that the last process did not close the file.
    doubtful = path.with_name(f"{path.name}-wal").exists() or (path.exists() and path.stat().st_size < ALWAYS_CHECKED)
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        _prepare(db, doubtful)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, doubtful: bool) -> None:
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
        db.execute(f"pragma {pragma}")
    version = db.execute("pragma user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise PermanentError(
            f"the state has schema {version}, and this version knows {SCHEMA_VERSION}: use a newer one"
        )
    if version == 0:
        _create(db)
    elif doubtful and (problem := db.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(str(problem))


def _create(db: sqlite3.Connection) -> None:
    """Make the tables, unless another process did so in the meantime."""
    with transaction(db):
        if db.execute("pragma user_version").fetchone()[0] == 0:
            script = files("nthlayer_sync.state").joinpath("schema.sql").read_text()
            for statement in re.sub(r"--.*", "", script).split(";"):
                db.execute(statement)
            db.execute(f"pragma user_version = {SCHEMA_VERSION}")


def prune_journal(db: sqlite3.Connection) -> None:
    """Drop the closed lines of all but the newest runs: what is older can no longer be undone."""
    with transaction(db):
        db.execute(
            "delete from journal where done and plan not in "
            "(select plan from journal group by plan order by max(number) desc limit ?)",
            (RUNS_KEPT,),
        )


def begin_plan(db: sqlite3.Connection) -> int:
    """Begin the transaction of a plan; gives its number."""
    db.execute("begin immediate")
    number = int(db.execute("select coalesce(max(number), 0) + 1 from plan").fetchone()[0])
    db.execute("insert into plan values (?, ?, ?)", (number, f"#{number}", b""))
    return number


def add_to_plan(db: sqlite3.Connection, number: int, rows: Sequence[Planned]) -> None:
    """Store what planning made of some subjects."""
    for row in rows:
        if row.memory is not None:
            remember(db, row)
        if row.part is not None:
            db.execute("insert into part values (?, ?, ?)", (number, row.subject, pack(row.part)))
        if row.memory is None and row.part is None:
            db.execute("delete from memory where subject = ?", (row.subject,))


def end_plan(db: sqlite3.Connection, number: int, rows: Sequence[Planned], plan: Plan) -> None:
    """Store the last rows and the head, drop old plans, commit."""
    add_to_plan(db, number, rows)
    db.execute("delete from plan where id = ?", (plan.id,))
    db.execute("update plan set id = ?, head = ? where number = ?", (plan.id, pack(plan), number))
    db.execute("delete from plan where number <= ?", (number - PLANS_KEPT,))
    db.execute("commit")


def write_rows(db: sqlite3.Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """One statement for many rows, in one transaction."""
    with transaction(db):
        db.executemany(sql, rows)


def memory_of(ref: str, fingerprint: bytes, uid: str, wanted: bytes, applied: bytes, total: int) -> Memory:
    """A memory from the columns of `MEMORY`; sqlite3.DatabaseError where they are damaged."""
    if total != _sum(ref, applied):
        raise sqlite3.DatabaseError(f"what is remembered of {ref} is not what was stored")
    return Memory(fingerprint, uid, _wanted.decode(wanted), _applied.decode(applied))


def _sum(ref: str, applied: bytes) -> int:
    """A checksum of what a delete rests on, so that a damaged row deletes nothing."""
    return crc32(applied, crc32(ref.encode()))


def remember(db: sqlite3.Connection, row: Planned) -> None:
    """Store a memory. What is applied is taken from it for a subject without a memory only: it may be a new name."""
    assert row.memory is not None
    left = row.part is not None and any(not (c.action.writes or c.action is Action.ADOPT) for c in row.part.changes)
    applied = pack(row.memory.applied)
    db.execute(
        "insert into memory values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (subject) do update "
        "set fingerprint = ?2, uid = ?3, settled = ?4, astray = ?5, wanted = ?6",
        (
            row.subject,
            row.memory.fingerprint,
            row.memory.uid,
            row.part is None,
            row.astray or left,
            pack(row.memory.wanted),
            applied,
            _sum(row.subject, applied),
        ),
    )


def reapply(db: sqlite3.Connection, ref: EntityRef, changed: Mapping[tuple[str, str], Applied | None]) -> None:
    """Remember what of one subject is applied now."""
    row = db.execute(f"{MEMORY} where subject = ?", (ref,)).fetchone()
    memory = memory_of(*row) if row else Memory(b"")
    astray = db.execute("select astray from memory where subject = ?", (ref,)).fetchone()[0] if row else 0
    kept: dict[tuple[str, str], Applied | None] = {(config.kind, config.name): config for config in memory.applied}
    kept.update(changed)
    applied = tuple(config for config in kept.values() if config is not None)
    _count(db, memory.applied, applied)
    if not applied and not memory.wanted:
        db.execute("delete from memory where subject = ?", (ref,))
        return
    after = Memory(memory.fingerprint, memory.uid, memory.wanted, applied)
    packed = pack(applied)
    db.execute(
        "insert into memory values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (subject) do update "
        "set settled = ?4, applied = ?7, sum = ?8",
        (
            ref,
            after.fingerprint,
            after.uid,
            after.complete and not astray,
            astray,
            pack(after.wanted),
            packed,
            _sum(ref, packed),
        ),
    )


def _count(db: sqlite3.Connection, before: Iterable[Applied], after: Iterable[Applied]) -> None:
    """Keep the numbers of what is applied, so that no plan has to count it."""
    changed: Counter[str] = Counter()
    for configs, step in ((before, -1), (after, 1)):
        for config in configs:
            for scope in ("", config.kind, config.owner or "nobody"):
                changed[scope] += step
    db.executemany(
        "insert into existing values (?1, ?2) on conflict (scope) do update set count = count + ?2",
        [(scope, count) for scope, count in changed.items() if count],
    )
