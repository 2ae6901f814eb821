"""How many changes are not made, and why: they wait, are held, or somebody else changed what is live."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change
from nthlayer_sync.sdk.store import SharedStore

REASONS = {
    "approval of ": "approval",
    "freeze ": "freeze",
    "guard ": "guard",
    "paused by ": "pause",
    "window ": "window",
}
"""What a change waits for, by how its reason begins."""
OTHER = "other"
CONTESTED = "contested:"
"""How the reason of a config begins that somebody else writes again and again."""
_AT_ONCE = 500


@dataclass
class Unsettled:
    """Counts of changes; a delete that waits counts as held too."""

    waiting: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys((*REASONS.values(), OTHER), 0)))
    held: int = 0
    drifted: int = 0
    contested: int = 0
    refused: int = 0

    def add(self, change: Change) -> None:
        """Count one change."""
        match change.action:
            case Action.WAIT:
                begins = (name for words, name in REASONS.items() if change.reason.startswith(words))
                self.waiting[next(begins, OTHER)] += 1
                self.held += not change.digest
            case Action.HOLD:
                self.held += 1
            case Action.KEEP:
                contested = change.reason.startswith(CONTESTED)
                self.contested += contested
                self.drifted += not contested
            case Action.REFUSE:
                self.refused += 1
            case _:
                pass


async def unsettled(store: SharedStore) -> Unsettled:
    """The counts of all subjects, read piece by piece: after a pause of everything there may be 250,000 changes."""
    found = Unsettled()
    after = ""
    while parts := await store.open_parts(after=after, limit=_AT_ONCE):
        for _, part in parts:
            for change in part.changes:
                found.add(change)
        after = parts[-1][1].subject
    return found
