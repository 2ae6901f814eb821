"""kill -9 at every point and at any time: the next run finishes the work, once.

NTHLAYER_KILLS sets how many random deaths there are beside those at each known point.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.state.sqlite import SqliteStore
from tests.faults.house import House, git

ROOT = Path(__file__).parents[2]
RANDOM = int(os.environ.get("NTHLAYER_KILLS", "16"))

BEFORE = [(f"s{n}", "hello", f"u{n}") for n in range(6)]
AFTER = [
    ("s0", "hello", "u0"),
    ("s1", "new", "u1"),
    ("s2x", "hello", "u2"),
    ("s3", "none", "u3"),
    ("s6", "hello", "u6"),
]
AFTER += [("s5", "hello", "u5")]
CHANGE = {"services": AFTER, "gone": ["s4"], "deletes": 9}
"""s1 changes, s2 is renamed, s3 loses a file, s4 goes, s6 comes; s0 and s5 stay."""

POINTS = [
    ["store", method, when, 1]
    for method in ("keep", "save_plan", "see_roots", "intend", "finish")
    for when in ("before", "after")
] + [["target", "write", when, 1] for when in ("before", "after")]


class Driver:
    """The process that runs jobs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def run(self, folder: Path, die_after: float | None = None, **job: Any) -> int:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"folder": str(folder), **job}) + "\n")
        self._process.stdin.flush()
        child = self._answer()["pid"]
        if die_after is not None:
            time.sleep(die_after)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        return int(self._answer()["code"])

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture(scope="module")
def begun(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house in which the first services are settled."""
    folder = tmp_path_factory.mktemp("begun")
    House(folder).build()
    assert driver.run(folder, services=BEFORE) == 0
    return folder


@pytest.fixture(scope="module")
def undisturbed(driver: Driver, begun: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """What stands in the end when nothing goes wrong, and how long that takes."""
    folder = tmp_path_factory.mktemp("undisturbed") / "house"
    shutil.copytree(begun, folder)
    start = time.perf_counter()
    assert driver.run(folder, **CHANGE) == 0
    return House(folder).files(), time.perf_counter() - start


async def check(driver: Driver, folder: Path, wanted: dict[str, str]) -> None:
    """A new run finishes what was begun, and leaves each change in Git once."""
    assert driver.run(folder, **CHANGE) == 0, (folder / "log.txt").read_text()
    answer = json.loads((folder / "answer.json").read_text())
    assert "failed" not in answer["outcomes"], (folder / "log.txt").read_text()
    assert House(folder).files() == wanted

    assert driver.run(folder, **CHANGE) == 0
    assert json.loads((folder / "answer.json").read_text())["counts"] == {}
    touched = Counter(
        git("log", "--format=", "--name-only", "--no-renames", "nthlayer-sync", cwd=folder / "central.git").split()
    )
    changed = {"default/s1/whole.txt"} | {f"default/s2/{f}" for f in FILES} | {"default/s3/whole.txt"}
    changed |= {f"default/s4/{f}" for f in FILES}
    once = {path for path in touched if path not in changed}
    assert {path: count for path, count in touched.items() if path in once and count != 1} == {}
    assert {path: touched[path] for path in changed} == dict.fromkeys(changed, 2)
    assert git("fsck", "--strict", cwd=folder / "central.git") == ""
    async with SqliteStore(folder / "state.db") as store:
        assert await store.journal() == []
        applied = {a.place.path for memory in (await store.memories()).values() for a in memory.applied}
        assert applied == set(wanted)
        counts = await store.existing()
        assert counts[""] == len(wanted)


FILES = ("whole.txt", "block.md")


@pytest.mark.parametrize("point", POINTS, ids=[" ".join(map(str, point)) for point in POINTS])
async def test_death_at_a_point(driver: Driver, begun: Path, undisturbed, tmp_path: Path, point: list[Any]) -> None:
    folder = tmp_path / "house"
    shutil.copytree(begun, folder)
    assert driver.run(folder, **CHANGE, kill=point) == -signal.SIGKILL, (folder / "log.txt").read_text()
    await check(driver, folder, undisturbed[0])


@pytest.mark.parametrize("number", range(RANDOM))
async def test_death_at_any_time(driver: Driver, begun: Path, undisturbed, tmp_path: Path, number: int) -> None:
    wanted, duration = undisturbed
    folder = tmp_path / "house"
    shutil.copytree(begun, folder)
    chance = random.Random(number)
    for _ in range(2):
        driver.run(folder, die_after=chance.uniform(0, duration), **CHANGE)
    await check(driver, folder, wanted)


@pytest.mark.parametrize(
    "point",
    [pytest.param(point, id=" ".join(map(str, point))) for point in POINTS],
)
async def test_death_and_then_another_wish(driver: Driver, begun: Path, tmp_path: Path, point: list[Any]) -> None:
    """What an interrupted run wrote is not taken for a change by hand when something else is wanted by then."""
    folder = tmp_path / "house"
    shutil.copytree(begun, folder)
    driver.run(folder, **CHANGE, kill=point)
    later = {**CHANGE, "services": [(name, "newest", uid) for name, _, uid in AFTER]}
    assert driver.run(folder, **later) == 0
    assert driver.run(folder, **later) == 0
    assert json.loads((folder / "answer.json").read_text())["counts"] == {}
    files = House(folder).files()
    assert {text for path, text in files.items() if path.endswith("whole.txt")} == {"nthlayer-sync\nnewest\n"}
    assert len(files) == 2 * len(AFTER)
