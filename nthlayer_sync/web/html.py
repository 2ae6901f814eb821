"""Pages from templates: every value is escaped, and a page has no script or style of its own, only links to ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_SPANS = ((86400 * 2, 86400, "days"), (3600 * 2, 3600, "h"), (120, 60, "min"), (0, 1, "s"))
"""From how many seconds on a span is told in which unit."""


def page(template: str, **values: Any) -> bytes:
    """A template of the folder `templates`, filled in."""
    return _environment().get_template(template).render(values).encode()


def address(ref: str, below: str = "", **query: str) -> str:
    """The page of an entity, or one below it. The whole reference is one segment, whatever stands in it."""
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"/entities/{quote(ref, safe=':')}{f'/{below}' if below else ''}{f'?{asked}' if asked else ''}"


def web_link(url: str) -> str:
    """An address that a browser may be sent to, "" for any other, such as `javascript:`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme.lower() in ("http", "https") and parts.netloc else ""


def lasting(seconds: float) -> str:
    """How long something lasts, for people."""
    for least, unit, name in _SPANS:
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return "0 s"


def moment(at: float) -> Markup:
    """When something was, in seconds since 1970: how long ago for people, and exactly for programs and on hovering."""
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    passed = time.time() - at
    said = "just now" if -5 < passed < 5 else f"{lasting(passed)} ago" if passed > 0 else f"in {lasting(-passed)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(when, when, said)


def number(value: int) -> str:
    """A number with thin gaps between thousands."""
    return f"{value:,}".replace(",", "\u202f")


FILTERS: Mapping[str, Callable[..., object]] = {
    "address": address,
    "lasting": lasting,
    "moment": moment,
    "number": number,
    "web_link": web_link,
}


@lru_cache
def _environment() -> Environment:
    loader = PackageLoader("nthlayer_sync.web")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(FILTERS)
    return made
