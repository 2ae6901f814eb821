"""Who asks, and what they may do."""

from __future__ import annotations

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.settings.serve import Role

_RANKS: dict[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}


class NotAllowed(PermanentError):
    """The person may not do this."""


class Person(msgspec.Struct, frozen=True):
    """Somebody, or a program, that was let in. `groups` are those that it belongs to, and what they own is its own."""

    name: str
    role: Role = "viewer"
    groups: frozenset[EntityRef] = frozenset()

    def may(self, role: Role) -> bool:
        """Whether its role is this one or a higher one."""
        return _RANKS[self.role] >= _RANKS[role]

    def owns(self, owner: EntityRef | None) -> bool:
        """Whether what has this owner is its own."""
        return owner is not None and owner in self.groups

    def require(self, role: Role, what: str) -> None:
        """NotAllowed where its role is not enough."""
        if not self.may(role):
            raise NotAllowed(f"{self.name} is {_article(self.role)}, and {what} takes {_article(role)}")


def _article(role: Role) -> str:
    return f"{'a' if role == 'viewer' else 'an'} {role}"
