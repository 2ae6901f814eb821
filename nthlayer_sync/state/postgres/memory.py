"""The memory of one writer: the whole store's, or a worker's, whose writes are refused once its claims are lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Entry, Kept, Memory, Planned, Recollection, Trace
from nthlayer_sync.sdk.work import Claim, Topic
from nthlayer_sync.state.postgres.database import Connection, Database, explained
from nthlayer_sync.state.postgres.leases import HELD, check, owners
from nthlayer_sync.state.postgres.statements import (
    add_to_plan,
    close_lines,
    count_up,
    end_plan,
    forget_lines,
    intend,
    keep,
    new_plan,
    prune_journal,
    reapply,
)
from nthlayer_sync.state.records import (
    MEMORY,
    RECOLLECTED,
    Seen,
    by_scope,
    entry_of,
    memory_of,
    pack,
    part_of,
    plan_of,
    recollection,
)
from nthlayer_sync.state.retention import JOURNAL_BETWEEN

_ROWS = 500
"""Rows fetched at once while streaming."""

# In one statement, which sees all of it as it was at one time. Where the database was put back, all of it is read.
_KEPT = """
with now as (select value from counter where name = 'generation'),
    new as (select ref, entity from entity, now where source = $1 and (generation > $2 or value < $2))
select kept, value, array(select ref from entity where source = $1 order by ref),
    array(select ref from new order by ref), array(select entity from new order by ref)
