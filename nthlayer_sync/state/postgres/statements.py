"""The statements of the store: each works on a connection, in a transaction that is open already."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Entry, Kept, Memory, Planned
from nthlayer_sync.state.postgres.database import Connection
from nthlayer_sync.state.records import MemoryRow, applied_row, journal_row, memory_of, pack, planned_row
from nthlayer_sync.state.retention import (
    JOURNAL_SECONDS,
    LARGE_PLAN,
    PARTS_KEPT,
    PLANS_BETWEEN,
    PLANS_KEPT,
    SMALL_PLANS_KEPT,
    UNDOABLE_KEPT,
)

_MEMORY = """
insert into memory (subject, fingerprint, uid, settled, astray, wanted, applied, sum, plan)
select * from unnest($1::text[], $2::bytea[], $3::text[], $4::bool[], $5::bool[], $6::bytea[], $7::bytea[],
    $8::bigint[], $9::bigint[]) order by 1
"""

_REMEMBER = f"""
{_MEMORY} on conflict (subject) do update set fingerprint = excluded.fingerprint, uid = excluded.uid,
    settled = excluded.settled, astray = excluded.astray, wanted = excluded.wanted, plan = excluded.plan,
    part = null, part_plan = null
"""

_REMEMBER_ALL_BUT_DOUBTS = _REMEMBER.replace("excluded.settled", "excluded.settled and not memory.astray").replace(
    "excluded.astray", "excluded.astray or memory.astray"
)
"""The same, for subjects that were not astray when they were planned: a doubt that came up in the meantime stays."""

_REAPPLY = f"""
{_MEMORY} on conflict (subject) do update set settled = excluded.settled, applied = excluded.applied,
    sum = excluded.sum, plan = case when excluded.settled then null else memory.plan end
"""

_COUNT = """
insert into existing select * from unnest($1::text[], $2::bigint[]) order by 1
on conflict (scope) do update set count = existing.count + excluded.count
"""

# A plan takes the place of one with the same id.
_HEAD = """
with same as (delete from plan where id = $2 returning number),
    parts as (delete from part using same where part.plan = same.number)
insert into plan (number, id, head, parts) values (coalesce($1::bigint, nextval('plan_number')), $2, $3, $4)
returning number
"""

_OLD_PLANS = """
select number from (
    select number, row_number() over newest as place, sum(parts) over newest as total
    from plan window newest as (order by number desc)
) as plans where place > $1 and (place > $2 or total > $3)
"""

_KEEP_PARTS = """
update memory set part_plan = plan.id, part = part.changes from plan, part
where memory.plan = any($1::bigint[]) and plan.number = memory.plan
    and part.plan = memory.plan and part.subject = memory.subject
