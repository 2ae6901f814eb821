"""Marks the steps of a run, for whoever traces them; it costs next to nothing where nobody does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Span(Protocol):
    """A step that is under way."""

    def note(self, **about: str | int | float) -> None:
        """Say more of it."""
        ...


class _Nothing:
    def note(self, **about: str | int | float) -> None:
        """Nobody listens."""


Begin = Callable[[str, Mapping[str, str | int | float]], AbstractContextManager[Span]]
"""Begins a step, as a part of the one that is under way in this task."""
_begin: Begin | None = None
_NOTHING: AbstractContextManager[Span] = nullcontext(_Nothing())


def span(name: str, **about: str | int | float) -> AbstractContextManager[Span]:
    """A step, as long as the `with` lasts; an exception that leaves it marks it as failed.

    `about` are ids and numbers, never contents, addresses or headers.
    """
    return _NOTHING if _begin is None else _begin(name, about)


def trace(begin: Begin | None) -> None:
    """From now on, every step of this process begins with `begin`; None: nobody traces."""
    global _begin
    _begin = begin
