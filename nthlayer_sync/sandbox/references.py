"""Which objects of a tool name which others, so that nobody has to search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Where: TypeAlias = tuple[str, str]
"""A collection and an id in it."""


class References:
    """Who names whom, both ways."""

    def __init__(self) -> None:
        self._targets: dict[Where, frozenset[Where]] = {}
        self._owners: dict[Where, dict[Where, None]] = {}

    def set(self, owner: Where, targets: Iterable[Where]) -> None:
        """`owner` names exactly these from now on."""
        wanted = dict.fromkeys(targets)
        for target in self._targets.pop(owner, frozenset()):
            self._owners[target].pop(owner, None)
        for target in wanted:
            self._owners.setdefault(target, {})[owner] = None
        if wanted:
            self._targets[owner] = frozenset(wanted)

    def owners(self, target: Where, collection: str = "") -> list[str]:
        """The ids of those that name `target`, of one collection when it is named, in the order they began to."""
        return [id for kind, id in self._owners.get(target, ()) if collection in ("", kind)]

    def clear(self) -> None:
        """Forget everything."""
        self._targets.clear()
        self._owners.clear()
