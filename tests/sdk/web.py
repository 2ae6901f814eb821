"""What tests of `sdk/http` talk to, and clocks that do not keep them waiting."""

import asyncio
import heapq
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.sdk.http import Answer, Manners

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """The address of a server that answers every request so."""
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


class QuickClock:
    """Whoever waits goes on at once, and it is later then: for one caller."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += max(seconds, 0.0)


class StillClock:
    """Stands still as long as one of the tasks of `run` can go on, and then moves to when the next one can."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._waiting, (self.time + max(seconds, 0.0), self._number, future))
        await future

    async def run(self, *coroutines: Coroutine[Any, Any, object]) -> None:
        """Run tasks that wait for this clock and for each other alone."""
        tasks = [asyncio.ensure_future(each) for each in coroutines]
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._waiting:
                moment, _, future = heapq.heappop(self._waiting)
                self.time = max(self.time, moment)
                if not future.done():
                    future.set_result(None)
        for task in tasks:
            task.result()


class Limited:
    """A system that takes `rate` requests a second by a bucket of `burst`, is down during `outage`, and keeps count.

    Each answer takes 20 ms. `send` is what a tool sends by.
    """

    def __init__(self, clock: StillClock, rate: float, burst: float) -> None:
        self.outage = (math.inf, math.inf)
        self.retry_after = "1"
        self.taken: list[float] = []
        self.asked: list[float] = []
        self.refused = 0
        self._clock = clock
        self._rate = rate
        self._burst = self._tokens = burst
        self._then = clock.now()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, manners: Manners
    ) -> Answer:
        now = self._clock.now()
        status = self._status(now)
        await self._clock.sleep(0.02)
        return Answer(status, {"Retry-After": self.retry_after} if status == 429 and self.retry_after else {}, b"{}")

    def _status(self, now: float) -> int:
        self.asked.append(now)
        self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
        self._then = now
        if self.outage[0] <= now < self.outage[1]:
            return 503
        if self._tokens < 1:
            self.refused += 1
            return 429
        self._tokens -= 1
        self.taken.append(now)
        return 200


def peak(moments: list[float], window: float = 1.0) -> int:
    """The most requests within any `window` seconds."""
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most
