"""The work set does what a model of a few lines does, whatever happens in whichever order."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from nthlayer_sync.sdk.work import Backlog, Claim, Topic
from nthlayer_sync.state.sqlite import SqliteStore

LEASE = 30.0
SUBJECT = Topic.SUBJECT
keys = strategies.sampled_from("abcd")
waits = strategies.sampled_from([0.0, 0.0, 10.0, 40.0])


@dataclass
class Row:
    """What the model knows of a key: when it is due, when it is due again, and who holds it until when."""

    due: float
    again: float | None = None
    token: int = 0
    until: float = 0.0


class WorkSet(RuleBasedStateMachine):
    claims = Bundle("claims")

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.now = 1_800_000_000.0
        self.rows: dict[str, Row] = {}
        self.newest = 0
        self.store = SqliteStore(Path(self.folder.name) / "state.db", lambda: self.now)
        self.do(self.store.__aenter__())

    def teardown(self) -> None:
        self.do(self.store.__aexit__())
        self.runner.close()
        self.folder.cleanup()

    def do(self, what: Any) -> Any:
        return self.runner.run(what)

    def held(self, row: Row) -> bool:
        return bool(row.token) and row.until > self.now

    def mine(self, claim: Claim) -> Row | None:
        row = self.rows.get(claim.key)
        return row if row and row.token == claim.token else None

    @rule(seconds=strategies.sampled_from([1.0, 15.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(key=keys, delay=waits)
    def ask(self, key: str, delay: float) -> None:
        self.do(self.store.work.ask(SUBJECT, [key], "", delay))
        due = self.now + delay
        row = self.rows.setdefault(key, Row(due))
        if self.held(row):
            row.again = due if row.again is None else min(row.again, due)
        else:
            row.due = min(row.due, due)

    @rule(target=claims, most=strategies.integers(1, 4))
    def claim(self, most: int) -> Any:
        found = self.do(self.store.work.claim(SUBJECT, "a", most, LEASE))
        free = [(row.due, key) for key, row in self.rows.items() if row.due <= self.now and not self.held(row)]
        assert [claim.key for claim in found] == [key for _, key in sorted(free)[:most]]
        for claim in found:
            assert claim.token > self.newest
            self.newest = claim.token
            row = self.rows[claim.key]
            row.token, row.until, row.again = claim.token, self.now + LEASE, None
        return multiple(*found)

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        row = self.mine(claim)
        assert self.do(self.store.work.renew([claim], LEASE)) == ([] if row else [claim])
        if row:
            row.until = self.now + LEASE

    @rule(claim=consumes(claims))
    def finish(self, claim: Claim) -> None:
        want = self.do(self.store._file.read(lambda db: dict(db.execute("select key, want from work").fetchall())))
        self.do(self.store.work.finish([claim]))
        if row := self.mine(claim):
            if want[claim.key] == claim.want:
                del self.rows[claim.key]
            else:
                row.token, row.due, row.again = 0, row.due if row.again is None else row.again, None

    @rule(claim=consumes(claims), delay=waits)
    def postpone(self, claim: Claim, delay: float) -> None:
        self.do(self.store.work.postpone([claim], delay, "no"))
        if row := self.mine(claim):
            row.token, row.due, row.again = 0, self.now + delay, None

    @rule(claim=consumes(claims))
    def release(self, claim: Claim) -> None:
        self.do(self.store.work.release([claim]))
        if row := self.mine(claim):
            row.token, row.due, row.again = 0, min(row.due, self.now), None

    @invariant()
    def the_backlog_is_the_same(self) -> None:
        if not hasattr(self, "store"):
            return
        held = [row for row in self.rows.values() if self.held(row)]
        free = [row.due for row in self.rows.values() if not self.held(row)]
        due = [at for at in free if at <= self.now]
        oldest = self.now - min(due, default=self.now)
        expected = Backlog(len(due), oldest, len(held), len(free) - len(due))
        assert self.do(self.store.work.backlog())[SUBJECT] == expected


TestWorkSet = WorkSet.TestCase
TestWorkSet.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
