"""Path patterns from people and strangers, as regular expressions that stay quick whatever stands in them."""

from __future__ import annotations

import re
from functools import lru_cache

MOST_WILDCARDS = 8
"""In one pattern. Matching takes time to the power of their number, and nobody needs more."""

_PARTS = re.compile(r"(\*\*/|/\*\*|\*\*|\*|\?)")
_MEANING = {"**/": "(?:[^/]+/)*", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def glob(pattern: str) -> str:
    """The expression for a pattern: `*` and `?` within a name, `**/` for any folders, `/**` for all that lies below.

    Raises ValueError when it holds too many wildcards.
    """
    parts = [part for part in _PARTS.split(pattern) if part]
    if sum(part in _MEANING for part in parts) > MOST_WILDCARDS:
        raise ValueError(f"more than {MOST_WILDCARDS} wildcards in one pattern")
    return "".join(_MEANING.get(part) or re.escape(part) for part in parts)


@lru_cache(maxsize=256)
def any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What matches a whole path that one of the patterns covers."""
    return re.compile("|".join(map(glob, patterns)) or r"(?!)", re.DOTALL)
