"""Tokens that the settings name by their digest."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from nthlayer_sync.daemon.person import Person
from nthlayer_sync.settings.serve import TokenSettings


class StaticTokens:
    """Knows the tokens of the settings."""

    def __init__(self, tokens: Iterable[TokenSettings]) -> None:
        self._tokens = tuple(tokens)

    def person(self, token: str) -> Person | None:
        """Whose token it is, None where it is nobody's. Each is compared whole, so that time tells nothing of them."""
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
        found = None
        for each in self._tokens:
            if hmac.compare_digest(digest, each.sha256):
                found = each
        return Person(name=found.name, role=found.role, groups=frozenset()) if found else None
