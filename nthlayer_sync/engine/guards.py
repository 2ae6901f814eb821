"""Guards over a whole plan, before its first write: a plan that would do too much at once is refused.

The limits stand in the tier table under `guards`. A refusal prints the numbers and the exact words that let the plan
pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from nthlayer_sync.blueprint.tiers import Guards, Limit
from nthlayer_sync.engine.decide import RECREATES
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part, Refusal
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import RECREATE


@dataclass(frozen=True)
class Consent:
    """What a person agreed to for one run, in numbers, so that agreeing to one thing lets no other pass."""

    deletes: int = 0
    updates: int = 0
    protected: frozenset[str] = frozenset()
    recreates: int = 0


@dataclass(frozen=True)
class Lately:
    """What small plans wrote lately, by kind and by owner ("" counts all): it counts together with the next plan.

    Without that, ten plans of one delete each would pass where one of ten would not.
    """

    written: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])

    def count(self, scope: str, action: str) -> int:
        """How many of one scope."""
        return self.written.get(scope, {}).get(action, 0)


@dataclass
class Tally:
    """What a plan does, counted while it is made."""

    actions: dict[str, Counter[Action]] = field(default_factory=dict[str, Counter[Action]])
    recreates: Counter[str] = field(default_factory=Counter[str])
    """Configs by kind that were removed outside and would be made again."""
    deletes_by_owner: Counter[EntityRef] = field(default_factory=Counter[EntityRef])
    protected: list[ConfigId] = field(default_factory=list[ConfigId])

    def add(self, part: Part, protected: tuple[str, ...]) -> None:
        """Count the changes of one subject."""
        for change in part.changes:
            self.actions.setdefault(change.kind, Counter())[change.action] += 1
            self.recreates[change.kind] += change.reason == RECREATES
            if change.action is Action.DELETE:
                self._deleted(part, change, protected)

    def total(self, action: Action) -> int:
        """How many configs have this action."""
        return sum(count[action] for count in self.actions.values())

    def _deleted(self, part: Part, change: Change, protected: tuple[str, ...]) -> None:
        if change.owner:
            self.deletes_by_owner[change.owner] += 1
        id = part.id(change)
        if any(fnmatchcase(str(id), pattern) for pattern in protected):
            self.protected.append(id)


@dataclass(frozen=True)
class Existing:
    """How much is applied: what a share is a share of. `scopes` are kinds and owners."""

    total: int = 0
    scopes: Mapping[str, int] = field(default_factory=dict[str, int])


def guard(
    tally: Tally, existing: Existing, guards: Guards, consent: Consent, lately: Lately = Lately()
) -> tuple[Refusal, ...]:
    """Everything that speaks against applying the plan."""
    refusals: list[Refusal] = []
    deletes, updates = tally.total(Action.DELETE), tally.total(Action.UPDATE)
    if deletes > consent.deletes:
        counts = {"": deletes} | {kind: n[Action.DELETE] for kind, n in sorted(tally.actions.items())}
        over = [
            _over(_Scope(scope, lately.count(scope, Action.DELETE), count, existing), "deletes", guards.deletes, guards)
            for scope, count in counts.items()
            if count
        ]
        over += _emptied_owners(tally.deletes_by_owner, existing.scopes)
        if messages := [message for message in over if message]:
            refusals.append(Refusal("deletes", "; ".join(messages), f"--allow-deletes {deletes}"))
    if updates > consent.updates:
        scope = _Scope("", lately.count("", Action.UPDATE), updates, existing)
        if message := _over(scope, "updates", guards.updates, None):
            refusals.append(Refusal("updates", message, f"--allow-updates {updates}"))
    if (recreates := tally.recreates.total()) > consent.recreates:
        counts = {"": recreates} | dict(sorted(tally.recreates.items()))
        over = [
            _over(_Scope(scope, lately.count(scope, RECREATE), count, existing), "recreations", guards.recreates, None)
            for scope, count in counts.items()
        ]
        if messages := [message for message in over if message]:
            refusals.append(Refusal("recreates", "; ".join(messages), f"--allow-recreates {recreates}"))
    refusals += [
        Refusal("protected", f"{id} is protected and would be deleted", f"--allow-protected '{id}'")
        for id in tally.protected
        if str(id) not in consent.protected
    ]
    return tuple(refusals)


@dataclass(frozen=True)
class _Scope:
    """All configs (""), or those of a kind: how many were written lately, would be now, and are there."""

    name: str
    lately: int
    now: int
    existing: Existing

    @property
    def count(self) -> int:
        return self.lately + self.now

    @property
    def before(self) -> int:
        return self.existing.total if not self.name else self.existing.scopes.get(self.name, 0)

    def __str__(self) -> str:
        also = f", {self.lately} of them lately" if self.lately else ""
        return f"{self.before} of {self.name or 'all configs'}{also}"


def _over(scope: _Scope, what: str, limit: Limit, guards: Guards | None) -> str:
    """Why it is too many, or ""."""
    count, before = scope.count, scope.before
    if guards is not None:
        before += scope.lately  # deletes: they were there
    if guards is not None and before < guards.small_set.below:
        most = guards.small_set.deletes
        return f"{count} {what} of the {scope}, {most} at most among so few" if count > most else ""
    if count > limit.count:
        return f"{count} {what} of the {scope}, {limit.count} at most"
    if count > max(float(limit.share.ratio) * before, limit.floor, 1):
        return f"{count} {what} of the {scope}, more than {limit.share}"
    return ""


def _emptied_owners(deletes: Mapping[EntityRef, int], existing: Mapping[str, int]) -> list[str]:
    """Owners that would lose everything: an owner is renamed far more often than all it owns is retired."""
    return [
        f"{owner} would lose all of its {count} configs"
        for owner, count in sorted(deletes.items())
        if count >= existing.get(owner, 0) > 0
    ]
