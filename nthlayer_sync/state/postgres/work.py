"""The work set in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.work import Backlog, Claim, Topic
from nthlayer_sync.state.bell import Bell, heard
from nthlayer_sync.state.postgres.database import CHANNEL, Connection, Database
from nthlayer_sync.state.postgres.leases import HELD, NOW, claim_columns
from nthlayer_sync.state.retention import ERROR_LENGTH

POLL = 1.0
"""Seconds between two looks at the database: a message that something was asked may be lost with its connection."""

_CLOCK = f"clock as materialized (select {NOW} as now)"
_TELL = f"select pg_notify('{CHANNEL}', '')"

# Rows are taken in the order of their keys everywhere, so that no two transactions wait for each other. `asked` of the
# new row is the time.
_ASK = f"""
with {_CLOCK}, wanted as (
    insert into work (topic, key, want, asked, due, why)
    select $1, key, 1, now, now + $3, $4 from unnest($2::text[]) as key, clock order by key
    on conflict (topic, key) do update set
        want = work.want + 1,
        due = case when work.owner <> '' and work.until > excluded.asked then work.due
            else least(work.due, excluded.due) end,
        next_asked = case when work.owner <> '' and work.until > excluded.asked
            then coalesce(work.next_asked, excluded.asked) end,
        next_due = case when work.owner <> '' and work.until > excluded.asked
            then least(work.next_due, excluded.due) end,
        next_why = case when work.owner <> '' and work.until > excluded.asked
            then coalesce(work.next_why, excluded.why) end
)
{_TELL}
"""

# What was asked since the claim before, whose lease ran out, is served by this one.
_CLAIM = f"""
with {_CLOCK}, free as (
    select key from work
    where topic = $1 and due <= (select now from clock)
        and (owner = '' or until <= (select now from clock)) and ($5::text[] is null or key = any($5))
    order by due, key limit $3 for update skip locked
)
update work set owner = $2, token = nextval('work_token'), until = (select now from clock) + $4,
    next_asked = null, next_due = null, next_why = null
from free where work.topic = $1 and work.key = free.key
returning work.key, token, want, asked, tries, why, due
"""

_MINE = """
from unnest($1::text[], $2::text[], $3::bigint[]) as claim (topic, key, token)
where work.topic = claim.topic and work.key = claim.key and work.token = claim.token and work.owner <> ''
"""

_LOCK = """
select work.topic, work.key, work.want from work
join unnest($1::text[], $2::text[], $3::bigint[]) as claim (topic, key, token)
    on work.topic = claim.topic and work.key = claim.key and work.token = claim.token
where work.owner <> '' order by work.topic, work.key for update of work
"""

_RENEW = f"update work set until = {NOW} + $4 {_MINE}"

_DONE = """
delete from work using unnest($1::text[], $2::text[]) as done (topic, key)
where work.topic = done.topic and work.key = done.key
"""

_AGAIN = f"""
update work set owner = '', tries = 0, error = '', asked = coalesce(next_asked, {NOW}), due = coalesce(next_due, due),
    why = coalesce(next_why, why), next_asked = null, next_due = null, next_why = null {_MINE}
"""

_POSTPONE = f"""
update work set owner = '', tries = tries + 1, error = $5, due = {NOW} + $4,
    next_asked = null, next_due = null, next_why = null {_MINE}
"""

_RELEASE = f"""
update work set owner = '', due = least(due, {NOW}), next_asked = null, next_due = null, next_why = null {_MINE}
"""

_BACKLOG = f"""
with {_CLOCK}, state as (
    select topic, due, now, owner <> '' and until > now as held, due <= now as ready from work, clock
)
select topic, count(*) filter (where not held and ready), coalesce(max(now - due) filter (where not held and ready), 0),
    count(*) filter (where held), count(*) filter (where not held and not ready)
