"""Addresses that fail to log in too often have to wait."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from nthlayer_sync.sdk.http import Clock

MOST = 30
"""Failures of one address in one window; people who mistype stay far below."""
WINDOW = 60.0
"""Seconds."""
REMEMBERED = 10_000
"""Addresses; beyond, the one that failed longest ago is forgotten."""


@dataclass
class _Count:
    begun: float
    failures: int = 0


class Failures:
    """Counts failed logins by address, an IPv6 address by its network."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until a login from there is looked at again; 0 where it is now."""
        count = self._counts.get(_network(address))
        if count is None or count.failures < MOST:
            return 0.0
        return max(0.0, count.begun + WINDOW - self._clock.now())

    def add(self, address: str) -> None:
        """One more has failed."""
        network, now = _network(address), self._clock.now()
        count = self._counts.get(network)
        if count is None or now - count.begun >= WINDOW:
            count = self._counts[network] = _Count(now)
        count.failures += 1
        self._counts.move_to_end(network)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)


def _network(address: str) -> str:
    """One customer has all addresses of a /64 (RFC 6177)."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
