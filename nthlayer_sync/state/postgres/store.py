"""The store of a daemon or a command, in a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event, Run, RunState
from nthlayer_sync.sdk.store import Store
from nthlayer_sync.sdk.work import Claim, Work
from nthlayer_sync.state.postgres.database import Database
from nthlayer_sync.state.postgres.leases import NOW
from nthlayer_sync.state.postgres.memory import PostgresMemory
from nthlayer_sync.state.postgres.statements import count_up
from nthlayer_sync.state.postgres.work import PostgresWork
from nthlayer_sync.state.records import entity_of, event_of, pack, part_of, plan_of, run_of
from nthlayer_sync.state.retention import EVENTS_KEPT, RUNS_KEPT

_STANDING = """
select coalesce(part_plan, plan.id), coalesce(memory.part, part.changes) from memory
left join plan on plan.number = memory.plan
left join part on part.plan = memory.plan and part.subject = memory.subject
where memory.plan is not null and coalesce(memory.part, part.changes) is not null and memory.subject > $1
    and ($2::text[] is null or memory.subject = any($2))
order by memory.subject limit $3
"""

_PIN = f"""
insert into note values ($1, $2, $3, $4) on conflict (topic, key) do update set note = excluded.note,
    until = excluded.until where $5 or note.until <= {NOW}
returning true
"""


class PostgresStore(PostgresMemory):
    """A `SharedStore` in a database. Use it as an async context manager; `url` has no password in it."""

    def __init__(self, url: str, password: str | None = None) -> None:
        super().__init__(Database(url, password), None)
        self.work: Work = PostgresWork(self._database)

    async def __aenter__(self) -> PostgresStore:
        """Connect, and bring the schema up to date; TemporaryError when the server cannot be reached."""
        try:
            await self._database.open()
        except BaseException:
            await self._database.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._database.close()

    def fenced(self, claims: Sequence[Claim]) -> Store:
        """The same memory, for who works on `claims`: its writes are refused once one of them is lost."""
        return PostgresMemory(self._database, claims)

    async def generation(self) -> int:
        """A number that grows whenever a source is kept or dropped."""
        return (await self._query("select value from counter where name = 'generation'"))[0][0]

    async def entity_marks(self, source: str) -> dict[EntityRef, int]:
        """The entities of a source, each with the generation in which it last changed."""
        return dict(await self._query("select ref, generation from entity where source = $1", source))

    async def entities(self, source: str, refs: Collection[EntityRef]) -> list[Entity]:
        """Some entities of a source."""
        sql = "select entity from entity where source = $1 and ref = any($2::text[]) order by ref"
        return await self._query(sql, source, list(refs), read=lambda row: entity_of(row[0]))

    async def open_parts(
        self, refs: Collection[EntityRef] | None = None, after: str = "", limit: int = 500
    ) -> list[tuple[str, Part]]:
        """What the last plan of each unsettled subject found, with that plan's id, in order of subject."""
        chosen = None if refs is None else list(refs)
        return await self._query(_STANDING, after, chosen, limit, read=lambda row: (row[0], part_of(row[1])))

    async def plans(self, before: int = 0, limit: int = 50) -> list[tuple[int, Plan]]:
        """Stored plans with their numbers, the newest first; `before` is a number to go on below."""
        sql = "select number, head from plan where $1 = 0 or number < $1 order by number desc limit $2"
        return await self._query(sql, before, limit, read=lambda row: (row[0], plan_of(row[1])))

    async def save_run(self, run: Run) -> None:
        """Remember a run, in place of what was remembered of it before."""
        async with self._database.transaction() as db:
            sql = "insert into run values ($1, $2) on conflict (id) do update set run = excluded.run"
            await db.execute(sql, run.id, pack(run))
            if run.state is not RunState.RUNNING:
                old = "delete from run where id <= (select id from run order by id desc limit 1 offset $1)"
                await db.execute(old, RUNS_KEPT)

    async def runs(self, before: str = "", limit: int = 50) -> list[Run]:
        """Runs, the newest first; `before` is an id to go on below."""
        sql = "select run from run where $1 = '' or id < $1 order by id desc limit $2"
        return await self._query(sql, before, limit, read=lambda row: run_of(row[0]))

    async def run(self, id: str) -> Run | None:
        """One run."""
        rows = await self._query("select run from run where id = $1", id, read=lambda row: run_of(row[0]))
        return rows[0] if rows else None

    async def record(self, events: Sequence[Event]) -> None:
        """Add events; the store numbers them, in the order in which they can be seen."""
        async with self._database.transaction() as db:
            last = await count_up(db, "event", len(events))
            numbers = list(range(last - len(events) + 1, last + 1))
            sql = "insert into event select * from unnest($1::bigint[], $2::bytea[])"
            await db.execute(sql, numbers, [pack(event) for event in events])
            await db.execute("delete from event where number <= $1", last - EVENTS_KEPT)

    async def events(self, after: int, limit: int = 500) -> list[Event]:
        """Events with higher numbers than `after`, the oldest first; a negative `after` gives the newest."""
        order = "desc" if after < 0 else ""
        sql = f"select number, event from event where number > $1 order by number {order} limit $2"
        found = await self._query(sql, after, limit, read=lambda row: event_of(row[1], row[0]))
        return found[::-1] if after < 0 else found

    async def notes(self, topic: str) -> dict[str, bytes]:
        """What people said that holds until they take it back or it runs out: pauses, approvals. By key."""
        return dict(await self._query(f"select key, note from note where topic = $1 and until > {NOW}", topic))

    async def pin(self, topic: str, key: str, note: bytes, until: float, *, replace: bool = True) -> bool:
        """Keep a note until then (seconds since 1970). Without `replace` one that is there stays, and False is said."""
        async with self._database.connected() as db:
            await db.execute(f"delete from note where until <= {NOW}")
            return await db.fetchval(_PIN, topic, key, note, until, replace) is not None

    async def unpin(self, topic: str, keys: Collection[str]) -> None:
        """Take notes back."""
        async with self._database.connected() as db:
            await db.execute("delete from note where topic = $1 and key = any($2::text[])", topic, list(keys))
