"""kill -9 at every journal point, at every request and at any time: nothing is lost, doubled or forgotten.

The company wishes for one of two things in turn, so that every case creates, updates and deletes. A case is a run that
is killed, perhaps twice, a run that finishes the work, one that finds nothing to do, and the invariants.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.faults.live.company import FULL, Company, settings_of
from tests.faults.live.invariants import Invariants

ROOT = Path(__file__).parents[3]
PARTS, KILLS = (4, 500) if FULL else (1, 26)
SETTLED = 60.0
"""Seconds after which everything shows that was made."""

STAYS = [(f"stays{n}", "hello") for n in range(2)]
WISHES = (
    [*STAYS, *((f"one{n}", "hello") for n in range(3)), *((f"changes{n}", "old") for n in range(3))],
    [*STAYS, *((f"two{n}", "hello") for n in range(3)), *((f"changes{n}", "new") for n in range(3))],
)
TOUCHED = 9
"""Objects that differ between the two: three go, three come, three change."""

Point = tuple[str, str, int]
POINTS: list[Point] = [
    (method, when, nth)
    for method, times in (("keep", 1), ("save_plan", 1), ("see_roots", 3), ("intend", 3), ("finish", 3), ("request", 9))
    for when in ("before", "after")
    for nth in range(1, times + 1)
]


class Driver:
    """The process that runs jobs; the sandbox answers meanwhile."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, die_after: float | None = None, **job: Any) -> int:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        child = (await self._answer())["pid"]
        if die_after is not None:
            await asyncio.sleep(die_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return (await self._answer())["code"]

    async def _answer(self) -> dict[str, int]:
        assert self._process.stdout
        return json.loads(await self._process.stdout.readline())


@pytest.fixture
def reach(sandbox: Sandbox) -> dict[str, Any]:
    """The secret is in the environment from now on."""
    return {"pagerduty": settings_of(sandbox.pagerduty)}


@pytest.fixture
async def driver(reach: dict[str, Any]) -> AsyncIterator[Driver]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.live.driver", cwd=ROOT, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    yield Driver(process)
    assert process.stdin
    process.stdin.close()
    await process.wait()


class Case:
    """A company that is killed again and again."""

    def __init__(self, driver: Driver, company: Company, sandbox: Sandbox) -> None:
        self.driver = driver
        self.company = company
        self.sandbox = sandbox
        self.turn = 0
        self.now = 1_800_000_000.0
        self.invariants = Invariants(company, sandbox)

    async def run(self, ticks: int, **how: Any) -> int:
        """Runs that wish for the present thing, the first one now and each after the other has settled."""
        wish = WISHES[self.turn % 2]
        gone = sorted({name for name, _ in WISHES[1 - self.turn % 2]} - {name for name, _ in wish}) if self.turn else []
        reach = {name: dict(words) for name, words in self.company.reach.items()}
        times = [self.now + SETTLED * number for number in range(ticks)]
        code = await self.driver.run(
            folder=str(self.company.folder), reach=reach, services=wish, gone=gone, ticks=times, **how
        )
        self.now = times[-1] + 1
        return code

    async def settle(self) -> None:
        """Finish the work, and look at all of it."""
        log = self.company.folder / "log.txt"
        assert await self.run(3) == 0, log.read_text()[-4000:]
        answer = json.loads((self.company.folder / "answer.json").read_text())
        assert answer["counts"][-1] == {}, answer
        touched = Counter(
            (entry.collection, entry.name) for entry in self.invariants.since() if entry.collection == "services"
        )
        assert {name: count for name, count in touched.items() if count != 1} == {}, "each is written once"
        assert not self.turn or len(touched) == TOUCHED
        names = {item["name"] for item in self.sandbox.pagerduty.snapshot()["services"]}
        assert names == {name for name, _ in WISHES[self.turn % 2]}
        wanted = {name for name, _ in WISHES[self.turn % 2]}
        await self.invariants.now({name for wish in WISHES for name, _ in wish} - wanted)
        self.now += SETTLED

    def next(self) -> None:
        self.turn += 1


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
async def test_kills(tmp_path: Path, sandbox: Sandbox, driver: Driver, reach: dict[str, Any], part: int) -> None:
    case = Case(driver, Company(tmp_path, reach), sandbox)
    assert await case.run(1) == 0
    await case.settle()
    case.next()
    start = time.perf_counter()
    assert await case.run(1) == 0
    duration = time.perf_counter() - start
    await case.settle()

    chance = random.Random(part)
    points = iter(POINTS[part::PARTS] if FULL else chance.sample(POINTS, KILLS // 2))
    died = tried = 0
    while died < KILLS / PARTS:
        case.next()
        tried += 1
        if (point := next(points, None)) is not None:
            died += await case.run(1, kill=point) == -signal.SIGKILL
        else:
            for _ in range(chance.choice((1, 1, 2))):
                died += await case.run(1, die_after=chance.uniform(0, duration)) == -signal.SIGKILL
        await case.settle()
    print(f"crashes against live tools: {died} deaths in {tried} runs, nothing lost, doubled or forgotten")


@pytest.mark.timeout(300)
async def test_kills_while_all_is_new(tmp_path: Path, sandbox: Sandbox, driver: Driver, reach: dict[str, Any]) -> None:
    """What takes several requests to make is finished by the next run, and no other is made."""
    for nth in range(1, 11 if FULL else 5):
        for when in ("before", "after"):
            sandbox.reset()
            folder = tmp_path / f"{nth} {when}"
            folder.mkdir()
            case = Case(driver, Company(folder, reach), sandbox)
            code = await case.run(1, kill=["request", when, nth])
            assert code == -signal.SIGKILL, f"{when} {nth}: {(folder / 'answer.json').read_text()}"
            await case.settle()
