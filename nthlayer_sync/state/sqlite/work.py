"""The work set in the state file."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence

from nthlayer_sync.sdk.work import Backlog, Claim, Topic
from nthlayer_sync.state.bell import Bell, heard
from nthlayer_sync.state.retention import ERROR_LENGTH
from nthlayer_sync.state.sqlite.file import File
from nthlayer_sync.state.sqlite.leases import HELD
from nthlayer_sync.state.sqlite.statements import count_up

POLL = 0.5
"""Seconds between two looks at the file, for what other processes asked; what this one asks wakes at once."""

_DUE = "(due <= :now or due > :now + delay)"
"""Whether a row is due; one that is due later than it was set ahead was set by a clock that went back since."""

_MINE = "topic = :topic and key = :key and token = :token and owner <> ''"

_ASK_LATER = f"""
update work set
    want = want + 1,
    next_asked = coalesce(next_asked, :now),
    next_why = coalesce(next_why, :why),
    next_delay = case when next_due <= :now + :delay then next_delay else :delay end,
    next_due = case when next_due <= :now + :delay then next_due else :now + :delay end
where topic = :topic and key = :key and {HELD}
"""

_ASK = """
insert into work (topic, key, want, asked, due, delay, why) values (:topic, :key, 1, :now, :now + :delay, :delay, :why)
on conflict (topic, key) do update set
    want = want + 1,
    delay = case when due <= :now + :delay then delay else :delay end,
    due = case when due <= :now + :delay then due else :now + :delay end
"""

_CLAIM = f"""
select key, want, asked, tries, why from work
where topic = :topic and {_DUE} and not ({HELD}) and (:among is null or key in (select value from json_each(:among)))
order by due, key limit :most
"""

# What was asked since the claim before, whose lease ran out, is served by this one.
_TAKE = """
update work set owner = :owner, token = :token, until = :now + :lease, length = :lease,
    next_asked = null, next_due = null, next_delay = null, next_why = null
where topic = :topic and key = :key
"""

_AGAIN = f"""
update work set owner = '', tries = 0, error = '', asked = coalesce(next_asked, :now), due = coalesce(next_due, due),
    delay = coalesce(next_delay, delay), why = coalesce(next_why, why),
    next_asked = null, next_due = null, next_delay = null, next_why = null
where {_MINE}
"""

_POSTPONE = f"""
update work set owner = '', tries = tries + 1, error = :error, due = :now + :delay, delay = :delay,
    next_asked = null, next_due = null, next_delay = null, next_why = null
where {_MINE}
"""

_RELEASE = f"""
update work set owner = '', due = min(due, :now),
    next_asked = null, next_due = null, next_delay = null, next_why = null
where {_MINE}
"""

_BACKLOG = f"""
select topic,
    sum(not ({HELD}) and {_DUE}),
    max(case when not ({HELD}) and {_DUE} then :now - due else 0 end),
    sum({HELD}),
    sum(not ({HELD}) and not {_DUE})
