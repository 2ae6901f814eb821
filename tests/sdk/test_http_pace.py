"""How hard a system is asked: rates, pauses, outages, the breaker. Nobody waits here: the clock is moved by hand."""

import asyncio
import math

import pytest
from aiohttp import web

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.http import Call, Manners, Web
from nthlayer_sync.sdk.http.breaker import Breaker
from nthlayer_sync.sdk.http.errors import Resting
from nthlayer_sync.sdk.http.tool import Reach, Tool
from nthlayer_sync.sdk.http.web import nobody
from tests.sdk.web import Limited, StillClock, peak, served

OPERATIONS = 1000
WORKERS = 8


async def run_all(clock: StillClock, tool: Tool, operations: int = OPERATIONS, workers: int = WORKERS) -> None:
    """Makes so many calls, each until it is answered, as the engine does."""
    rest = iter(range(operations))

    async def worker() -> None:
        for number in rest:
            while True:
                try:
                    await tool.ask(Call(method="POST", path=f"/things/{number}", json={}, safe=True))
                    break
                except TemporaryError as error:
                    await clock.sleep(error.delay)

    await clock.run(*(worker() for _ in range(workers)))


def limited(rate: float, asked: float, burst: float = 2.0, **manners: float) -> tuple[StillClock, Limited, Tool]:
    clock = StillClock()
    system = Limited(clock, rate, burst)
    tool = Tool("system", "http://h", nobody, Manners(rate=asked, **manners), Reach(system.send, clock))  # type: ignore[arg-type]
    return clock, system, tool


async def test_a_rate_within_the_limit_is_never_refused_and_loses_no_time() -> None:
    clock, system, tool = limited(10, asked=10)
    begin = clock.now()
    await run_all(clock, tool)
    assert system.refused == 0
    assert clock.now() - begin <= 1.05 * OPERATIONS / 10


@pytest.mark.parametrize("asked", [12.0, 20.0, 50.0])
@pytest.mark.parametrize("retry_after", ["1", "", "0"])
@pytest.mark.parametrize("burst", [2.0, 10.0])
async def test_a_rate_above_the_limit_falls_until_one_request_in_a_hundred_is_refused(
    asked: float, retry_after: str, burst: float
) -> None:
    clock, system, tool = limited(10, asked, burst)
    system.retry_after = retry_after
    begin = clock.now()
    await run_all(clock, tool)
    assert system.refused <= 0.01 * len(system.asked)
    assert clock.now() - begin <= 1.3 * OPERATIONS / 10


@pytest.mark.parametrize("asked", [10.0, 20.0])
async def test_nothing_bursts_after_an_outage(asked: float) -> None:
    clock, system, tool = limited(10, asked)
    begin = clock.now()
    system.outage = (begin + 20, begin + 80)
    await run_all(clock, tool)
    after = [moment for moment in system.asked if moment >= begin + 80]
    assert peak(after) <= 12
    assert system.refused <= 0.01 * len(system.asked)
    # While it was down it was asked by the calls that found it out, and then by one probe after each rest.
    assert sum(begin + 20 <= moment < begin + 80 for moment in system.asked) <= 20
    assert clock.now() - begin <= 60 + 30 + 1.3 * OPERATIONS / 10


async def test_the_rate_recovers_when_the_limit_is_lifted() -> None:
    clock, system, tool = limited(10, asked=50)
    await run_all(clock, tool)
    assert tool.facts.rate < 15
    system._rate = 1000
    await run_all(clock, tool, 3000)
    assert tool.facts.rate == 50


async def test_one_refusal_pauses_all_workers() -> None:
    clock, system, tool = limited(10, asked=100, burst=5)
    system.retry_after = "7"
    await run_all(clock, tool, 30)
    first = next(index for index, moment in enumerate(system.asked) if index and moment - system.asked[index - 1] >= 7)
    assert first <= 5 + WORKERS


