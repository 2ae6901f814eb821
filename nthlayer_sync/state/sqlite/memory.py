"""The memory of one writer: the whole store's, or a worker's, whose writes are refused once its claims are lost."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import msgspec

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Entry, Kept, Memory, Planned, Recollection, Trace
from nthlayer_sync.sdk.work import Claim, Topic
from nthlayer_sync.state.records import (
    MEMORY,
    RECOLLECTED,
    Seen,
    by_scope,
    entry_of,
    journal_row,
    memory_of,
    pack,
    part_of,
    plan_of,
    recollection,
)
from nthlayer_sync.state.retention import JOURNAL_BETWEEN
from nthlayer_sync.state.sqlite.file import File
from nthlayer_sync.state.sqlite.leases import HELD, check, owners
from nthlayer_sync.state.sqlite.statements import (
    add_to_plan,
    begin_plan,
    end_plan,
    keep,
    next_generation,
    prune_journal,
    reapply,
)
from nthlayer_sync.state.sqlite.turn import Turn

_ROWS = 500
"""Rows fetched at once while streaming."""

_RECOLLECT = f"select {RECOLLECTED} from memory where subject = ?"

_OPEN = "select entry from journal where done = 0"
_CLAIMED = f"{_OPEN} and subject in (select value from json_each(?)) order by number"
_UNCLAIMED = (
    f"{_OPEN} and not exists (select 1 from work where topic = 'subject' and key = journal.subject and {HELD}) "
    "order by number"
)

_WRITTEN = (
    "select kind, owner, action, count(*) from journal as line where done and at >= ? and not (action = 'delete' "
    "and exists (select 1 from journal as arrival where arrival.subject = line.subject and arrival.plan = line.plan "
    "and arrival.kind = line.kind and arrival.name = line.name and arrival.action <> 'delete')) "
    "group by kind, owner, action"
)
"""A config that moves has a line for each of its places, and is one write."""

T = TypeVar("T")


class SqliteMemory:
    """A `Store` in a file that is open; `claims` fence it, None for the whole."""

    def __init__(self, file: File, claims: Sequence[Claim] | None, clock: Callable[[], float]) -> None:
        self._file = file
        self._claims = claims
        self._clock = clock
        self._seen: dict[str, Seen] = {}

    async def unsettled(self) -> int:
        """How many subjects have something to change, or kept, held or refused."""
        return int((await self._query("select count(*) from memory where not settled"))[0][0])

    async def traces(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Trace]:
        """The cheap half of the memory of some subjects, or of all."""
        sql = "select subject, fingerprint, settled, astray from memory"
        return dict(await self._of(sql, refs, lambda row: (row[0], Trace(row[1], bool(row[2]), bool(row[3])))))

    async def memories(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Memory]:
        """The memory of some subjects, or of all."""
        if refs is None:
            return {ref: memory async for ref, memory in self.each_memory()}
        return {EntityRef(row[0]): memory for row, memory in await self._of(MEMORY, refs, lambda r: (r, memory_of(*r)))}

    async def recollect(self, fingerprints: Mapping[EntityRef, bytes]) -> Recollection:
        """What planning of a few subjects rests on, by their fingerprints; b"" for those that are none now."""
        sql, parameters = self._open()

        def read(db: sqlite3.Connection) -> Recollection:
            db.execute("begin")  # all of it as it was at one time
            try:
                found = [db.execute(_RECOLLECT, (ref,)).fetchone() for ref in fingerprints]
                open = db.execute(f"select exists ({sql})", parameters).fetchone()[0]
                return recollection([row for row in found if row], fingerprints, bool(open))
            finally:
                db.execute("rollback")

        return await self._file.read(read)

    async def each_memory(self) -> AsyncIterator[tuple[EntityRef, Memory]]:
        """The memory of every subject, streamed in order of reference."""
        after = ""
        while rows := await self._query(
            f"{MEMORY} where subject > ? order by subject limit ?",
            (after, _ROWS),
            lambda row: (EntityRef(row[0]), memory_of(*row)),
        ):
            for row in rows:
                yield row
            after = rows[-1][0]

    async def called(self, uids: Collection[str]) -> list[EntityRef]:
        """Every subject that is remembered with one of these uids."""
        sql = "select subject from memory where uid <> '' and uid in (select value from json_each(?))"
        return await self._query(sql, (json.dumps(list(uids)),), lambda row: row[0])

    async def doubt(self, refs: Collection[EntityRef]) -> None:
        """Something live of these subjects may stand otherwise than remembered: they are astray, and not settled."""
        rows = [(ref,) for ref in refs]
        sql = "update memory set astray = 1, settled = 0 where subject = ?"
        await self._write(lambda db: db.executemany(sql, rows))

    async def existing(self) -> dict[str, int]:
        """How many configs are applied, by kind and by owner; "" counts all."""
        return dict(await self._query("select scope, count from existing"))

    async def kept(self, source: str) -> Kept | None:
        """What a source is held to have said; None before its first read."""

        def read(db: sqlite3.Connection) -> Kept | None:
            db.execute("begin")  # all of it as it was at one time
            try:
                row = db.execute("select kept from source where name = ?", (source,)).fetchone()
                if row is None:
                    return None
                generation = db.execute("select value from counter where name = 'generation'").fetchone()[0]
                before = self._seen.get(source, Seen())
                since = before.generation if before.generation <= generation else -1  # the file was put back
                refs = [ref for (ref,) in db.execute("select ref from entity where source = ? order by ref", (source,))]
                sql = "select ref, entity from entity where source = ? and generation > ?"
                new = dict(db.execute(sql, (source, since)))
                self._seen[source] = before.brought_up(generation, refs, new)
                return self._seen[source].within(row[0])
            finally:
                db.execute("rollback")

        return await self._file.read(read)

    async def read_digests(self) -> dict[str, str]:
        """The digest of each source's last read, "" where it has to be read again in any case."""
        return dict(await self._query("select name, digest from source"))

    async def keep(self, source: str, kept: Kept, changed: Collection[EntityRef] | None = None) -> None:
        """Remember what a source said; where only some entities changed or went, `changed` names them."""
        chosen = None if changed is None else set(changed)
        rows = [(e.ref, pack(e)) for e in kept.entities if chosen is None or e.ref in chosen]
        head = msgspec.structs.replace(kept, entities=())

        def write(db: sqlite3.Connection) -> None:
            known = chosen
            if known is None:
                known = {ref for (ref,) in db.execute("select ref from entity where source = ?", (source,))}
            keep(db, source, head, rows, known - {ref for ref, _ in rows})

        await self._write(write)

    async def drop(self, source: str) -> None:
        """Forget what a source said."""

        def write(db: sqlite3.Connection) -> None:
            next_generation(db)
            db.execute("delete from source where name = ?", (source,))
            db.execute("delete from entity where source = ?", (source,))

        await self._write(write)

    async def roots(self) -> dict[str, str]:
        """The state in which each root was last seen to hold what we applied."""
        return dict(await self._query("select name, state from root"))

    async def see_roots(self, states: Mapping[str, str]) -> None:
        """Remember the states of roots."""
        rows = list(states.items())
        await self._write(lambda db: db.executemany("insert or replace into root values (?, ?)", rows))

    async def save_plan(self, rows: AsyncIterable[Sequence[Planned]], head: Callable[[], Plan]) -> Plan:
        """Store a plan in one transaction: the rows as they are made, then the head that is only known behind them."""
        number = parts = 0
        waiting: Sequence[Planned] = ()

        def begin(db: sqlite3.Connection) -> int:
            db.execute("begin immediate")
            return begin_plan(db)

        def end(db: sqlite3.Connection, plan: Plan) -> None:
            last = number or begin(db)
            add_to_plan(db, last, waiting)
            end_plan(db, last, plan, parts)
            self._check(db)
            db.execute("commit")

        adding: asyncio.Task[None] | None = None
        async with AsyncExitStack() as stack:
            run = None  # a small plan is all made before anybody has to wait for it
            try:
                # One chunk is stored while the next is made; the last goes with the head.
                async for chunk in rows:
                    if waiting:
                        if adding is not None:
                            await adding
                        if run is None:
                            run = await stack.enter_async_context(self._file.writing())
                            number = await run(begin)
                        adding = asyncio.create_task(run(partial(add_to_plan, number=number, rows=waiting)))
                    waiting = chunk
                    parts += sum(row.part is not None for row in chunk)
                if adding is not None:
                    await adding
                plan = head()
                run = run or await stack.enter_async_context(self._file.writing())
                await run(partial(end, plan=plan))
            except BaseException:
                if adding is not None:
                    await asyncio.wait([adding])
                raise
        return plan

    async def plan(self, id: str) -> Plan | None:
        """A stored plan by its id, the newest for ""."""
        newest = "select head from plan order by number desc limit 1"
        sql = "select head from plan where id = ?" if id else newest
        rows = await self._query(sql, (id,) if id else (), lambda row: plan_of(row[0]))
        return rows[0] if rows else None

    async def parts(self, id: str) -> AsyncIterator[Part]:
        """The parts of a stored plan, in order of subject."""
        after = ""
        while rows := await self._query(
            "select subject, changes from part where plan = (select number from plan where id = ?) and subject > ? "
            "order by subject limit ?",
            (id, after, _ROWS),
            lambda row: (row[0], part_of(row[1])),
        ):
            for _, part in rows:
                yield part
            after = rows[-1][0]

    @asynccontextmanager
    async def applying(self) -> AsyncGenerator[None]:
        """Held while plans are applied. Workers apply side by side; who wants the whole applies alone, and gets a
        TemporaryError while somebody else applies.
        """
        whole = self._claims is None
        with Turn(self._file.path) as turn:
            if not turn.take(alone=whole):
                names = await self._file.read(lambda db: owners(db, self._clock())) if whole else []
                who = f"a daemon ({', '.join(names)})" if names else "another process"
                message = f"{who} is applying with the state in {self._file.path}; wait until it is done"
                raise TemporaryError(message, delay=10)
            if time.monotonic() - self._file.pruned > JOURNAL_BETWEEN:
                self._file.pruned = time.monotonic()
                await self._file.write(lambda db: prune_journal(db, self._clock()))
            yield

    async def intend(self, entries: Sequence[Entry]) -> None:
        """Write journal lines before the writes they announce."""
        rows = [journal_row(msgspec.structs.replace(entry, done=False)) for entry in entries]
        sql = (
            "insert or replace into journal (key, plan, entry, done, subject, kind, name, owner, action, at) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        await self._write(lambda db: db.executemany(sql, rows))

    async def finish(self, entries: Sequence[Entry], applied: Mapping[ConfigId, Applied | None]) -> None:
        """Close journal lines and remember what is applied now (None: the config is gone), together."""
        lines = [(pack(entry), entry.plan, entry.key) for entry in entries]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("update journal set entry = ?, done = 1 where plan = ? and key = ?", lines)
            reapply(db, applied)

        await self._write(write)

    async def forget_entries(self, entries: Sequence[Entry]) -> None:
        """Drop journal lines of writes that turned out never to have happened."""
        rows = [(entry.plan, entry.key) for entry in entries]
        await self._write(lambda db: db.executemany("delete from journal where plan = ? and key = ?", rows))

    async def journal(self, plan: str = "") -> list[Entry]:
        """The journal of one plan, or every open line when no plan is named, oldest first."""
        sql, parameters = self._open()
        if plan:
            sql, parameters = "select entry from journal where plan = ? order by number", (plan,)
        return await self._query(sql, parameters, lambda row: entry_of(row[0]))

    async def undoable(self, limit: int = 20) -> list[tuple[str, int]]:
        """The newest applied plans with how many writes each has in the journal."""
        sql = "select plan, count(*) from journal group by plan order by max(number) desc limit ?"
        return [(plan, count) for plan, count in await self._query(sql, (limit,))]

    async def written(self, since: float) -> dict[str, dict[str, int]]:
        """How many configs were written since then (seconds since 1970), by kind and by owner; "" counts all."""
        return by_scope(await self._query(_WRITTEN, (since,)))

    def _open(self) -> tuple[str, tuple[Any, ...] | dict[str, Any]]:
        """The query for the open lines of the journal that are ours to look at."""
        if self._claims is None:
            return _UNCLAIMED, {"now": self._clock()}
        claimed = [claim.key for claim in self._claims if claim.topic is Topic.SUBJECT]
        return _CLAIMED, (json.dumps(claimed),)

    def _check(self, db: sqlite3.Connection) -> None:
        """Refuse to go on where a claim is lost; in the transaction of the write, so that none slips through."""
        if self._claims is not None:
            check(db, self._claims, self._clock())

    async def _write(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        def fenced(db: sqlite3.Connection) -> None:
            self._check(db)
            work(db)

        await self._file.write(fenced)

    async def _of(
        self, sql: str, refs: Collection[EntityRef] | None, read: Callable[[tuple[Any, ...]], Any] = tuple
    ) -> list[Any]:
        """The rows of some subjects, or of all."""
        if refs is None:
            return await self._query(sql, (), read)
        one = f"{sql} where subject = ?"
        return await self._file.read(lambda db: [read(row) for ref in refs for row in db.execute(one, (ref,))])

    async def _query(
        self,
        sql: str,
        parameters: tuple[Any, ...] | dict[str, Any] = (),
        read: Callable[[tuple[Any, ...]], Any] = tuple,
    ) -> list[Any]:
        """The rows, each as `read` makes it; what cannot be read is damage."""
        return await self._file.read(lambda db: [read(row) for row in db.execute(sql, parameters)])
