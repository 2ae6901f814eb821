"""Replicas die, freeze and lose their database while everything changes: one writer each, one leader, nothing lost."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.faults.daemon.crew import LEASE, Crew, until
from tests.faults.daemon.judge import Judge, converged
from tests.faults.daemon.proxy import Proxy
from tests.faults.live.company import FULL

NAMES = ("one", "two", "three", "four")
SECONDS = 60.0 if FULL else 6.0
"""For which everything changes and breaks."""
SUBJECTS = 100 if FULL else 40
CONVERGED = 25.0
"""Seconds after the last fault, at most, until everything is as it should be."""
TURNS = 3 if FULL else 1
SEED = os.environ.get("NTHLAYER_SEED")
"""What happens is drawn anew each time; a seed that was printed brings it back, as far as the machine lets it."""


@pytest.fixture
async def proxies(crew: Crew, server: Any) -> AsyncIterator[dict[str, Proxy]]:
    """A way to the database for each replica, that can be cut."""
    async with AsyncExitStack() as stack:
        found: dict[str, Proxy] = {}
        for name in NAMES:
            proxy = await stack.enter_async_context(Proxy(f"{server.pgdata}/.s.PGSQL.5432").running())
            found[name] = proxy
            database = crew.home.address.partition("?")[0].rpartition("/")[2]
            crew.addresses[name] = f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}?sslmode=disable"
        yield found


class Chaos:
    """Does one bad thing after another."""

    def __init__(self, crew: Crew, proxies: dict[str, Proxy], dice: random.Random) -> None:
        self._crew, self._proxies, self._dice = crew, proxies, dice
        self.done: list[str] = []

    async def rage(self, names: tuple[str, ...], seconds: float) -> None:
        end = time.monotonic() + seconds
        deeds = [self._kill, self._freeze, self._terminate, self._cut]
        self._dice.shuffle(deeds)
        while time.monotonic() < end:
            deed = deeds[len(self.done) % len(deeds)]
            name = self._dice.choice(names)
            if leader := await self._crew.leader():
                name = self._dice.choice([name, leader])
            self.done.append(f"{deed.__name__} {name}")
            await deed(name)
            await asyncio.sleep(self._dice.uniform(0.2, 0.8))

    async def _kill(self, name: str) -> None:
        await self._crew.kill(name)
        await asyncio.sleep(self._dice.uniform(0, LEASE))
        await self._crew.start(name)

    async def _freeze(self, name: str) -> None:
        self._crew.freeze(name)
        await asyncio.sleep(LEASE + self._dice.uniform(0.8, 1.5))
        self._crew.thaw(name)

    async def _terminate(self, name: str) -> None:
        await self._crew.home.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nthlayer-sync' and "
            f"client_addr is not null and random() < {self._dice.uniform(0.3, 1.0)}"
        )

    async def _cut(self, name: str) -> None:
        self._proxies[name].cut()
        await asyncio.sleep(self._dice.uniform(0.5, 1.5) * LEASE)
        self._proxies[name].mend(reset=self._dice.random() < 0.5)


async def edit(crew: Crew, dice: random.Random) -> None:
    """The catalog changes all the time, and each change is told."""
    turn = 0
    while True:
        turn += 1
        said = dict(crew.said)
        for name in dice.sample(sorted(said), 2):
            said[name] = f"turn {turn}"
        if turn % 10 == 0:
            said[f"s{len(said):05}"] = f"new in turn {turn}"
        crew.says(said)
        await crew.call()
        await asyncio.sleep(0.15)


@pytest.mark.timeout(400 if FULL else 100)
@pytest.mark.parametrize("turn", range(TURNS))
@pytest.mark.parametrize("replicas", [2, 4] if FULL else [3])
async def test_whatever_happens_to_replicas(
    crew: Crew, sandbox: Sandbox, judge: Judge, proxies: dict[str, Proxy], replicas: int, turn: int
) -> None:
    seed = int(SEED) if SEED else random.SystemRandom().randrange(100_000)
    print(f"NTHLAYER_SEED={seed}")
    dice = random.Random(seed)
    names = NAMES[:replicas]
    crew.says({f"s{number:05}": "hello" for number in range(SUBJECTS)})
    await crew.start(*names)
    await converged(crew, sandbox, 30)
    chaos = Chaos(crew, proxies, dice)
    editing = asyncio.create_task(edit(crew, dice))
    try:
        await chaos.rage(names, SECONDS)
    finally:
        editing.cancel()
        await asyncio.wait([editing])
        print("\n".join(chaos.done))
    stopped = time.monotonic()
    await crew.call()
    try:
        await converged(crew, sandbox, CONVERGED)
        print(f"as it should be after {time.monotonic() - stopped:.1f} s")
        before = len(judge.writes)
        await idle(crew, judge)
        assert len(judge.writes) == before, judge.writes[before:]
        await crew.stop(*names)
        print(await judge.one_writer(), await judge.one_leader((crew.folder / "looks").read_text(), crew.thawed))
        assert judge.deletes == []
    except BaseException:
        for name in names:
            print(name, crew.log(name)[-4000:])
        raise


async def idle(crew: Crew, judge: Judge) -> None:
    """A full sync of everything and an audit go by."""
    before = crew.looks()

    async def looked() -> bool:
        return crew.looks() >= before + 2

    await until(looked, 20, "somebody syncs")
    await crew.at_rest(10)
