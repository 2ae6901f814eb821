"""Who wrote what, and when, held against who had the right to: by the sandbox's ledger and the history of the work set.

A tool does not know our tokens, so that nothing can stop a request that was sent in time and arrives late; TRANSIT is
what a request may take on its way through two busy processes. A replica that stood still for longer than its lease is
off by more than that.
"""

import asyncio
import json
import re
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from nthlayer_sync.sandbox.tool import Exchange
from tests.faults.daemon.crew import Crew
from tests.faults.daemon.driver import REPLICA
from tests.state.contract.conftest import Home

TRANSIT = 0.2
"""Seconds."""

_POSTGRES = (
    "create table history (number bigserial primary key, at float8, topic text, key text, owner text, token bigint)",
    """
create function tell() returns trigger language plpgsql as $$ begin
    if tg_op = 'DELETE' then
        insert into history (at, topic, key, owner, token)
            values (extract(epoch from clock_timestamp()), old.topic, old.key, '', old.token);
    elsif tg_op = 'INSERT' or (new.owner, new.token) is distinct from (old.owner, old.token) then
        insert into history (at, topic, key, owner, token)
            values (extract(epoch from clock_timestamp()), new.topic, new.key, new.owner, coalesce(new.token, 0));
    end if;
    return null;
end $$
""",
    "create trigger tell after insert or update or delete on work for each row execute function tell()",
)
_NOW = "(julianday('now') - 2440587.5) * 86400.0"
_SQLITE = (
    "create table history (number integer primary key, at real, topic text, key text, owner text, token integer)",
    "create trigger ended after delete on work begin insert into history (at, topic, key, owner, token) "
    f"values ({_NOW}, old.topic, old.key, '', old.token); end",
    "create trigger changed after update of owner, token on work begin insert into history (at, topic, key, owner, "
    f"token) values ({_NOW}, new.topic, new.key, new.owner, coalesce(new.token, 0)); end",
)


async def keep_history(home: Home) -> None:
    """From now on the store writes down who claims what."""
    for statement in _POSTGRES if home.engine == "postgres" else _SQLITE:
        await home.run(statement)


@dataclass(frozen=True)
class Write:
    """One request that changed something: by whom, when it was carried out, of which subject."""

    at: float
    replica: str
    subject: str
    method: str
    path: str


@dataclass(frozen=True)
class Tenure:
    """A time for which somebody held a key; `end` is when it was given back or taken over."""

    owner: str
    token: int
    begin: float
    end: float


