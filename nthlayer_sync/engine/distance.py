"""How far one content is from another, value by value; and which values are sentences for people."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import permutations

from nthlayer_sync.engine.nudge import Leaves, tokens

_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_SIGNS = re.compile(r"[(){}\[\]=*$|/\\]|--")
_WORD = re.compile(r"[^\W\d_]{2,}")


def distance(one: Leaves, other: Leaves) -> dict[str, int]:
    """How many words of each leaf differ; a leaf that is not there counts with all of the other's."""
    return {
        path: _words(one.get(path, ""), other.get(path, ""))
        for path in one.keys() | other.keys()
        if one.get(path) != other.get(path)
    }


@lru_cache(maxsize=4096)
def _words(one: str, other: str) -> int:
    left, right = tokens(one), tokens(other)
    if len(left) == len(right):
        return max(1, sum(a != b for a, b in zip(left, right, strict=True)))
    return max(1, *((a - b).total() for a, b in permutations((Counter(left), Counter(right)))))


def is_prose(text: str) -> bool:
    """Whether a text is for people to read: words, and no more signs than a sentence has; templates in it aside."""
    plain = _TEMPLATE.sub("", text)
    return not _SIGNS.search(plain) and len(_WORD.findall(plain)) >= 3