"""

# A line that is written again comes last.
_INTEND = """
insert into journal (key, plan, entry, done, subject, kind, name, owner, action, at)
select * from unnest($1::text[], $2::text[], $3::bytea[], $4::bool[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::float8[])
on conflict (plan, key) do update set number = excluded.number, entry = excluded.entry, done = excluded.done,
    subject = excluded.subject, kind = excluded.kind, name = excluded.name, owner = excluded.owner,
    action = excluded.action, at = excluded.at
"""

_CLOSE = """
update journal set entry = line.entry, done = true
from unnest($1::text[], $2::text[], $3::bytea[]) as line (plan, key, entry)
where journal.plan = line.plan and journal.key = line.key
"""

_ENTITIES = """
insert into entity (source, ref, entity, generation)
select $1, ref, entity, $4 from unnest($2::text[], $3::bytea[]) as found (ref, entity)
on conflict (source, ref) do update set entity = excluded.entity, generation = excluded.generation
where entity.entity <> excluded.entity
"""


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[tuple[Any, ...]]:
    """Rows as columns, which is how many of them go into one statement."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


async def new_plan(db: Connection) -> int:
    """The number of a plan that is made."""
    return await db.fetchval("select nextval('plan_number')")


async def add_to_plan(db: Connection, number: int, rows: Sequence[Planned]) -> None:
    """Store what planning made of some subjects."""
    parts = [(number, row.subject, pack(row.part)) for row in rows if row.part is not None]
    gone = [row.subject for row in rows if row.memory is None and row.part is None]
    for doubted, sql in ((True, _REMEMBER), (False, _REMEMBER_ALL_BUT_DOUBTS)):
        memories = [
            (*planned_row(row, row.memory), number if row.part else None)
            for row in rows
            if row.memory is not None and row.doubted is doubted
        ]
        if memories:
            await db.execute(sql, *columns(memories, 9))
    if parts:
        sql = "insert into part select * from unnest($1::bigint[], $2::text[], $3::bytea[])"
        await db.execute(sql, *columns(parts, 3))
    if gone:
        await db.execute("delete from memory where subject = any($1::text[])", gone)


async def end_plan(db: Connection, number: int | None, plan: Plan, parts: int) -> int:
    """Store the head of a plan with so many parts, and drop old plans; gives its number."""
    made: int = await db.fetchval(_HEAD, number, plan.id, pack(plan), parts)
    if parts >= LARGE_PLAN or made % PLANS_BETWEEN == 0:
        old = [row[0] for row in await db.fetch(_OLD_PLANS, PLANS_KEPT, SMALL_PLANS_KEPT, PARTS_KEPT)]
        for sql in (
            _KEEP_PARTS,
            "delete from part where plan = any($1::bigint[])",
            "delete from plan where number = any($1::bigint[])",
        ):
            await db.execute(sql, old)
    return made


async def reapply(db: Connection, applied: Mapping[ConfigId, Applied | None]) -> None:
    """Remember what is applied now."""
    by_subject: dict[EntityRef, dict[tuple[str, str], Applied | None]] = {}
    for id, config in applied.items():
        by_subject.setdefault(id.subject, {})[id.kind, id.name] = config
    sql = (
        "select subject, fingerprint, uid, wanted, applied, sum, astray from memory where subject = any($1::text[]) "
        "order by subject for update"
    )
    known = {row[0]: row for row in await db.fetch(sql, list(by_subject))}
    rows: list[MemoryRow] = []
    gone: list[EntityRef] = []
    counts: Counter[str] = Counter()
    for ref, changed in by_subject.items():
        row = known.get(ref)
        memory = memory_of(*row[:6]) if row else Memory(b"")
        after, changes = applied_row(ref, memory, bool(row and row[6]), changed)
        counts.update(changes)
        if after is None:
            gone.append(ref)
        else:
            rows.append(after)
    if rows:
        await db.execute(_REAPPLY, *columns(rows, 8), [None] * len(rows))
    if gone:
        await db.execute("delete from memory where subject = any($1::text[])", gone)
    # The numbers of what is applied are kept, so that no plan has to count it.
    if moved := [(scope, count) for scope, count in counts.items() if count]:
        await db.execute(_COUNT, *columns(moved, 2))


async def intend(db: Connection, entries: Iterable[Entry]) -> None:
    """Open lines of the journal."""
    rows = {(entry.plan, entry.key): journal_row(entry)._replace(done=False) for entry in entries}
    await db.execute(_INTEND, *columns(list(rows.values()), 10))


async def close_lines(db: Connection, entries: Sequence[Entry]) -> None:
    """Close lines of the journal."""
    if entries:
        await db.execute(_CLOSE, *columns([(entry.plan, entry.key, pack(entry)) for entry in entries], 3))


async def forget_lines(db: Connection, entries: Sequence[Entry]) -> None:
    """Drop lines of the journal."""
    sql = (
        "delete from journal using unnest($1::text[], $2::text[]) as line (plan, key) "
        "where journal.plan = line.plan and journal.key = line.key"
    )
    await db.execute(sql, *columns([(entry.plan, entry.key) for entry in entries], 2))


async def prune_journal(db: Connection) -> None:
    """Drop the closed lines of all but the newest runs: what is older can no longer be undone."""
    await db.execute(
        "delete from journal where done and at < $1 and plan not in "
        "(select plan from journal group by plan order by max(number) desc limit $2)",
        time.time() - JOURNAL_SECONDS,
        UNDOABLE_KEPT,
    )


async def keep(
    db: Connection, source: str, kept: Kept, rows: Mapping[EntityRef, bytes], gone: Iterable[EntityRef]
) -> None:
    """Remember what a source said; entities that are as they were keep the generation in which they last changed."""
    generation = await count_up(db, "generation", 1)
    sql = (
        "insert into source values ($1, $2, $3) on conflict (name) do update set digest = excluded.digest, "
        "kept = excluded.kept"
    )
    await db.execute(sql, source, kept.read_digest, pack(kept))
    await db.execute("delete from entity where source = $1 and ref = any($2::text[])", source, list(gone))
    await db.execute(_ENTITIES, source, list(rows), list(rows.values()), generation)


async def count_up(db: Connection, name: str, by: int) -> int:
    """Move a counter on; gives where it stands. Others wait for the end of the transaction, so that numbers show in
    their order.
    """
    return await db.fetchval("update counter set value = value + $2 where name = $1 returning value", name, by)
