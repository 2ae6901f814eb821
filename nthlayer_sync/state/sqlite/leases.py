"""Who holds a key of the work set, by the clock of this machine.

A lease is over when its end has come. It is over as well when it ends later than its own length from now: then the
clock was set back, and nobody can tell how long ago it was taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from nthlayer_sync.sdk.work import Claim, Fenced

HELD = "owner <> '' and until > :now and until <= :now + length"
"""Whether somebody holds a row of `work`."""


def check(db: sqlite3.Connection, claims: Sequence[Claim], now: float) -> None:
    """Raise `Fenced` unless all claims are still ours."""
    sql = f"select 1 from work where topic = :topic and key = :key and token = :token and {HELD}"
    for claim in claims:
        mine = {"topic": claim.topic, "key": claim.key, "token": claim.token, "now": now}
        if db.execute(sql, mine).fetchone() is None:
            raise Fenced(f"{claim.key} is no longer ours to write: its lease ran out, or another replica took it over")


def owners(db: sqlite3.Connection, now: float) -> list[str]:
    """Who works on subjects, or leads."""
    sql = f"select distinct owner from work where topic in ('subject', 'lead') and {HELD} order by owner"
    return [owner for (owner,) in db.execute(sql, {"now": now})]