async def test_a_pause_that_is_too_long_fails_every_call_at_once() -> None:
    clock, system, tool = limited(10, asked=100, burst=1)
    system.retry_after = "900"
    await tool_ask(clock, tool)
    for _ in range(2):
        with pytest.raises(TemporaryError) as caught:
            await tool_ask(clock, tool)
        assert 890 <= caught.value.delay <= 902
    assert len(system.asked) == 2


async def tool_ask(clock: StillClock, tool: Tool) -> None:
    await clock.run(tool.ask(Call(path="/")))


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    clock, system, tool = limited(1e6, asked=math.inf, burst=1e6, at_once=3)
    await run_all(clock, tool, 60, workers=20)
    assert peak(system.asked, 0.0199) == 3


async def test_under_a_real_server_and_a_real_clock_hardly_any_request_is_refused() -> None:
    loop = asyncio.get_running_loop()
    tokens, then, refused, total = 20.0, loop.time(), 0, 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal tokens, then, refused, total
        now = loop.time()
        tokens, then, total = min(20.0, tokens + (now - then) * 400), now, total + 1
        if tokens < 1:
            refused += 1
            return web.Response(status=429, headers={"Retry-After": "0"})
        tokens -= 1
        return web.json_response({})

    async with served(answer) as url:
        connections = Web()
        tool = connections.tool("system", url, manners=Manners(rate=390, pause=0.01))
        begin = loop.time()
        await asyncio.gather(*(tool.ask(Call(path="/")) for _ in range(400)))
        await connections.close()
    assert loop.time() - begin >= 0.95
    assert refused <= 0.01 * total


class TestBreaker:
    async def test_it_leaves_a_system_alone_that_is_down_and_nobody_else(self) -> None:
        clock, system, tool = limited(1000, asked=100, burst=100, tries=2, trip=4)
        system.outage = (0, clock.now() + 100)
        well = Tool("well", "http://h", nobody, Manners(), Reach(Limited(clock, 100, 100).send, clock))
        for _ in range(2):
            with pytest.raises(TemporaryError, match="system: GET /: HTTP 503 Service Unavailable"):
                await tool_ask(clock, tool)
        for _ in range(50):
            with pytest.raises(Resting, match=r"system: GET /: it failed too often .* tried again in 30 s") as caught:
                await tool_ask(clock, tool)
            assert caught.value.delay == pytest.approx(30)
        assert (len(system.asked), tool.facts.breaker) == (4, "open")
        await tool_ask(clock, well)
        assert well.facts.breaker == "closed"

    async def test_one_call_tries_again_and_the_others_do_not_wait_for_it(self) -> None:
        clock, system, tool = limited(1000, asked=100, burst=100, tries=1, trip=4)
        system.outage = (0, clock.now() + 100)
        outcomes: list[str] = []

        async def call() -> None:
            try:
                await tool.ask(Call(path="/"))
                outcomes.append("answered")
            except Resting:
                outcomes.append("resting")
            except TemporaryError:
                outcomes.append("failed")

        for _ in range(4):
            await clock.run(call())
        clock.time += 31
        assert tool.facts.breaker == "half-open"
        await clock.run(*(call() for _ in range(8)))
        assert sorted(outcomes[4:]) == ["failed", *["resting"] * 7]
        clock.time += 100
        await clock.run(*(call() for _ in range(8)))
        assert sorted(outcomes[12:]) == ["answered", *["resting"] * 7]
        await clock.run(*(call() for _ in range(8)))
        assert outcomes[20:] == ["answered"] * 8

    async def test_refusals_and_limits_are_answers(self) -> None:
        clock, system, tool = limited(1, asked=1000, burst=1, tries=1, trip=1)
        system.retry_after = ""
        await tool_ask(clock, tool)
        with pytest.raises(TemporaryError, match="429"):
            await tool_ask(clock, tool)
        assert tool.facts.breaker == "closed"

    def test_a_probe_that_is_cancelled_lets_the_next_one_try(self) -> None:
        breaker = Breaker(1, 10)
        breaker.went()
        breaker.failed(0)
        assert (breaker.wait(4), breaker.wait(10)) == (6, 0)
        breaker.went()
        assert breaker.wait(10) == 1
        breaker.cancelled()
        assert breaker.wait(10) == 0
