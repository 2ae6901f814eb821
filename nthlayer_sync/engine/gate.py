"""gate: what a write waits for before it may be made.

Rules are asked one after the other; the first that has something to say decides. Those here hold for every run. The
daemon adds its own: approvals, freezes, windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec

from nthlayer_sync.blueprint.document import PAUSED
from nthlayer_sync.engine.decide import RECREATES
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Change, Refusal
from nthlayer_sync.model.ref import EntityRef

Gate = Callable[[EntityRef, Change], str]
"""Says what a write of a subject waits for, "" where it may be made."""


@dataclass(frozen=True)
class Gates:
    """Every rule, and the guards that refused the same plan when it was made before."""

    rules: tuple[Gate, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    protected: tuple[str, ...] = ()
    """Patterns of configs that are never deleted without being named."""

    def pass_(self, ref: EntityRef, change: Change, id: str) -> Change:
        """The change, or one that waits in its place."""
        if not change.action.writes:
            return change
        reason = next((reason for rule in self.rules if (reason := rule(ref, change))), "") or self._refused(change, id)
        return msgspec.structs.replace(change, action=Action.WAIT, reason=reason) if reason else change

    def _refused(self, change: Change, id: str) -> str:
        for refusal in self.refusals:
            held = {
                "deletes": change.action is Action.DELETE,
                "updates": change.action is Action.UPDATE,
                "recreates": change.reason == RECREATES,
                "protected": change.action is Action.DELETE
                and refusal.message.startswith(f"{id} ")
                and any(fnmatchcase(id, pattern) for pattern in self.protected),
            }
            if held.get(refusal.guard):
                return f"{GUARD}{refusal.guard}: {refusal.message}"
        return ""


GUARD = "guard "
"""How the reason of a change begins that a guard holds."""


def standing_rules(generator: Generator, entity_of: Callable[[EntityRef], Entity | None]) -> Iterable[Gate]:
    """The rules of every run: kinds that are only observed, and entities whose people paused them."""

    def observed(ref: EntityRef, change: Change) -> str:
        if change.kind not in generator.kinds:
            return ""
        policy = generator.plugin(change.kind).settings.policy_of(change.kind)
        return f"{change.kind} is only observed, as the settings say" if policy == "observe" else ""

    def paused(ref: EntityRef, change: Change) -> str:
        entity = entity_of(ref)
        reason = entity.annotations.get(PAUSED, "") if entity else ""
        return f"paused by {PAUSED}: {reason[:200]}" if reason else ""

    return observed, paused