from state group by topic
"""

_AHEAD = f"""
select min(case when {HELD} then greatest(until, due) else due end) - {NOW} from work where topic = any($1::text[])
"""


class PostgresWork:
    """The work set, shared by all replicas."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bell = Bell()

    async def ask(self, topic: Topic, keys: Iterable[str], why: str, delay: float = 0.0) -> None:
        """Ask for keys, to be done in `delay` seconds or sooner if somebody asked for sooner."""
        if asked := sorted(set(keys)):
            async with self._database.connected() as db:
                await db.execute(_ASK, topic, asked, delay, why)
            self._bell.ring()

    async def claim(
        self, topic: Topic, owner: str, most: int, lease: float, among: Collection[str] | None = None
    ) -> list[Claim]:
        """Take up to `most` keys that are due and that nobody holds, the longest waiting first; of some, if named."""
        async with self._database.connected() as db:
            rows = await db.fetch(_CLAIM, topic, owner, most, lease, None if among is None else list(among))
        return [
            Claim(topic=topic, key=key, token=token, want=want, asked=asked, tries=tries, why=why)
            for key, token, want, asked, tries, why, _ in sorted(rows, key=lambda row: (row["due"], row["key"]))
        ]

    async def renew(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """Hold them for `lease` seconds more; gives those that are lost. One that ran out is ours again, unless
        somebody else took it.
        """
        if not claims:
            return []
        async with self._database.transaction() as db:
            held = await _lock(db, claims)
            await db.execute(_RENEW, *claim_columns(claims), lease)
        return [claim for claim in claims if (claim.topic, claim.key) not in held]

    async def finish(self, claims: Sequence[Claim]) -> None:
        """They are done; one that was asked for meanwhile is due again. A claim that is lost is left out."""
        if not claims:
            return
        async with self._database.transaction() as db:
            held = await _lock(db, claims)
            served = [claim for claim in claims if held.get((claim.topic, claim.key)) == claim.want]
            again = [claim for claim in claims if held.get((claim.topic, claim.key), 0) > claim.want]
            if served:
                await db.execute(_DONE, *claim_columns(served)[:2])
            if again:
                await db.execute(_AGAIN, *claim_columns(again))
                await db.execute(_TELL)
        self._bell.ring()

    async def postpone(self, claims: Sequence[Claim], delay: float, error: str) -> None:
        """They failed: due again in `delay` seconds. A claim that is lost is left out."""
        await self._give_back(claims, _POSTPONE, delay, error[:ERROR_LENGTH].replace("\0", ""))

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give them back undone: due at once, for anybody."""
        await self._give_back(claims, _RELEASE)

    async def wait(self, topics: Collection[Topic], seconds: float) -> None:
        """Return when one of the topics may have something due, after so many seconds at the latest."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        with suppress(TemporaryError):  # looking goes on
            await self._database.listen(self._bell.ring)
        while True:
            rung = self._bell.next
            async with self._database.connected() as db:
                ahead: float | None = await db.fetchval(_AHEAD, list(topics))
            left = end - loop.time()
            if left <= 0 or (ahead is not None and ahead <= 0):
                return
            await heard(rung, min(POLL, left) if ahead is None else min(ahead, POLL, left))

    async def backlog(self) -> dict[Topic, Backlog]:
        """What waits, by topic."""
        async with self._database.connected() as db:
            rows = await db.fetch(_BACKLOG)
        found = {Topic(topic): Backlog(due, oldest, claimed, later) for topic, due, oldest, claimed, later in rows}
        return {topic: found.get(topic, Backlog(0, 0.0, 0)) for topic in Topic}

    async def errors(self, topic: Topic) -> dict[str, str]:
        """Why each key that failed last did so."""
        async with self._database.connected() as db:
            rows = await db.fetch("select key, error from work where topic = $1 and error <> ''", topic)
        return {row[0]: row[1] for row in rows}

    async def _give_back(self, claims: Sequence[Claim], sql: str, *values: float | str) -> None:
        if not claims:
            return
        async with self._database.transaction() as db:
            await _lock(db, claims)
            await db.execute(sql, *claim_columns(claims), *values)
            await db.execute(_TELL)
        self._bell.ring()


async def _lock(db: Connection, claims: Sequence[Claim]) -> dict[tuple[str, str], int]:
    """How often each key was asked for whose claim is not lost; they stay as they are until the transaction ends."""
    return {(topic, key): want for topic, key, want in await db.fetch(_LOCK, *claim_columns(claims))}
