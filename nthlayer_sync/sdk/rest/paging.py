"""How a list is read to its end, in the ways that vendors cut it into pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, urlsplit

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Answer, Call, Tool

MOST_PAGES = 10_000
"""A list that does not end by then goes in circles."""

Query = tuple[tuple[str, str], ...]


def dig(body: Any, path: str) -> Any:
    """What stands at a dotted path, None where there is nothing; the whole for ""."""
    found: Any = body
    for name in path.split(".") if path else ():
        found = cast("dict[str, Any]", found).get(name) if isinstance(found, dict) else None
    return found


class Paging(Protocol):
    """One way of cutting a list."""

    def follow(self, query: Query, answer: Answer, rows: int, seen: int) -> Query | None:
        """The query of the next page; None after the last. `rows` were on this page, `seen` on all so far."""
        ...

    def first(self, query: Query) -> Query:
        """The query of the first page."""
        ...


@dataclass(frozen=True)
class Whole:
    """A list that comes in one piece."""

    def first(self, query: Query) -> Query:
        """As it is asked."""
        return query

    def follow(self, query: Query, answer: Answer, rows: int, seen: int) -> Query | None:
        """There is no other."""
        return None


@dataclass(frozen=True)
class Offset:
    """By how many to pass over; `more` is the field that says whether there are others, else a short page ends it."""

    size: int = 100
    offset: str = "offset"
    limit: str = "limit"
    more: str = ""

    def first(self, query: Query) -> Query:
        """From the beginning."""
        return (*query, (self.limit, str(self.size)), (self.offset, "0"))

    def follow(self, query: Query, answer: Answer, rows: int, seen: int) -> Query | None:
        """Behind what was seen."""
        if not (dig(answer.json(), self.more) if self.more else rows >= self.size):
            return None
        return (*(pair for pair in query if pair[0] != self.offset), (self.offset, str(seen)))


@dataclass(frozen=True)
class Numbered:
    """By the number of the page; a short page is the last."""

    size: int = 100
    page: str = "page"
    limit: str = "per_page"
    start: int = 1

    def first(self, query: Query) -> Query:
        """The first number."""
        return (*query, (self.limit, str(self.size)), (self.page, str(self.start)))

    def follow(self, query: Query, answer: Answer, rows: int, seen: int) -> Query | None:
        """The next number."""
        if rows < self.size:
            return None
        number = int(dict(query)[self.page]) + 1
        return (*(pair for pair in query if pair[0] != self.page), (self.page, str(number)))


@dataclass(frozen=True)
class Cursor:
    """By a cursor that the answer names at `next`, "" or nothing on the last page."""

    next: str
    param: str = "cursor"
    size: int = 100
    limit: str = "limit"

    def first(self, query: Query) -> Query:
        """Without a cursor."""
        return (*query, (self.limit, str(self.size)))

    def follow(self, query: Query, answer: Answer, rows: int, seen: int) -> Query | None:
        """From the cursor on."""
        cursor = dig(answer.json(), self.next)
        return (*(p for p in query if p[0] != self.param), (self.param, str(cursor))) if cursor else None


@dataclass(frozen=True)
class Linked:
    """By the address of the next page: in the `Link` header (RFC 8288), or in the answer at `next`.

    Only its query is followed: an answer never says to which host we go.
    """

    next: str = ""
    size: int = 100
    limit: str = "per_page"

    def first(self, query: Query) -> Query:
        """The size alone."""
        return (*query, (self.limit, str(self.size)))

    def follow(self, query: Query, answer: Answer, rows: int, seen: int) -> Query | None:
        """The query of the address."""
        link = dig(answer.json(), self.next) if self.next else _next_link(answer.headers.get("Link", ""))
        return tuple(parse_qsl(urlsplit(str(link)).query, keep_blank_values=True)) if link else None


def _next_link(header: str) -> str:
    for part in header.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return address.strip().strip("<>")
    return ""


async def rows_of(
    tool: Tool, call: Call, paging: Paging, rows_in: Callable[[Any], Any]
) -> AsyncIterator[dict[str, Any]]:
    """Every row of a list. It is read to its end or not at all: a list that is cut short shows nothing as missing."""
    query: Query | None = paging.first(tuple(call.query))
    seen = 0
    asked: set[Query] = set()
    while query is not None:
        if query in asked or len(asked) >= MOST_PAGES:
            raise TemporaryError(f"{tool.name}: the pages of {call.path} go in circles")
        asked.add(query)
        answer = await tool.ask(Call(path=call.path, method=call.method, query=query, headers=call.headers, reads=True))
        rows: Any = rows_in(answer.json())
        if not isinstance(rows, list):
            raise PermanentError(f"{tool.name}: {call.path} answers with something else than a list")
        for row in cast("list[Any]", rows):
            if not isinstance(row, dict):
                raise PermanentError(f"{tool.name}: {call.path} lists something else than objects")
            yield cast("dict[str, Any]", row)
        count = len(cast("list[Any]", rows))
        seen += count
        query = paging.follow(query, answer, count, seen)
