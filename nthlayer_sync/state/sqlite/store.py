"""The store of a daemon or a command, in one file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event, Run, RunState
from nthlayer_sync.sdk.store import Store
from nthlayer_sync.sdk.work import Claim, Work
from nthlayer_sync.state.records import entity_of, event_of, pack, part_of, plan_of, run_of
from nthlayer_sync.state.retention import EVENTS_KEPT, RUNS_KEPT
from nthlayer_sync.state.sqlite.file import File
from nthlayer_sync.state.sqlite.memory import SqliteMemory
from nthlayer_sync.state.sqlite.work import SqliteWork

_STANDING = """
select coalesce(part_plan, plan.id), coalesce(memory.part, part.changes) from memory
left join plan on plan.number = memory.plan
left join part on part.plan = memory.plan and part.subject = memory.subject
where memory.plan is not null and coalesce(memory.part, part.changes) is not null and memory.subject > :after {chosen}
order by memory.subject limit :limit
"""


class SqliteStore(SqliteMemory):
    """A `SharedStore` in one file. Use it as an async context manager. `clock` gives seconds since 1970."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        super().__init__(File(path), None, clock)
        self.work: Work = SqliteWork(self._file, clock)

    async def __aenter__(self) -> SqliteStore:
        """Open the file, making it when it is not there; PermanentError when it cannot be used."""
        await self._file.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file."""
        await self._file.close()

    def fenced(self, claims: Sequence[Claim]) -> Store:
        """The same memory, for who works on `claims`: its writes are refused once one of them is lost."""
        return SqliteMemory(self._file, claims, self._clock)

    async def generation(self) -> int:
        """A number that grows whenever a source is kept or dropped."""
        return int((await self._query("select value from counter where name = 'generation'"))[0][0])

    async def entity_marks(self, source: str) -> dict[EntityRef, int]:
        """The entities of a source, each with the generation in which it last changed."""
        return dict(await self._query("select ref, generation from entity where source = ?", (source,)))

    async def entities(self, source: str, refs: Collection[EntityRef]) -> list[Entity]:
        """Some entities of a source."""
        sql = "select entity from entity where source = ? and ref in (select value from json_each(?)) order by ref"
        return await self._query(sql, (source, json.dumps(list(refs))), lambda row: entity_of(row[0]))

    async def open_parts(
        self, refs: Collection[EntityRef] | None = None, after: str = "", limit: int = 500
    ) -> list[tuple[str, Part]]:
        """What the last plan of each unsettled subject found, with that plan's id, in order of subject."""
        chosen = "and memory.subject in (select value from json_each(:refs))" if refs is not None else ""
        values = {"refs": json.dumps(list(refs or ())), "after": after, "limit": limit}
        return await self._query(_STANDING.format(chosen=chosen), values, lambda row: (row[0], part_of(row[1])))

    async def plans(self, before: int = 0, limit: int = 50) -> list[tuple[int, Plan]]:
        """Stored plans with their numbers, the newest first; `before` is a number to go on below."""
        sql = "select number, head from plan where ?1 = 0 or number < ?1 order by number desc limit ?2"
        return await self._query(sql, (before, limit), lambda row: (row[0], plan_of(row[1])))

    async def save_run(self, run: Run) -> None:
        """Remember a run, in place of what was remembered of it before."""

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "insert into run (id, run) values (?1, ?2) on conflict (id) do update set run = ?2", (run.id, pack(run))
            )
            if run.state is not RunState.RUNNING:
                db.execute(
                    "delete from run where id <= (select id from run order by id desc limit 1 offset ?)", (RUNS_KEPT,)
                )

        await self._file.write(write)

    async def runs(self, before: str = "", limit: int = 50) -> list[Run]:
        """Runs, the newest first; `before` is an id to go on below."""
        sql = "select run from run where ?1 = '' or id < ?1 order by id desc limit ?2"
        return await self._query(sql, (before, limit), lambda row: run_of(row[0]))

    async def run(self, id: str) -> Run | None:
        """One run."""
        rows = await self._query("select run from run where id = ?", (id,), lambda row: run_of(row[0]))
        return rows[0] if rows else None

    async def record(self, events: Sequence[Event]) -> None:
        """Add events; the store numbers them."""
        rows = [(pack(event),) for event in events]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("insert into event (event) values (?)", rows)
            db.execute("delete from event where number <= (select max(number) from event) - ?", (EVENTS_KEPT,))

        await self._file.write(write)

    async def events(self, after: int, limit: int = 500) -> list[Event]:
        """Events with higher numbers than `after`, the oldest first; a negative `after` gives the newest."""
        sql = f"select number, event from event where number > ? order by number {'desc' if after < 0 else ''} limit ?"
        found = await self._query(sql, (after, limit), lambda row: event_of(row[1], row[0]))
        return found[::-1] if after < 0 else found

    async def notes(self, topic: str) -> dict[str, bytes]:
        """What people said that holds until they take it back or it runs out: pauses, approvals. By key."""
        return dict(
            await self._query("select key, note from note where topic = ? and until > ?", (topic, self._clock()))
        )

    async def pin(self, topic: str, key: str, note: bytes, until: float, *, replace: bool = True) -> bool:
        """Keep a note until then (seconds since 1970). Without `replace` one that is there stays, and False is said."""

        def write(db: sqlite3.Connection) -> bool:
            db.execute("delete from note where until <= ?", (self._clock(),))
            word = "replace" if replace else "ignore"
            return bool(
                db.execute(f"insert or {word} into note values (?, ?, ?, ?)", (topic, key, note, until)).rowcount
            )

        return await self._file.write(write)

    async def unpin(self, topic: str, keys: Collection[str]) -> None:
        """Take notes back."""
        rows = [(topic, key) for key in keys]
        await self._file.write(lambda db: db.executemany("delete from note where topic = ? and key = ?", rows))
