"""The role of who has several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from nthlayer_sync.settings.serve import Role

_RANKS: tuple[Role, ...] = get_args(Role)


def highest(role: Role, others: Iterable[Role]) -> Role:
    """The one that may do the most."""
    roles: tuple[Role, ...] = (role, *others)
    return max(roles, key=_RANKS.index)
