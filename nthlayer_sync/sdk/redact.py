"""The last line of defence against secrets in texts: what was handed out as one is taken out of every text that leaves.

Nothing is built on it: no text should hold a secret in the first place.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any, cast
from urllib.parse import quote

import msgspec

REMOVED = "[removed]"
SHORTEST = 4
"""Characters from which on a value is taken out of texts; less would tear holes into words and hide nothing."""
_MOST = 10_000

_known: dict[str, None] = {}
_pattern: re.Pattern[str] | None = None


def hide(value: str) -> None:
    """From now on, take `value` out of every text, also in the forms it has in JSON, in addresses and in tracebacks."""
    global _pattern
    forms = {value, msgspec.json.encode(value).decode()[1:-1], quote(value, safe=""), quote(value), repr(value)[1:-1]}
    new = [form for form in forms if len(form) >= SHORTEST and form not in _known]
    if new:
        _known.update(dict.fromkeys(new))
        while len(_known) > _MOST:
            del _known[next(iter(_known))]
        _pattern = None


def redacted(text: str) -> str:
    """The text without any secret that was handed out."""
    global _pattern
    if not _known:
        return text
    if _pattern is None:
        _pattern = re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))))
    return _pattern.sub(REMOVED, text)


def redact(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor, to stand right before the renderer; exceptions must be texts by then."""
    return {redacted(key): _clean(value) for key, value in event.items()} if _known else event


def _clean(value: object) -> object:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in cast(dict[object, object], value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in cast(list[object], value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return redacted(text) if redacted(text) != text else value
