"""The ways in which vendors cut lists in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import urlencode

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.tool import Call, Reply

Show: TypeAlias = Callable[[Item], Any]
Paging: TypeAlias = Callable[[Call, list[Item], str, Show], Reply]
"""Makes the answer to a list request: all objects that match, the key around them, how one is shown."""


def everything(call: Call, items: list[Item], many: str, show: Show) -> Reply:
    """All at once."""
    shown = [show(item) for item in items]
    return Reply(200, {many: shown} if many else shown)


def numbered(size: int, most: int, names: tuple[str, str] = ("page", "per_page"), first: int = 1) -> Paging:
    """Numbered pages of `size`, at most `most`, without any word on whether there are more."""

    def page(call: Call, items: list[Item], many: str, show: Show) -> Reply:
        number, per_page = max(call.number(names[0], first), first), min(call.number(names[1], size) or size, most)
        start = (number - first) * per_page
        shown = [show(item) for item in items[start : start + per_page]]
        return Reply(200, {many: shown} if many else shown)

    return page


def linked(size: int = 30, most: int = 100, *, counts: bool = False) -> Paging:
    """Numbered pages with a `Link` header (RFC 8288), and with GitLab's `X-` headers when `counts`."""

    def page(call: Call, items: list[Item], many: str, show: Show) -> Reply:
        number, per_page = max(call.number("page", 1), 1), min(call.number("per_page", size) or size, most)
        pages = max(-(-len(items) // per_page), 1)
        shown = [show(item) for item in items[(number - 1) * per_page : number * per_page]]
        origin = f"http://{call.headers.get('Host', '')}{call.path}"
        rest = {name: values for name, values in call.query.items() if name not in ("page", "per_page")}
        links: list[str] = []
        for relation, target in (("prev", number - 1), ("next", number + 1), ("first", 1), ("last", pages)):
            if 1 <= target <= pages and (relation not in ("first", "last") or target != number):
                query = urlencode({**rest, "per_page": per_page, "page": target}, doseq=True)
                links.append(f'<{origin}?{query}>; rel="{relation}"')
        headers = {"Link": ", ".join(links)} if links else {}
        if counts:
            headers |= {"X-Total": str(len(items)), "X-Total-Pages": str(pages), "X-Per-Page": str(per_page)}
            headers |= {"X-Page": str(number), "X-Next-Page": str(number + 1) if number < pages else ""}
            headers |= {"X-Prev-Page": str(number - 1) if number > 1 else ""}
        return Reply(200, {many: shown, "total_count": len(items)} if many else shown, headers)

    return page
