"""What must hold after every fault, told by the sandbox alone: its objects and its ledger of writes.

I1 nothing is deleted that was not proven gone, or that a person did not agree to
I2 no object is there twice
I3 no object of ours is forgotten, and nothing is remembered that is not there
I4 what is not ours is untouched
I5 two runs after the faults have stopped, all is as it should be
I6 and from then on nothing is written
I7 whatever is held, kept, refused or failed says why (`company.explained` looks at every plan)
I8 no secret is in anything that was written down
"""

import copy
import json
from collections import Counter
from collections.abc import Collection
from typing import Any

from nthlayer_sync.sandbox import Entry, Sandbox
from nthlayer_sync.sdk.rest.mark import WORD
from nthlayer_sync.state.sqlite import SqliteStore
from tests.faults.live.company import Company

Objects = dict[tuple[str, str, str], Any]
"""By tool, collection and id."""


class Invariants:
    """Remembers what was there before, and looks after each case."""

    def __init__(self, company: Company, sandbox: Sandbox) -> None:
        self._company = company
        self._sandbox = sandbox
        self._foreign = copy.deepcopy({at: item for at, item in objects(sandbox).items() if not ours(item)})
        self._at = len(sandbox.ledger.entries)

    def since(self) -> list[Entry]:
        """The writes that changed something since the last check."""
        return [entry for entry in self._sandbox.ledger.entries[self._at :] if entry.committed]

    def no_delete(self, but: Collection[str] = ()) -> None:
        """I1; `but` are the names of what may go."""
        deleted = [entry.name for entry in self.since() if entry.method == "DELETE" and entry.name not in but]
        assert deleted == [], "I1"

    async def check(self, gone: Collection[str] = (), *, settled: bool = True) -> None:
        """All of them, now that the faults have stopped; `settled` says that nothing is to be left for a person."""
        self.no_delete(gone)
        plan = None
        for _ in range(2):
            plan, _ = await self._company.tick()
        assert plan is not None
        before = len(self._sandbox.ledger.entries)
        plan, results = await self._company.tick()
        assert plan.writes == 0, f"I5: {plan.counts} {plan.refusals}"
        assert not settled or plan.counts == {}, f"I5: {plan.counts}"
        assert len(self._sandbox.ledger.entries) == before, f"I6: {self._sandbox.ledger.entries[before:]} {results}"
        await self.now(gone, settled=settled)

    async def now(self, gone: Collection[str] = (), *, settled: bool = True) -> None:
        """Those that hold at any moment without a run under way."""
        self.no_delete(gone)
        live = objects(self._sandbox)
        marks = Counter((tool, name, mark) for (tool, name, _), item in live.items() if (mark := ours(item)))
        assert [mark for mark, count in marks.items() if count > 1] == [], "I2"
        assert {at: live.get(at) for at in self._foreign} == self._foreign, "I4"
        await self._nothing_forgotten(live, settled)
        self.no_secret()
        self._at = len(self._sandbox.ledger.entries)

    async def _nothing_forgotten(self, live: Objects, settled: bool) -> None:
        async with SqliteStore(self._company.folder / "state.db") as store:
            memories = await store.memories()
            open = await store.journal()
        remembered = {a.remote for memory in memories.values() for a in memory.applied if a.remote}
        waiting = {entry.place.path.partition("/")[2] for entry in open}
        marked = {id: ours(item) for (_, _, id), item in live.items() if ours(item)}
        lost = [mark for id, mark in marked.items() if id not in remembered and key_of(mark) not in waiting]
        assert lost == [], f"I3: forgotten {lost}"
        assert not settled or remembered <= {id for _, _, id in live}, "I3: remembered, and not there"

    def no_secret(self) -> None:
        """I8, in state and ledger; what is printed is looked at by `test_secrets`."""
        secrets = [tool.token.encode() for tool in self._sandbox.tools.values() if tool.token]
        sinks = [path.read_bytes() for path in self._company.folder.glob("state.db*")]
        sinks += [repr(self._sandbox.ledger.entries[self._at :]).encode()]
        for secret in secrets:
            assert not any(secret in sink for sink in sinks), "I8"


def objects(sandbox: Sandbox) -> Objects:
    """Everything that is live."""
    return {
        (tool.name, name, str(item.get(collection.shape.key))): item
        for tool in sandbox.tools.values()
        for name, collection in tool.collections.items()
        for item in collection.everything()
    }


def ours(item: Any, instance: str = "default") -> str:
    """The mark of an installation in an object, "" when it bears none."""
    text = json.dumps(item, ensure_ascii=False)
    _, found, rest = text.partition(f"{WORD}:{instance}:")
    return found + rest.split('"')[0].split("]")[0] if found else ""


def key_of(mark: str) -> str:
    """The key in a mark."""
    return mark.rpartition(":")[2].replace("+", " ")
