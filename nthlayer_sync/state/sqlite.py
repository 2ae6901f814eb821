"""Memory in one SQLite file: durable at every commit, readable while it is written."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Applied, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import Entry, Kept, Memory, Planned, Trace
from nthlayer_sync.state.statements import (
    MEMORY,
    add_to_plan,
    begin_plan,
    end_plan,
    memory_of,
    open_database,
    pack,
    prune_journal,
    reapply,
    roll_back,
    transaction,
    write_rows,
)

_ROWS = 500
"""Rows fetched at once while streaming."""

_plan = msgspec.msgpack.Decoder(Plan)
_part = msgspec.msgpack.Decoder(Part)
_entry = msgspec.msgpack.Decoder(Entry)
_kept = msgspec.msgpack.Decoder(Kept)
_entity = msgspec.msgpack.Decoder(Entity)

T = TypeVar("T")


class SqliteStore:
    """A `Store` in one file. Use it as an async context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")
        self._writing = asyncio.Lock()
        self._db: sqlite3.Connection | None = None

    async def __aenter__(self) -> SqliteStore:
        """Open the file, making it when it is not there; PermanentError when it cannot be used."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = await asyncio.get_running_loop().run_in_executor(self._thread, open_database, self.path)
        except (OSError, sqlite3.Error) as error:
            self._thread.shutdown()
            raise PermanentError(
                f"the state in {self.path} cannot be used ({error}); restore a copy, or remove the file: what is live "
                "is then found again by its marks, and nothing is deleted before that"
            ) from error
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file."""
        if self._db is not None:
            await self._run(sqlite3.Connection.close)
            self._db = None
        self._thread.shutdown()

    async def unsettled(self) -> int:
        """How many subjects have something to change, or kept, held or refused."""
        return int((await self._query("select count(*) from memory where not settled"))[0][0])

    async def traces(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Trace]:
        """The cheap half of the memory of some subjects, or of all."""
        sql = "select subject, fingerprint, settled, astray from memory"
        if refs is None:
            rows = await self._query(sql)
        else:
            rows = await self._run(
                lambda db: [row for ref in refs for row in db.execute(f"{sql} where subject = ?", (ref,))]
            )
        return {EntityRef(ref): Trace(print, bool(settled), bool(astray)) for ref, print, settled, astray in rows}

    async def memories(self, refs: Collection[EntityRef] | None = None) -> dict[EntityRef, Memory]:
        """The memory of some subjects, or of all."""
        if refs is None:
            return {ref: memory async for ref, memory in self.each_memory()}

        def read(db: sqlite3.Connection) -> dict[EntityRef, Memory]:
            found: dict[EntityRef, Memory] = {}
            for ref in refs:
                row = db.execute(f"{MEMORY} where subject = ?", (ref,)).fetchone()
                if row:
                    found[ref] = memory_of(*row)
            return found

        return await self._run(read)

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

    async def existing(self) -> dict[str, int]:
        """How many configs are applied, by kind and by owner; "" counts all."""
        return dict(await self._query("select scope, count from existing"))

    async def kept(self, source: str) -> Kept | None:
        """What a source is held to have said; None before its first read."""

        def read(db: sqlite3.Connection) -> Kept | None:
            row = db.execute("select kept from source where name = ?", (source,)).fetchone()
            if row is None:
                return None
            entities = db.execute("select entity from entity where source = ? order by ref", (source,))
            return msgspec.structs.replace(
                _kept.decode(row[0]), entities=tuple([_entity.decode(entity) for (entity,) in entities])
            )

        return await self._run(read)

    async def read_digests(self) -> dict[str, str]:
        """The digest of each source's last read, "" where it has to be read again in any case."""
        return dict(await self._query("select name, digest from source"))

    async def keep(self, source: str, kept: Kept, changed: Collection[EntityRef] | None = None) -> None:
        """Remember what a source said; where only some entities changed or went, `changed` names them."""
        head = (source, kept.read_digest, pack(msgspec.structs.replace(kept, entities=())))
        chosen = None if changed is None else set(changed)
        rows = [(source, e.ref, pack(e)) for e in kept.entities if chosen is None or e.ref in chosen]

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("insert or replace into source values (?, ?, ?)", head)
                if chosen is None:
                    db.execute("delete from entity where source = ?", (source,))
                else:
                    db.executemany("delete from entity where source = ? and ref = ?", [(source, r) for r in chosen])
                db.executemany("insert into entity values (?, ?, ?)", rows)

        async with self._writing:
            await self._run(write)

    async def drop(self, source: str) -> None:
        """Forget what a source said."""

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("delete from source where name = ?", (source,))
                db.execute("delete from entity where source = ?", (source,))

        async with self._writing:
            await self._run(write)

    async def roots(self) -> dict[str, str]:
        """The state in which each root was last seen to hold what we applied."""
        return dict(await self._query("select name, state from root"))

    async def see_roots(self, states: Mapping[str, str]) -> None:
        """Remember the states of roots."""
        async with self._writing:
            await self._run(
                lambda db: write_rows(db, "insert or replace into root values (?, ?)", list(states.items()))
            )

    async def save_plan(self, rows: AsyncIterable[Sequence[Planned]], head: Callable[[], Plan]) -> Plan:
        """Store a plan in one transaction: the rows as they are made, then the head that is only known behind them."""
        async with self._writing:
            number = 0
            waiting: Sequence[Planned] = ()
            adding: asyncio.Task[None] | None = None
            try:
                # One chunk is stored while the next is made; the last goes with the head, which is all of a small plan.
                async for chunk in rows:
                    if waiting:
                        number = number or await self._run(begin_plan)
                        if adding is not None:
                            await adding
                        work = partial(add_to_plan, number=number, rows=waiting)
                        adding = asyncio.create_task(self._run(work))
                    waiting = chunk
                if adding is not None:
                    await adding
                plan = head()
                await self._run(lambda db: end_plan(db, number or begin_plan(db), waiting, plan))
            except BaseException:
                if adding is not None:
                    await asyncio.wait([adding])
                await self._run(roll_back)
                raise
        return plan

    async def plan(self, id: str) -> Plan | None:
        """A stored plan by its id, the newest for ""."""
        newest = "select head from plan order by number desc limit 1"
        sql = "select head from plan where id = ?" if id else newest
        rows = await self._query(sql, (id,) if id else (), lambda row: _plan.decode(row[0]))
        return rows[0] if rows else None

    async def parts(self, id: str) -> AsyncIterator[Part]:
        """The parts of a stored plan, in order of subject."""
        after = ""
        while rows := await self._query(
            "select subject, changes from part where plan = (select number from plan where id = ?) and subject > ? "
            "order by subject limit ?",
            (id, after, _ROWS),
            lambda row: (row[0], _part.decode(row[1])),
        ):
            for _, part in rows:
                yield part
            after = rows[-1][0]

    @asynccontextmanager
    async def applying(self) -> AsyncGenerator[None]:
        """Held while plans are applied: TemporaryError when another process holds it."""
        with self.path.with_name(f"{self.path.name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"another process is applying with the state in {self.path}; wait until it is done"
                raise TemporaryError(message, delay=10) from None
            async with self._writing:
                await self._run(prune_journal)
            yield

    async def intend(self, entries: Sequence[Entry]) -> None:
        """Write journal lines before the writes they announce."""
        rows = [(entry.key, entry.plan, pack(entry), 0) for entry in entries]
        sql = "insert or replace into journal (key, plan, entry, done) values (?, ?, ?, ?)"
        async with self._writing:
            await self._run(lambda db: write_rows(db, sql, rows))

    async def finish(self, entries: Sequence[Entry], applied: Mapping[ConfigId, Applied | None]) -> None:
        """Close journal lines and remember what is applied now (None: the config is gone), together."""
        by_subject: dict[EntityRef, dict[tuple[str, str], Applied | None]] = {}
        for id, config in applied.items():
            by_subject.setdefault(id.subject, {})[id.kind, id.name] = config

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.executemany(
                    "update journal set entry = ?, done = 1 where plan = ? and key = ?",
                    [(pack(entry), entry.plan, entry.key) for entry in entries],
                )
                for ref, changed in by_subject.items():
                    reapply(db, ref, changed)

        async with self._writing:
            await self._run(write)

    async def forget_entries(self, entries: Sequence[Entry]) -> None:
        """Drop journal lines of writes that turned out never to have happened."""
        rows = [(entry.plan, entry.key) for entry in entries]
        async with self._writing:
            await self._run(lambda db: write_rows(db, "delete from journal where plan = ? and key = ?", rows))

    async def journal(self, plan: str = "") -> list[Entry]:
        """The journal of one plan, or every open line when no plan is named, oldest first."""
        sql = "select entry from journal where done = 0 order by number"
        if plan:
            sql = "select entry from journal where plan = ? order by number"
        parameters = (plan,) if plan else ()
        return await self._query(sql, parameters, lambda row: _entry.decode(row[0]))

    async def runs(self, limit: int = 20) -> list[tuple[str, int]]:
        """The newest applied plans with how many writes each has in the journal."""
        return [
            (plan, count)
            for plan, count in await self._query(
                "select plan, count(*) from journal group by plan order by max(number) desc limit ?", (limit,)
            )
        ]

    async def _query(
        self, sql: str, parameters: tuple[Any, ...] = (), read: Callable[[tuple[Any, ...]], Any] = tuple
    ) -> list[Any]:
        """The rows, each as `read` makes it; what cannot be read is damage."""
        return await self._run(lambda db: [read(row) for row in db.execute(sql, parameters)])

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the thread that owns the connection."""
        if self._db is None:
            raise RuntimeError("the store is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._db)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise TemporaryError(f"another process is writing to {self.path}", delay=1) from error
            raise PermanentError(f"the state in {self.path} cannot be written: {error}") from error
        except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PermanentError(f"the state in {self.path} is damaged: {error}") from error