from source, now where name = $1
"""

_OPEN = "select entry from journal where not done"
_CLAIMED = f"{_OPEN} and subject = any($1::text[]) order by number"
_UNCLAIMED = (
    f"{_OPEN} and not exists (select 1 from work where topic = 'subject' and key = journal.subject and {HELD}) "
    "order by number"
)

_WRITTEN = (
    "select kind, owner, action, count(*) from journal as line where done and at >= $1 and not (action = 'delete' "
    "and exists (select 1 from journal as arrival where arrival.subject = line.subject and arrival.plan = line.plan "
    "and arrival.kind = line.kind and arrival.name = line.name and arrival.action <> 'delete')) "
    "group by kind, owner, action"
)
"""A config that moves has a line for each of its places, and is one write."""

_SEE = (
    "insert into root select * from unnest($1::text[], $2::text[]) order by 1 "
    "on conflict (name) do update set state = excluded.state"
)


class PostgresMemory:
    """A `Store` in a database that is open; `claims` fence it, None for the whole."""

    def __init__(self, database: Database, claims: Sequence[Claim] | None) -> None:
        self._database = database
        self._claims = claims
        self._turn: Connection | None = None
        self._seen: dict[str, Seen] = {}

    async def unsettled(self) -> int:
        """How many subjects have something to change, or kept, held or refused."""
        return (await self._query("select count(*) from memory where not settled"))[0][0]

    async def traces(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Trace]:
        """The cheap half of the memory of some subjects, or of all."""
        rows = await self._of("select subject, fingerprint, settled, astray from memory", refs)
        return {EntityRef(ref): Trace(print, settled, astray) for ref, print, settled, astray in rows}

    async def memories(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Memory]:
        """The memory of some subjects, or of all."""
        if refs is None:
            return {ref: memory async for ref, memory in self.each_memory()}
        return dict(await self._of(MEMORY, refs, lambda row: (row[0], memory_of(*row))))

    async def recollect(self, fingerprints: Mapping[EntityRef, bytes]) -> Recollection:
        """What planning of a few subjects rests on, by their fingerprints; b"" for those that are none now."""
        open, values = self._open()
        sql = (  # one statement, which sees all of it as it was at one time
            f"select open, {RECOLLECTED} from (select exists ({open}) as open) as journal "
            f"left join memory on subject = any(${len(values) + 1}::text[])"
        )
        rows = await self._query(sql, *values, list(fingerprints))
        with explained():
            return recollection([row[1:] for row in rows if row[1] is not None], fingerprints, rows[0][0])

    async def called(self, uids: Collection[str]) -> list[EntityRef]:
        """Every subject that is remembered with one of these uids."""
        sql = "select subject from memory where uid <> '' and uid = any($1::text[])"
        return await self._query(sql, list(uids), read=lambda row: row[0])

    async def each_memory(self) -> AsyncIterator[tuple[EntityRef, Memory]]:
        """The memory of every subject, streamed in order of reference."""
        after = ""
        sql = f"{MEMORY} where subject > $1 order by subject limit $2"
        while rows := await self._query(sql, after, _ROWS, read=lambda row: (EntityRef(row[0]), memory_of(*row))):
            for row in rows:
                yield row
            after = rows[-1][0]

    async def doubt(self, refs: Collection[EntityRef]) -> None:
        """Something live of these subjects may stand otherwise than remembered: they are astray, and not settled."""
        async with self._writing() as db:
            sql = "update memory set astray = true, settled = false where subject = any($1::text[])"
            await db.execute(sql, list(refs))

    async def existing(self) -> dict[str, int]:
        """How many configs are applied, by kind and by owner; "" counts all."""
        return dict(await self._query("select scope, count from existing"))

    async def kept(self, source: str) -> Kept | None:
        """What a source is held to have said; None before its first read."""
        before = self._seen.get(source, Seen())
        rows = await self._query(_KEPT, source, before.generation)
        if not rows:
            return None
        head, generation, refs, changed, entities = rows[0]
        with explained():
            seen = before.brought_up(generation, refs, dict(zip(changed, entities, strict=True)))
            self._seen[source] = seen
            return seen.within(head)

    async def read_digests(self) -> dict[str, str]:
        """The digest of each source's last read, "" where it has to be read again in any case."""
        return dict(await self._query("select name, digest from source"))

    async def keep(self, source: str, kept: Kept, changed: Collection[EntityRef] | None = None) -> None:
        """Remember what a source said; where only some entities changed or went, `changed` names them."""
        chosen = None if changed is None else set(changed)
        rows = {e.ref: pack(e) for e in kept.entities if chosen is None or e.ref in chosen}
        async with self._writing() as db:
            if chosen is None:
                chosen = {row[0] for row in await db.fetch("select ref from entity where source = $1", source)}
            await keep(db, source, msgspec.structs.replace(kept, entities=()), rows, chosen - rows.keys())

    async def drop(self, source: str) -> None:
        """Forget what a source said."""
        async with self._writing() as db:
            await count_up(db, "generation", 1)
            await db.execute("delete from source where name = $1", source)
            await db.execute("delete from entity where source = $1", source)

    async def roots(self) -> dict[str, str]:
        """The state in which each root was last seen to hold what we applied."""
        return dict(await self._query("select name, state from root"))

    async def see_roots(self, states: Mapping[str, str]) -> None:
        """Remember the states of roots."""
        async with self._writing() as db:
            await db.execute(_SEE, list(states), list(states.values()))

    async def save_plan(self, rows: AsyncIterable[Sequence[Planned]], head: Callable[[], Plan]) -> Plan:
        """Store a plan in one transaction: the rows as they are made, then the head that is only known behind them.

        The claims are checked last, so that nobody who asks for a subject waits while its plan is made.
        """
        number: int | None = None
        parts = 0
        waiting: Sequence[Planned] = ()
        adding: asyncio.Task[None] | None = None

        async def add(db: Connection, number: int, rows: Sequence[Planned]) -> None:
            with explained():
                await add_to_plan(db, number, rows)

        async with AsyncExitStack() as stack:
            db = None  # a small plan is all made before it takes a connection
            try:
                # One chunk is stored while the next is made; the last goes with the head.
                async for chunk in rows:
                    if waiting:
                        if adding is not None:
                            await adding
                        db = db or await stack.enter_async_context(self._database.around())
                        with explained():
                            number = number or await new_plan(db)
                        adding = asyncio.create_task(add(db, number, waiting))
                    waiting = chunk
                    parts += sum(row.part is not None for row in chunk)
                if adding is not None:
                    await adding
                plan = head()
                db = db or await stack.enter_async_context(self._database.around())
                with explained():
                    await self._check(db)
                    number = await end_plan(db, number, plan, parts)
                await add(db, number, waiting)
            except BaseException:
                if adding is not None:
                    await asyncio.wait([adding])
                raise
        return plan

    async def plan(self, id: str) -> Plan | None:
        """A stored plan by its id, the newest for ""."""
        sql = "select head from plan where $1 = '' or id = $1 order by number desc limit 1"
        if id:
            sql = "select head from plan where id = $1 order by number desc limit 1"
        rows = await self._query(sql, id, read=lambda row: plan_of(row[0]))
        return rows[0] if rows else None

    async def parts(self, id: str) -> AsyncIterator[Part]:
        """The parts of a stored plan, in order of subject."""
        after = ""
        sql = (
            "select subject, changes from part where plan = (select max(number) from plan where id = $1) "
            "and subject > $2 order by subject limit $3"
        )
        while rows := await self._query(sql, id, after, _ROWS, read=lambda row: (row[0], part_of(row[1]))):
            for _, part in rows:
                yield part
            after = rows[-1][0]

    @asynccontextmanager
    async def applying(self) -> AsyncGenerator[None]:
        """Held while plans are applied. Workers apply side by side; who wants the whole applies alone, and gets a
        TemporaryError while somebody else applies. When the connection is lost, nothing more is written.
        """
        whole = self._claims is None
        async with self._database.turn(alone=whole) as turn:
            if turn is None:
                names = await self._query(*owners()) if whole else []
                who = f"a daemon ({', '.join(row[0] for row in names)})" if names else "another process"
                raise TemporaryError(f"{who} is applying with this state; wait until it is done", delay=10)
            if time.monotonic() - self._database.pruned > JOURNAL_BETWEEN:
                self._database.pruned = time.monotonic()
                async with self._database.transaction() as db:
                    await prune_journal(db)
            self._turn = turn
            try:
                yield
            finally:
                self._turn = None

    async def intend(self, entries: Sequence[Entry]) -> None:
        """Write journal lines before the writes they announce."""
        async with self._writing() as db:
            await intend(db, entries)

    async def finish(self, entries: Sequence[Entry], applied: Mapping[ConfigId, Applied | None]) -> None:
        """Close journal lines and remember what is applied now (None: the config is gone), together."""
        async with self._writing() as db:
            await close_lines(db, entries)
            await reapply(db, applied)

    async def forget_entries(self, entries: Sequence[Entry]) -> None:
        """Drop journal lines of writes that turned out never to have happened."""
        async with self._writing() as db:
            await forget_lines(db, entries)

    async def journal(self, plan: str = "") -> list[Entry]:
        """The journal of one plan, or every open line when no plan is named, oldest first."""
        sql, values = self._open()
        if plan:
            sql, values = "select entry from journal where plan = $1 order by number", [plan]
        return await self._query(sql, *values, read=lambda row: entry_of(row[0]))

    async def undoable(self, limit: int = 20) -> list[tuple[str, int]]:
        """The newest applied plans with how many writes each has in the journal."""
        sql = "select plan, count(*) from journal group by plan order by max(number) desc limit $1"
        return [(plan, count) for plan, count in await self._query(sql, limit)]

    async def written(self, since: float) -> dict[str, dict[str, int]]:
        """How many configs were written since then (seconds since 1970), by kind and by owner; "" counts all."""
        return by_scope([tuple(row) for row in await self._query(_WRITTEN, since)])

    def _open(self) -> tuple[str, list[Any]]:
        """The query for the open lines of the journal that are ours to look at."""
        if self._claims is None:
            return _UNCLAIMED, []
        return _CLAIMED, [[claim.key for claim in self._claims if claim.topic is Topic.SUBJECT]]

    async def _check(self, db: Connection) -> None:
        """Refuse to go on where a claim or the turn is lost; in the transaction of the write, so that none slips by."""
        if self._turn is not None and self._turn.is_closed():
            raise TemporaryError("the connection to PostgreSQL was lost, and with it the turn to apply", delay=5)
        if self._claims is not None:
            await check(db, self._claims)

    @asynccontextmanager
    async def _writing(self) -> AsyncGenerator[Connection]:
        async with self._database.transaction() as db:
            await self._check(db)
            yield db

    async def _of(self, sql: str, refs: Collection[EntityRef] | None, read: Callable[[Any], Any] = tuple) -> list[Any]:
        """The rows of some subjects, or of all."""
        if refs is None:
            return await self._query(sql, read=read)
        return await self._query(f"{sql} where subject = any($1::text[])", list(refs), read=read)

    async def _query(self, sql: str, *values: Any, read: Callable[[Any], Any] = tuple) -> list[Any]:
        """The rows, each as `read` makes it; what cannot be read is damage."""
        async with self._database.connected() as db:
            rows = await db.fetch(sql, *values)
        with explained():
            return [read(row) for row in rows]
