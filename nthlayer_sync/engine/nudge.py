"""Other values for one input of a blueprint: to see what it moves, and to find the one that gives what is live.

Nothing here knows what an input means. A number in it is a dial: how a generated number follows it is seen from two
settings, and where the dial has to stand for a third is worked out from those.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from typing import Any, NamedTuple, cast

from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.units import MILLISECONDS, Duration

Leaves = Mapping[str, str]
"""The values of a config's content by their path."""

_DURATION = r"(?:\d+(?:\.\d+)?(?:ms|[ywdhms]))+(?![A-Za-z0-9])"
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[ywdhms])")
_TOKEN = re.compile(rf"{_DURATION}|\d+(?:\.\d+)?|[^\W\d]+|\s+|.", re.DOTALL)
_DIGITS = (0, 1, 2, 3, 4, 6, 9)
"""Decimals that a number is tried with: whoever edits by hand writes few."""
_LONGEST_LIST = 10
"""Items of a list that are looked at one by one."""
_FRESH = 8
"""Values that stand in the live content only and are tried as items of a list."""


class Dial(NamedTuple):
    """One number in a value, and the value with another number in its place."""

    number: Fraction
    turn: Callable[[Fraction], object]


class Seen(NamedTuple):
    """What came of a config when an input had another value."""

    value: object
    leaves: Leaves


@lru_cache(maxsize=4096)
def tokens(text: str) -> list[str]:
    """Words, numbers (durations among them), blanks and single signs."""
    return _TOKEN.findall(text)


def nudges(value: object) -> Iterator[object]:
    """Other values of the same shape; what does not fit is refused by the blueprint itself."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, list):
        items = cast("list[object]", value)
        yield [*items[1:]]
        yield [*reversed(items)]
        yield from ([*items[:i], *items[i + 1 :]] for i in range(1, min(len(items), _LONGEST_LIST)))
    elif value is None:
        yield from (True, "x", "50%", "20%", "10m", "40m", 7, 11)
    else:
        found = dials(value)
        for number, turn in found:
            yield from (turn(number * 3 / 2), turn(number / 2), turn(number - Fraction(1, 100)))
            if isinstance(value, int):
                yield from (value + 1, value - 1)
        if not found:
            yield f"{value}x"


def proposals(value: object, base: Leaves, live: Leaves, seen: Sequence[Seen]) -> Iterator[object]:
    """Values that may turn `base` into `live`, as far as that can be told from what was `seen` of other values."""
    yield from (each.value for each in seen)
    if isinstance(value, list):
        yield from _lists(cast("list[object]", value), base, live)
        return
    moved = [
        (each.value, old, nudged, new)
        for each in seen
        for path in sorted(each.leaves.keys() | base.keys())
        for old, nudged, new in [(base.get(path), each.leaves.get(path), live.get(path))]
        if new != old and nudged != old
    ]
    for other, old, nudged, new in moved:
        yield from _turned(value, other, (old, nudged, new)) if new is not None else ()
    if value is None:  # how a number follows shows between two values that are there
        for first, second in permutations(seen, 2):
            for path in sorted(fresh(first.leaves, live)):
                if path in first.leaves and path in second.leaves:
                    texts = (first.leaves[path], second.leaves[path], live[path])
                    yield from _turned(first.value, second.value, texts)
    for _, old, _, new in moved:
        if new is None:
            yield None
        elif isinstance(value, str) or value is None:
            yield from _texts(value or "", old or "", new)


def fresh(base: Leaves, live: Leaves) -> dict[str, str]:
    """The leaves that are otherwise, or only, in what is live."""
    return {path: text for path, text in live.items() if base.get(path) != text}


def dials(value: object) -> list[Dial]:
    """Every number in a value; that of a duration counts in milliseconds."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int):
        return [Dial(Fraction(value), round)]
    if isinstance(value, float):
        return [Dial(Fraction(str(value)), float)]
    if not isinstance(value, str):
        return []
    try:
        whole = Duration.parse(value)
    except NotationError:
        parts = tokens(value)
        return [Dial(n, _in_text(parts, at)) for at, part in enumerate(parts) if (n := _number(part)) is not None]
    return [Dial(Fraction(whole.milliseconds), _duration)]


def _in_text(parts: Sequence[str], at: int) -> Callable[[Fraction], str]:
    def turn(number: Fraction) -> str:
        written = _decimal(number) if parts[at][-1].isdigit() else _duration(number)
        return "".join((*parts[:at], written, *parts[at + 1 :]))

    return turn


def _duration(milliseconds: Fraction) -> str:
    return Duration(max(0, round(milliseconds))).prometheus()


def _decimal(number: Fraction) -> str:
    return f"{float(number):.9f}".rstrip("0").rstrip(".")


def _number(token: str) -> Fraction | None:
    """What a token measures, durations in milliseconds; None of a word."""
    if not token[0].isdigit():
        return None
    if token[-1].isdigit():
        return Fraction(token)
    return sum((Fraction(n) * MILLISECONDS[unit] for n, unit in _PART.findall(token)), Fraction(0))


def _turned(value: object, other: object, texts: tuple[str | None, str | None, str]) -> Iterator[object]:
    """Where the dials have to stand: the leaf is `old` with `value`, `nudged` with `other`, and should be `new`."""
    old, nudged, new = ([*map(_number, tokens(text))] if text is not None else [] for text in texts)
    if len(nudged) != len(new) or (old and len(old) != len(new)):
        return
    after = dials(other)
    before = [dial.number for dial in dials(value)] or [Fraction(0)] * len(after)
    for first, (second, turn) in zip(before, after, strict=False):
        for a, b, c in zip(old or [Fraction(0)] * len(new), nudged, new, strict=True):
            if a is None or b is None or c is None or a in (b, c):
                continue
            exact = first + (c - a) * (second - first) / (b - a)
            for digits in _DIGITS:
                yield turn(round(exact, digits))


def _texts(value: str, old: str, new: str) -> Iterator[str]:
    """What a text may have become where `old` was made `new`."""
    yield new
    left, right = tokens(old), tokens(new)
    while left and right and left[0] == right[0]:
        left, right = left[1:], right[1:]
    while left and right and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    taken, given = "".join(left), "".join(right)
    if taken and taken in value:
        yield value.replace(taken, given, 1)
    if given:
        yield given


def _lists(items: Sequence[object], base: Leaves, live: Leaves) -> Iterator[object]:
    """The list with one more item out of what is live."""
    if any(isinstance(item, dict | list) for item in items):
        return
    texts = [*fresh(base, live).values()]
    texts += [token for text in texts for token in tokens(text) if token.isdigit() or len(token) > 2]
    numbers = bool(items) and all(isinstance(item, int) for item in items)
    new: list[Any] = [int(text) if numbers else text for text in dict.fromkeys(texts) if not numbers or text.isdigit()]
    for item in [each for each in new if each not in items][:_FRESH]:
        yield from ([*items[:at], item, *items[at:]] for at in range(min(len(items), _LONGEST_LIST), -1, -1))
