"""Two texts line by line: what goes, what comes, and a little of what stays around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

AROUND = 3
"""Lines that are shown around a change."""
LONGEST = 5000
"""Lines of a text that are compared: the time grows with their square."""


class Line(msgspec.Struct, frozen=True):
    """One line. `sign` is `+`, `-`, or a space; `@` for lines that are left out. A number of 0 is none."""

    sign: str
    before: int
    after: int
    text: str


def difference(before: str, after: str) -> list[Line]:
    """The lines that differ, in order, with what stands around them; none for the same texts."""
    old, new = before.splitlines()[:LONGEST], after.splitlines()[:LONGEST]
    found: list[Line] = []
    at = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND):
        if (left_out := group[0][1] - at) > 0:
            found.append(_left_out(left_out))
        for tag, *ends in group:
            found += _lines(tag, ends, old, new)
        at = group[-1][2]
    if found and at < len(old):
        found.append(_left_out(len(old) - at))
    return found


def _left_out(lines: int) -> Line:
    return Line("@", 0, 0, f"{lines} {'line' if lines == 1 else 'lines'} unchanged")


def _lines(tag: str, ends: Sequence[int], old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    old_first, old_end, new_first, new_end = ends
    if tag == "equal":
        for index in range(old_end - old_first):
            yield Line(" ", old_first + index + 1, new_first + index + 1, old[old_first + index])
        return
    for index in range(old_first, old_end):
        yield Line("-", index + 1, 0, old[index])
    for index in range(new_first, new_end):
        yield Line("+", 0, index + 1, new[index])
