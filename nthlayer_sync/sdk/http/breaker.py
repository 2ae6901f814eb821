"""A system that is down is left alone for a while, then one call tries it again."""

from __future__ import annotations

from typing import Literal

PROBE_WAIT = 1.0
"""Seconds after which to come again while another call is trying the system."""


class Breaker:
    """Closed as long as calls come through; open after `trip` failures in a row, for `rest` seconds; then half-open.

    Half-open, it lets one call through: its success closes the breaker, its failure opens it for another `rest`.
    """

    def __init__(self, trip: int, rest: float) -> None:
        self._trip = trip
        self._rest = rest
        self._failures = 0
        self._until = 0.0
        self._probing = False

    def state(self, now: float) -> Literal["closed", "open", "half-open"]:
        """How it stands."""
        if self._failures < self._trip:
            return "closed"
        return "open" if now < self._until else "half-open"

    def wait(self, now: float) -> float:
        """Seconds until a call may go; 0 for now."""
        if self._failures < self._trip:
            return 0.0
        return max(self._until - now, PROBE_WAIT if self._probing else 0.0)

    def went(self) -> None:
        """A call goes, at a time when `wait` is 0."""
        self._probing = self._failures >= self._trip

    def succeeded(self) -> None:
        """The system answered a call, were it with a refusal."""
        self._failures = 0
        self._probing = False

    def failed(self, now: float) -> None:
        """The system gave no answer, or only that it cannot."""
        self._failures += 1
        if self._probing or self._failures == self._trip:
            self._until = now + self._rest
        self._probing = False

    def cancelled(self) -> None:
        """A call ended without an outcome."""
        self._probing = False
