"""Pages of lists that are worked out whole."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from nthlayer_sync.web import cursor
from nthlayer_sync.web.route import Page, Paging

FoundT = TypeVar("FoundT")
ShownT = TypeVar("ShownT")

Rows = Sequence[tuple[str, FoundT]]
"""What was found, each with a key that no other has, in order of these keys."""


def page(of: str, asked: Paging, rows: Rows[FoundT], show: Callable[[FoundT], ShownT]) -> Page[ShownT]:
    """The page of the list `of` that is asked for. Rows that come or go in between move no other."""
    last = cursor.read(of, asked.cursor, str)
    first = bisect_right(rows, last, key=lambda row: row[0]) if last is not None else 0
    end = first + asked.limit
    more = end < len(rows)
    return Page(
        items=tuple(show(found) for _, found in rows[first:end]),
        next=cursor.after(of, rows[end - 1][0]) if more else None,
    )
