"""Path patterns from people and strangers, as regular expressions that stay quick whatever stands in them.

What a wildcard has taken it does not give back (atomic groups): the first fit is as good as any other. So a pattern
of many wildcards takes no longer than one of few.
"""

from __future__ import annotations

import re
from functools import lru_cache


def glob(pattern: str) -> str:
    """The expression for a pattern: `*` and `?` stay within a name, `**` between slashes means any folders.

    A pattern that ends in `/**` means everything below.
    """
    chunks: list[list[str]] = [[]]
    for name in pattern.split("/"):
        if name == "**":
            chunks.append([])
        else:
            chunks[-1].append(_name(name))
    first, *rest = ("/".join(chunk) for chunk in chunks)
    if not rest:
        return first
    *middle, last = rest
    start = f"{first}/" if first else ""
    between = "".join(f"(?>(?:[^/]+/)*?{chunk}/)" for chunk in middle if chunk)
    return f"{start}{between}" + (f"(?:[^/]+/)*{last}" if last else ".+")


@lru_cache(maxsize=64)
def any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What matches a whole path that one of the patterns covers."""
    return re.compile("|".join(map(glob, patterns)) or r"(?!)", re.DOTALL)


def _name(pattern: str) -> str:
    parts = [re.escape(part).replace(r"\?", "[^/]") for part in re.split(r"\*+", pattern)]
    if len(parts) == 1:
        return parts[0]
    first, *middle, last = parts
    return first + "".join(f"(?>[^/]*?{part})" for part in middle) + f"[^/]*{last}"