from work group by topic
"""

_NEXT = f"""
select min(case when {HELD} then max(until, due) when {_DUE} then :now else due end) - :now
from work where topic = :topic
"""


class SqliteWork:
    """The work set. Processes that share the file share it too."""

    def __init__(self, file: File, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        self._bell = Bell()

    async def ask(self, topic: Topic, keys: Iterable[str], why: str, delay: float = 0.0) -> None:
        """Ask for keys, to be done in `delay` seconds or sooner if somebody asked for sooner."""
        asked = list(dict.fromkeys(keys))

        def write(db: sqlite3.Connection) -> None:
            values = {"topic": topic, "why": why, "delay": delay, "now": self._clock()}
            for key in asked:
                if not db.execute(_ASK_LATER, {**values, "key": key}).rowcount:
                    db.execute(_ASK, {**values, "key": key})

        if asked:
            await self._file.write(write)
            self._bell.ring()

    async def claim(
        self, topic: Topic, owner: str, most: int, lease: float, among: Collection[str] | None = None
    ) -> list[Claim]:
        """Take up to `most` keys that are due and that nobody holds, the longest waiting first; of some, if named."""
        named = None if among is None else json.dumps(list(among))

        def write(db: sqlite3.Connection) -> list[Claim]:
            values = {"topic": topic, "owner": owner, "lease": lease, "most": most, "now": self._clock()}
            rows = db.execute(_CLAIM, {**values, "among": named}).fetchall()
            token = count_up(db, "token", len(rows)) - len(rows)
            claims: list[Claim] = []
            for key, want, asked, tries, why in rows:
                token += 1
                claims.append(Claim(topic=topic, key=key, token=token, want=want, asked=asked, tries=tries, why=why))
                db.execute(_TAKE, {**values, "key": key, "token": token})
            return claims

        return await self._file.write(write)

    async def renew(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """Hold them for `lease` seconds more; gives those that are lost. One that ran out is ours again, unless
        somebody else took it.
        """
        sql = f"update work set until = :now + :lease, length = :lease where {_MINE}"

        def write(db: sqlite3.Connection) -> list[Claim]:
            return [claim for claim in claims if not self._one(db, sql, claim, lease=lease)]

        return await self._file.write(write) if claims else []

    async def finish(self, claims: Sequence[Claim]) -> None:
        """They are done; one that was asked for meanwhile is due again. A claim that is lost is left out."""

        def write(db: sqlite3.Connection) -> None:
            for claim in claims:
                if not self._one(db, f"delete from work where {_MINE} and want = :want", claim, want=claim.want):
                    self._one(db, _AGAIN, claim)

        await self._give_back(claims, write)

    async def postpone(self, claims: Sequence[Claim], delay: float, error: str) -> None:
        """They failed: due again in `delay` seconds. A claim that is lost is left out."""

        def write(db: sqlite3.Connection) -> None:
            for claim in claims:
                self._one(db, _POSTPONE, claim, delay=delay, error=error[:ERROR_LENGTH])

        await self._give_back(claims, write)

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give them back undone: due at once, for anybody."""

        def write(db: sqlite3.Connection) -> None:
            for claim in claims:
                self._one(db, _RELEASE, claim)

        await self._give_back(claims, write)

    async def wait(self, topics: Collection[Topic], seconds: float) -> None:
        """Return when one of the topics may have something due, after so many seconds at the latest."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            rung = self._bell.next
            ahead = await self._file.read(lambda db: self._ahead(db, topics))
            left = end - loop.time()
            if ahead <= 0 or left <= 0:
                return
            await heard(rung, min(ahead, POLL, left))

    async def backlog(self) -> dict[Topic, Backlog]:
        """What waits, by topic."""
        now = {"now": self._clock()}
        rows = await self._file.read(lambda db: db.execute(_BACKLOG, now).fetchall())
        found = {
            Topic(topic): Backlog(due, max(oldest, 0.0), claimed, later) for topic, due, oldest, claimed, later in rows
        }
        return {topic: found.get(topic, Backlog(0, 0.0, 0)) for topic in Topic}

    async def errors(self, topic: Topic) -> dict[str, str]:
        """Why each key that failed last did so."""
        sql = "select key, error from work where topic = ? and error <> ''"
        return dict(await self._file.read(lambda db: db.execute(sql, (topic,)).fetchall()))

    async def _give_back(self, claims: Sequence[Claim], write: Callable[[sqlite3.Connection], None]) -> None:
        if claims:
            await self._file.write(write)
            self._bell.ring()

    def _one(self, db: sqlite3.Connection, sql: str, claim: Claim, **values: float | str) -> bool:
        """Change the row of a claim; False where it is lost."""
        mine = {"topic": claim.topic, "key": claim.key, "token": claim.token, "now": self._clock()}
        return bool(db.execute(sql, {**mine, **values}).rowcount)

    def _ahead(self, db: sqlite3.Connection, topics: Iterable[Topic]) -> float:
        """Seconds until something is due that nobody holds, infinite while nothing is."""
        found = [db.execute(_NEXT, {"topic": topic, "now": self._clock()}).fetchone()[0] for topic in topics]
        return min((seconds for seconds in found if seconds is not None), default=float("inf"))