@dataclass
class Judge:
    """Listens to the sandbox, and judges by what it heard."""

    home: Home
    writes: list[Write] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)

    def hear(self, exchange: Exchange) -> None:
        if exchange.method in ("GET", "HEAD") or exchange.reply.status >= 300:
            return
        if exchange.method == "DELETE":
            self.deletes.append(exchange.path)
        mark = re.search(rb"nthlayer-sync:default:(s?[a-z0-9]+)", exchange.body or b"")
        subject = mark[1].decode() if mark else "team"  # what has no mark is a member of it
        kind = "group" if subject == "team" else "component"
        replica = exchange.headers.get(REPLICA, "")
        self.writes.append(Write(time.time(), replica, f"{kind}:default/{subject}", exchange.method, exchange.path))

    async def tenures(self, topic: str) -> dict[str, list[Tenure]]:
        """Who held what, by key, in order."""
        rows = await self.home.run("select key, owner, token, at from history where topic = "
                                   f"'{topic}' order by number")  # fmt: skip
        by_key: dict[str, list[Any]] = defaultdict(list)
        for key, *row in rows:
            by_key[key].append(row)
        now = time.time() + 1e6
        return {
            key: [
                Tenure(owner, token, float(at), float(until))
                for (owner, token, at), (_, _, until) in pairwise([*found, ("", 0, now)])
                if owner
            ]
            for key, found in by_key.items()
        }

    async def one_writer(self) -> dict[str, int]:
        """Every write was made by who held its subject; gives how many writes and tenures there were.

        Of a holder whose subject was taken over no write came after it, and tokens only rise.
        """
        found = await self.tenures("subject")
        for tenures in found.values():
            assert all(a.token < b.token for a, b in pairwise(tenures)), "tokens rise"
        strangers, late = [], []
        for write in self.writes:
            tenures = found.get(write.subject, [])
            index = bisect_right(tenures, write.at, key=lambda t: t.begin) - 1
            holder = tenures[index] if index >= 0 else None
            if holder is not None and holder.owner == write.replica and write.at <= holder.end + TRANSIT:
                continue
            before = tenures[index - 1] if index >= 1 else None
            in_transit = before is not None and before.owner == write.replica and write.at <= before.end + TRANSIT
            (late if in_transit else strangers).append((write, before, holder))
        assert strangers == [], f"{len(strangers)} writes by who did not hold the subject: {strangers[:3]}"
        for write, before, holder in late:  # it was on its way; the new holder had not begun yet
            first = [w.at for w in self.writes if w.subject == write.subject and w.replica == holder.owner
                     and w.at >= holder.begin]  # fmt: skip
            assert not first or write.at <= min(first), f"{write} of {before} after the first write of {holder}"
        taken = sum(a.owner != b.owner for tenures in found.values() for a, b in pairwise(tenures))
        return {"writes": len(self.writes), "tenures": sum(map(len, found.values())), "handovers": taken,
                "in transit": len(late)}  # fmt: skip

    async def one_leader(self, looks: str, thawed: Collection[tuple[str, float]] = ()) -> int:
        """Whoever read the sources led at that time; gives how often the lead changed hands.

        Who was `thawed` (replica and time) may take a breath to see that it leads no longer; what it reads is refused.
        """
        (tenures,) = (await self.tenures("lead")).values()
        for line in looks.splitlines():
            at, replica = float(line.split()[0]), line.split()[1]
            index = bisect_right(tenures, at, key=lambda t: t.begin) - 1
            assert index >= 0
            holder = tenures[index]
            if any(name == replica and 0 <= at - when <= TRANSIT for name, when in thawed):
                continue
            assert holder.owner == replica, f"{replica} read the catalog at {at} while {holder} led"
            assert at <= holder.end + TRANSIT
        return sum(a.owner != b.owner for a, b in pairwise(tenures))


def live(sandbox: Any) -> tuple[dict[str, str], Counter[str]]:
    """What our services in the sandbox say, by name, and how often each object of ours is there."""
    services, objects = {}, Counter[str]()
    for name, collection in sandbox.pagerduty.collections.items():
        for item in collection.everything():
            text = json.dumps(item, ensure_ascii=False)
            if mark := re.search(r"nthlayer-sync:default:([^\"\]]+)", text):
                objects[f"{name} {mark[1]}"] += 1
                if name == "services":
                    services[item["name"]] = item["description"].partition("\n")[0]
    return services, objects


async def as_it_should_be(sandbox: Any, store: Any, said: dict[str, str], kept: int = 0) -> None:
    """The sandbox holds what the catalog says and nothing twice, and the state remembers each object there is.

    So many subjects are not settled, because something of theirs is kept as it is, remembered or not.
    """
    services, objects = live(sandbox)
    assert services == said
    assert [name for name, count in objects.items() if count > 1] == [], "twice"
    memories = await store.memories()
    remembered = sorted(applied.place.path for memory in memories.values() for applied in memory.applied)
    assert len(remembered) == len(set(remembered)), remembered
    assert len(objects) - kept <= len(remembered) <= len(objects), (remembered, objects)
    ids = {str(item[collection.shape.key]) for collection in sandbox.pagerduty.collections.values()
           for item in collection.everything()}  # fmt: skip
    assert {a.remote for memory in memories.values() for a in memory.applied} <= ids
    assert await store.unsettled() == kept
    assert await store.journal() == []


async def converged(crew: Crew, sandbox: Any, seconds: float) -> None:
    """Wait until everything is as it should be, and nothing is left to do."""
    end = time.monotonic() + seconds
    while True:
        await crew.at_rest(max(end - time.monotonic(), 0.1))
        try:
            return await as_it_should_be(sandbox, crew.store, crew.said)
        except AssertionError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)
