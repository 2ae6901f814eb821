"""What a sandbox was asked: every write, and how much was read."""

from __future__ import annotations

import re
from collections import Counter

import msgspec

_MARK = re.compile(rb"nthlayer-sync(?:[:/=]|%3[Aa]|%2[Ff])[^\s\"'<>\\,;)\]]*")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One write request. It has no header: the secret of the caller is in one.

    Attributes:
        time: Seconds since the epoch.
        tool: Whose address it came to.
        method: The method of the request.
        path: Its path, without the query.
        collection: Where it made its first change; "" when it made none.
        id: The vendor's id of the first object it changed.
        name: What that object was called after the change, or before it was deleted.
        status: The status of the answer; 0 when the connection was reset or closed instead.
        committed: Whether it changed anything.
        mark: Our mark, when the request's body had one.
    """

    time: float
    tool: str
    method: str
    path: str
    collection: str = ""
    id: str = ""
    name: str = ""
    status: int
    committed: bool
    mark: str = ""


class Traffic(msgspec.Struct):
    """How much one tool was asked.

    Attributes:
        reads: Requests that only look.
        writes: Requests that mean to change something.
        limited: Requests answered with "too many" (429).
        peak: The most requests that came within one second of the clock.
    """

    reads: int = 0
    writes: int = 0
    limited: int = 0
    peak: int = 0


class Ledger:
    """Every write request to every tool of a sandbox, in order, and the traffic by tool."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.traffic: dict[str, Traffic] = {}
        self._second: dict[str, tuple[int, int]] = {}

    def count(self, tool: str, now: float, *, write: bool) -> None:
        """Count one request, come at `now` (any clock in seconds)."""
        traffic = self.of(tool)
        if write:
            traffic.writes += 1
        else:
            traffic.reads += 1
        second, requests = self._second.get(tool, (-1, 0))
        requests = requests + 1 if second == int(now) else 1
        self._second[tool] = (int(now), requests)
        traffic.peak = max(traffic.peak, requests)

    def of(self, tool: str) -> Traffic:
        """The traffic of one tool."""
        return self.traffic.setdefault(tool, Traffic())

    def committed(self, tool: str = "", collection: str = "") -> list[Entry]:
        """The writes that changed something, of one tool and one collection when they are named."""
        return [
            entry
            for entry in self.entries
            if entry.committed and tool in ("", entry.tool) and collection in ("", entry.collection)
        ]

    def writes_by_object(self) -> Counter[tuple[str, str, str]]:
        """How many writes changed each object: (tool, collection, id)."""
        return Counter((entry.tool, entry.collection, entry.id) for entry in self.committed())

    def clear(self) -> None:
        """Forget everything so far."""
        self.entries.clear()
        self.traffic.clear()
        self._second.clear()


def mark_in(body: bytes) -> str:
    """Our mark in a request's body, "" when there is none."""
    found = _MARK.search(body)
    return found[0].decode(errors="replace")[:200] if found else ""
