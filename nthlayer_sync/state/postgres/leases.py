"""Who holds a key of the work set, by the clock of the server."""

from __future__ import annotations

from collections.abc import Sequence

from nthlayer_sync.sdk.work import Claim, Fenced
from nthlayer_sync.state.postgres.database import Connection

NOW = "extract(epoch from clock_timestamp())::float8"
HELD = f"work.owner <> '' and work.until > {NOW}"
"""Whether somebody holds a row of `work`."""

_HOLD = f"""
select work.topic, work.key from work join unnest($1::text[], $2::text[], $3::bigint[]) as claim (topic, key, token)
    on work.topic = claim.topic and work.key = claim.key and work.token = claim.token
where {HELD} order by work.topic, work.key for share of work
"""


async def check(db: Connection, claims: Sequence[Claim]) -> None:
    """Raise `Fenced` unless all claims are still ours; they stay so until the transaction ends."""
    held = {(row[0], row[1]) for row in await db.fetch(_HOLD, *claim_columns(claims))}
    for claim in claims:
        if (claim.topic, claim.key) not in held:
            raise Fenced(f"{claim.key} is no longer ours to write: its lease ran out, or another replica took it over")


def claim_columns(claims: Sequence[Claim]) -> tuple[list[str], list[str], list[int]]:
    """Topics, keys and tokens."""
    return [claim.topic for claim in claims], [claim.key for claim in claims], [claim.token for claim in claims]


def owners() -> tuple[str]:
    """The query for who works on subjects, or leads."""
    return (f"select distinct owner from work where topic in ('subject', 'lead') and {HELD} order by owner",)
