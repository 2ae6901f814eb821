"""Requests a second: no faster than the system bears, and all callers share it.

A token bucket of our own (the generic cell rate algorithm): the rate changes while callers wait for their turn, and a
429 makes all of them wait; aiolimiter has one rate for ever and tells the time by the event loop alone.
"""

from __future__ import annotations

import asyncio
import math

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.http.manners import Clock, Manners

SLACK = 0.02
"""Seconds that a request may make up for having come late: timers are about this coarse."""
FALL = 0.5
"""What remains of the rate after a 429."""
NEAR = 0.8
"""Share of the rate that was refused last, from which on it grows slowly again."""
BEYOND = 1.1
"""Share of the rate that was refused last, from which on that refusal no longer counts as the limit."""
LEAST = 0.01
"""Share of the rate in the manners that it never falls below."""


class Pace:
    """Gives each request its turn. `rate` is the present one; it falls with each 429 and recovers with each answer."""

    def __init__(self, manners: Manners, clock: Clock) -> None:
        self.rate = manners.rate
        self._manners = manners
        self._clock = clock
        self._refused_rate = math.inf
        self._refused_at = -math.inf
        self._paused_until = -math.inf
        self._due = -math.inf
        self._line = asyncio.Lock()

    async def turn(self) -> float:
        """Waits for the turn of one request; gives the moment it comes. TemporaryError when that is too far off."""
        now = self._clock.now()
        if self.rate == math.inf and now >= self._paused_until:
            return now
        async with self._line:
            while (now := self._clock.now()) < (begin := self._begin()):
                if (off := self._paused_until - now) > self._manners.longest_wait:
                    raise TemporaryError(f"it asks for no more requests for the next {off:.0f} s", delay=off)
                await self._clock.sleep(begin - now)
            self._due = max(self._due, now) + 1 / self.rate
            return now

    def accepted(self) -> None:
        """The system took a request: quickly back to near the rate it refused, slowly past it, then quickly again."""
        if self.rate < self._manners.rate:
            share = self.rate / self._refused_rate
            growth = 1 / 50 if share < NEAR else 1 / 2500 if share < BEYOND else 1 / 200
            self.rate = min(self.rate * (1 + growth), self._manners.rate)

    def refused(self, sent: float, delay: float) -> None:
        """The system refused a request sent at `sent` as one too many: all wait for `delay` seconds.

        The rate falls once for all that were under way together.
        """
        now = self._clock.now()
        self._paused_until = max(self._paused_until, now + delay)
        self._due = max(self._due, self._paused_until)
        if sent > self._refused_at and self.rate < math.inf:
            self._refused_rate, self._refused_at = self.rate, now
            self.rate = max(self.rate * FALL, self._manners.rate * LEAST)

    def _begin(self) -> float:
        slack = max((self._manners.burst - 1) / self.rate, SLACK)
        return max(self._due - slack, self._paused_until)
