"""Random lives of a few services: people edit, wishes change, writes fail before or after they happen.

NTHLAYER_STEPS multiplies how many lives are lived.
"""

import asyncio
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.state.sqlite import SqliteStore
from tests.engine.conftest import House, git

NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["one", "two", "none", "bad"])
FOLDERS = st.sampled_from(["x", "y", "z"])
MANY = Consent(deletes=99, updates=99)
FOREIGN = "foreign/whole.txt"


class Failing:
    """A target that raises before or after it really wrote, as a crash would leave it."""

    def __init__(self, target: Any, *, after: bool) -> None:
        self._target, self._after = target, after
        self.restore = target.restore  # a protocol looks for what an object says it has

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    async def write(self, batch: Any, key: str) -> Any:
        if self._after:
            await self._target.write(batch, key)
        raise TemporaryError("the connection broke")


class Life(RuleBasedStateMachine):
    """Our side and the people's, against one repository."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        folder = Path(self.folder.name)
        git("init", "-q", "--bare", "-b", "main", "central.git", cwd=folder)
        self.store = SqliteStore(folder / "state.db")
        self.go(self.store.__aenter__())
        self.house = House(folder, self.store)
        self.house.commit_first(FOREIGN, "not yours\n")
        self.notes: set[str] = set()
        self.applied = ""
        self.deleted_before = 0

    def teardown(self) -> None:
        self.go(self.store.__aexit__())
        self.runner.close()
        self.folder.cleanup()

    def go(self, work: Any) -> Any:
        return self.runner.run(work)

    @property
    def branch(self) -> str:
        heads = git("branch", "--list", "nthlayer-sync", cwd=self.house.remote)
        return "nthlayer-sync" if heads.strip() else "main"

    def files(self) -> dict[str, str]:
        names = self.house.git_files(self.branch)
        return {name: self.house.file(name, self.branch) for name in names}

    @rule(name=NAMES, text=TEXTS, title=st.sampled_from(["T1", "T2"]), folder=FOLDERS)
    def wish(self, name: str, text: str, title: str, folder: str) -> None:
        central = {"root": str(self.house.remote), "folder": f"{folder}/{name}"}
        self.house.service(name, text, title, central=central)
        self.house.uids[EntityRef(f"component:default/{name}")] = f"u-{name}"
        self.house.present = {*self.house.services}

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        self.house.services.pop(EntityRef(f"component:default/{name}"), None)
        self.house.present = {*self.house.services, EntityRef("component:default/nobody")}

    @rule(data=st.data(), how=st.sampled_from(["around", "inside", "remove"]))
    def people_edit(self, data: st.DataObject, how: str) -> None:
        files = sorted(path for path in self.files() if path != FOREIGN)
        if not files:
            return
        path = data.draw(st.sampled_from(files))
        text = self.house.file(path, self.branch)
        if how == "around" and path.endswith(".md"):
            note = f"note {len(self.notes)}"
            self.notes.add(note)
            self.house.commit(path, f"{note}\n{text}", self.branch)
        elif how == "inside" and MARK in text:
            self.house.commit(path, text.replace("T1", "T9").replace("one", "nine") + " ", self.branch)
        elif how == "remove":
            self.notes -= {line for line in text.splitlines() if line.startswith("note ")}
            self.house.commit(path, None, self.branch)

    @rule(consent=st.booleans(), enforce=st.booleans(), fail=st.sampled_from(["", "", "", "before", "after"]))
    def run(self, consent: bool, enforce: bool, fail: str) -> None:
        house = self.house
        files = self.files()
        plan = self.go(house.plan(consent=MANY if consent else Consent(), enforce=enforce))
        assert self.files() == files, "planning wrote something"
        if plan.refusals:
            try:
                self.go(house.apply(plan))
            except PermanentError:
                assert self.files() == files
                return
            raise AssertionError("a refused plan was applied")
        house.wrap = (lambda target: Failing(target, after=fail == "after")) if fail else (lambda target: target)
        results = self.go(house.apply(plan))
        house.wrap = lambda target: target
        self.applied = plan.id if any(r.outcome == "done" for r in results) else self.applied
        assert all(r.reason for r in results if r.outcome == "failed")
        assert not [r for r in results if "bug" in r.reason]

    @precondition(lambda self: self.applied)
    @rule()
    def undo(self) -> None:
        id, self.applied = self.applied, ""
        try:
            results = self.go(undo(self.store, self.house.generator(), id))
        except PermanentError:
            return
        assert not [r for r in results if "bug" in r.reason]

    @rule()
    def settle(self) -> None:
        """Once nobody disturbs it, two runs bring everything about, and a third has nothing to do."""
        for _ in range(2):
            self.go(self.house.apply(self.go(self.house.plan(consent=MANY, enforce=True))))
        plan = self.go(self.house.plan(enforce=True))
        changes = self.go(self.house.changes(plan))
        assert not {c.action for c in changes.values()} - {"refuse"}, changes
        assert all(change.reason == "a bad description" for change in changes.values())
        files = self.files()
        for service in self.house.services.values():
            assert service.central is not None
            path = f"{service.central.folder}/whole.txt"
            if service.description in ("one", "two"):
                assert files[path] == f"{MARK}\n{service.description}\n"
            elif service.description == "none":
                assert path not in files
            assert f"\n{service.title}\n" in files[f"{service.central.folder}/block.md"]

    @invariant()
    def what_is_of_people_stays(self) -> None:
        files = self.files()
        assert files[FOREIGN] == "not yours\n"
        texts = "\n".join(files.values()).splitlines()
        assert self.notes <= set(texts)
        assert all(texts.count(note) == 1 for note in self.notes)

    @invariant()
    def nothing_of_ours_is_forgotten(self) -> None:
        known = self.go(self.store.memories())
        places = Counter(applied.place.path for memory in known.values() for applied in memory.applied)
        assert all(count == 1 for count in places.values()), places
        if not self.go(self.store.journal()):
            ours = {path for path, text in self.files().items() if MARK in text}
            assert ours <= places.keys(), ours - places.keys()
        counts = self.go(self.store.existing())
        assert counts.get("", 0) == places.total()


TIMES = int(os.environ.get("NTHLAYER_STEPS", "1"))
TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=30 * TIMES, stateful_step_count=12, deadline=None, derandomize=TIMES == 1,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
