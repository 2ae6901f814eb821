"""Backstage is told of what is new, by the leader, until it gets through."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from nthlayer_sync.daemon.annotations import Snapshot
from nthlayer_sync.daemon.announcer import Announcer
from nthlayer_sync.daemon.telemetry.health import Health
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.ref import EntityRef

CART, SHOP = EntityRef("component:default/cart"), EntityRef("component:default/shop")


@dataclass
class Said:
    """What is to stand on entities, as a test says it."""

    now: Snapshot = field(default_factory=lambda: Snapshot({}, b"{}", ""))

    def say(self, etag: str, **texts: str) -> None:
        entities = {EntityRef(f"component:default/{name}"): text.encode() for name, text in texts.items()}
        self.now = Snapshot(entities, b"", etag)

    async def snapshot(self) -> Snapshot:
        return self.now


@dataclass
class Trial:
    """An announcer, and what it told."""

    said: Said = field(default_factory=Said)
    health: Health = field(default_factory=lambda: Health(()))
    told: list[tuple[Sequence[EntityRef], str]] = field(default_factory=list[tuple[Sequence[EntityRef], str]])
    away: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def announce(self, refs: Sequence[EntityRef], etag: str) -> None:
        if self.away:
            raise TemporaryError("away", delay=0.01)
        self.told.append((refs, etag))
        self.reached.set()


@pytest.fixture
def trial() -> Trial:
    trial = Trial()
    trial.health.leading = True
    trial.said.say("a", cart="1", shop="1")
    return trial


def announcer(trial: Trial) -> Announcer:
    return Announcer(trial.said, trial.announce, trial.health)  # type: ignore[arg-type]


async def test_it_tells_what_is_new_once_and_nothing_at_the_start(trial: Trial) -> None:
    one = announcer(trial)
    await one.look()
    trial.said.say("b", cart="2", shop="1")
    await one.look()
    await one.look()
    trial.said.say("c", shop="1")
    await one.look()
    trial.said.say("d", cart="1", shop="1")
    await one.look()
    assert trial.told == [([CART], "b"), ([CART], "c"), ([CART], "d")]


async def test_it_tells_all_that_is_new_once_it_gets_through(trial: Trial) -> None:
    one = announcer(trial)
    await one.look()
    trial.away = True
    trial.said.say("b", cart="2", shop="1")
    with pytest.raises(TemporaryError):
        await one.look()
    trial.said.say("c", cart="2", shop="2")
    with pytest.raises(TemporaryError):
        await one.look()
    trial.away = False
    await one.look()
    assert trial.told == [([CART, SHOP], "c")]


async def test_who_does_not_lead_tells_nothing_but_keeps_up(trial: Trial) -> None:
    one = announcer(trial)
    await one.look()
    trial.health.leading = False
    trial.said.say("b", cart="2", shop="1")
    await one.look()
    trial.health.leading = True
    await one.look()
    assert trial.told == []
    trial.said.say("c", cart="2", shop="2")
    await one.look()
    assert trial.told == [([SHOP], "c")]


async def test_it_goes_on_after_failures_and_ends_when_told_to(trial: Trial) -> None:
    stopping = asyncio.Event()
    trial.away = True
    one = announcer(trial)
    await one.look()
    trial.said.say("b", cart="2", shop="1")
    watching = asyncio.create_task(one.watch(stopping))
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
        trial.away = False
        await trial.reached.wait()
        stopping.set()
        await watching
    assert trial.told == [([CART], "b")]
