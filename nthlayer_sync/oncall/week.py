"""Times of the week as minutes after Monday 00:00: sets of spans, and how they become restrictions of a layer."""

from __future__ import annotations

from collections.abc import Iterable

from nthlayer_sync.oncall.schedule import Restriction

MINUTES_A_DAY = 1440
MINUTES_A_WEEK = 7 * MINUTES_A_DAY

Spans = tuple[tuple[int, int], ...]
"""Spans within a week, apart from each other and in order: first minute, and the one after the last."""

ALWAYS: Spans = ((0, MINUTES_A_WEEK),)


def spans(pieces: Iterable[tuple[int, int]]) -> Spans:
    """The set of some spans; one that reaches over the end of the week goes on at its beginning."""
    inside = list[tuple[int, int]]()
    for start, end in pieces:
        length, start = end - start, start % MINUTES_A_WEEK
        inside += [(start, min(start + length, MINUTES_A_WEEK)), (0, start + length - MINUTES_A_WEEK)]
    found = list[tuple[int, int]]()
    for start, end in sorted(piece for piece in inside if piece[0] < piece[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def common(one: Spans, other: Spans) -> Spans:
    """What is in both."""
    return spans((max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d))


def rest(taken: Spans) -> Spans:
    """The rest of the week."""
    edges = [0, *(edge for span in taken for edge in span), MINUTES_A_WEEK]
    return spans(zip(edges[::2], edges[1::2], strict=True))


def restrictions(found: Spans) -> tuple[Restriction, ...]:
    """The restrictions that say it: none for the whole week, one when all days are alike, else one for each span."""
    if found == ALWAYS:
        return ()
    pieces = list(found)
    if pieces[0][0] == 0 and pieces[-1][1] == MINUTES_A_WEEK:  # one span that goes on over the end of the week
        pieces[-1] = (pieces[-1][0], MINUTES_A_WEEK + pieces.pop(0)[1])
    lengths = {end - start for start, end in pieces}
    if len(pieces) == 7 and len(lengths) == 1 and len({start % MINUTES_A_DAY for start, _ in pieces}) == 1:
        return (Restriction(-1, pieces[0][0] % MINUTES_A_DAY, lengths.pop()),)
    return tuple(sorted(Restriction(*divmod(start, MINUTES_A_DAY), end - start) for start, end in pieces))
