"""The statements of the store: each works on an open connection, in a transaction that is open already."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Kept, Memory, Planned
from nthlayer_sync.state.records import MEMORY, applied_row, memory_of, pack, planned_row
from nthlayer_sync.state.retention import (
    JOURNAL_SECONDS,
    LARGE_PLAN,
    PARTS_KEPT,
    PLANS_BETWEEN,
    PLANS_KEPT,
    SMALL_PLANS_KEPT,
    UNDOABLE_KEPT,
)

_MEMORY = "insert into memory (subject, fingerprint, uid, settled, astray, wanted, applied, sum, plan)"

_REMEMBER = f"""
{_MEMORY} values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) on conflict (subject) do update set
    fingerprint = ?2, uid = ?3, settled = ?4 and (?10 or not astray), astray = ?5 or (astray and not ?10), wanted = ?6,
    plan = ?9, part = null, part_plan = null
"""

_REAPPLY = f"""
{_MEMORY} values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, null) on conflict (subject) do update set
    settled = ?4, applied = ?7, sum = ?8, plan = case when ?4 then null else plan end
"""

_OLD_PLANS = """
select number from (
    select number, row_number() over newest as place, sum(parts) over newest as total
    from plan window newest as (order by number desc)
) where place > ? and (place > ? or total > ?)
"""


def begin_plan(db: sqlite3.Connection) -> int:
    """Make room for a plan; gives its number."""
    number = int(db.execute("select coalesce(max(number), 0) + 1 from plan").fetchone()[0])
    db.execute("insert into plan (number, id, head) values (?, ?, ?)", (number, f"#{number}", b""))
    return number


def add_to_plan(db: sqlite3.Connection, number: int, rows: Sequence[Planned]) -> None:
    """Store what planning made of some subjects."""
    for row in rows:
        if row.memory is not None:
            remembered = planned_row(row, row.memory)
            db.execute(_REMEMBER, (*remembered, number if row.part is not None else None, row.doubted))
        if row.part is not None:
            db.execute("insert into part values (?, ?, ?)", (number, row.subject, pack(row.part)))
        if row.memory is None and row.part is None:
            db.execute("delete from memory where subject = ?", (row.subject,))


def end_plan(db: sqlite3.Connection, number: int, plan: Plan, parts: int) -> None:
    """Store the head of a plan with so many parts, and drop old plans."""
    db.execute("delete from plan where id = ?", (plan.id,))
    db.execute("update plan set id = ?, head = ?, parts = ? where number = ?", (plan.id, pack(plan), parts, number))
    if parts >= LARGE_PLAN or number % PLANS_BETWEEN == 0:
        _prune_plans(db)


def _prune_plans(db: sqlite3.Connection) -> None:
    """Drop old plans; what they found and nobody did since stays with the subjects."""
    old = db.execute(_OLD_PLANS, (PLANS_KEPT, SMALL_PLANS_KEPT, PARTS_KEPT)).fetchall()
    db.executemany(
        "update memory set part_plan = (select id from plan where number = ?1), "
        "part = (select changes from part where part.plan = ?1 and part.subject = memory.subject) "
        "where plan = ?1",
        old,
    )
    db.executemany("delete from plan where number = ?", old)


def reapply(db: sqlite3.Connection, applied: Mapping[ConfigId, Applied | None]) -> None:
    """Remember what is applied now."""
    by_subject: dict[EntityRef, dict[tuple[str, str], Applied | None]] = {}
    for id, config in applied.items():
        by_subject.setdefault(id.subject, {})[id.kind, id.name] = config
    for ref, changed in by_subject.items():
        known = db.execute(f"{MEMORY} where subject = ?", (ref,)).fetchone()
        memory = memory_of(*known) if known else Memory(b"")
        astray = known and db.execute("select astray from memory where subject = ?", (ref,)).fetchone()[0]
        row, counts = applied_row(ref, memory, bool(astray), changed)
        if row is None:
            db.execute("delete from memory where subject = ?", (ref,))
        else:
            db.execute(_REAPPLY, row)
        # The numbers of what is applied are kept, so that no plan has to count it.
        db.executemany(
            "insert into existing values (?1, ?2) on conflict (scope) do update set count = count + ?2",
            [(scope, count) for scope, count in counts.items() if count],
        )


def prune_journal(db: sqlite3.Connection, now: float) -> None:
    """Drop the closed lines of all but the newest runs: what is older can no longer be undone."""
    db.execute(
        "delete from journal where done and at < ? and plan not in "
        "(select plan from journal group by plan order by max(number) desc limit ?)",
        (now - JOURNAL_SECONDS, UNDOABLE_KEPT),
    )


def keep(
    db: sqlite3.Connection, source: str, head: Kept, rows: Sequence[tuple[EntityRef, bytes]], gone: Iterable[EntityRef]
) -> None:
    """Remember what a source said; entities that are as they were keep the generation in which they last changed."""
    generation = next_generation(db)
    db.execute("insert or replace into source values (?, ?, ?)", (source, head.read_digest, pack(head)))
    db.executemany("delete from entity where source = ? and ref = ?", [(source, ref) for ref in gone])
    db.executemany(
        "insert into entity values (?1, ?2, ?3, ?4) on conflict (source, ref) do update "
        "set entity = ?3, generation = ?4 where entity <> ?3",
        [(source, ref, entity, generation) for ref, entity in rows],
    )


def next_generation(db: sqlite3.Connection) -> int:
    """Say that what is known of the world has changed."""
    return count_up(db, "generation", 1)


def count_up(db: sqlite3.Connection, name: str, by: int) -> int:
    """Move a counter on; gives where it stands."""
    sql = "update counter set value = value + ? where name = ? returning value"
    return int(db.execute(sql, (by, name)).fetchone()[0])
