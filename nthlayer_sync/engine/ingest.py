"""ingest: what the sources said, made safe to act on.

An entity that a source no longer shows stays in force until its absence is proven: by complete reads, more than one,
some time apart. A source that fails, is cut short or shrinks suddenly therefore changes nothing but what it positively
says.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.blueprint.tiers import Guards
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import SourceState
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.store import Absence, Kept


class Ingested(msgspec.Struct, frozen=True):
    """What a source is held to say now, how that came about, and what a person should know of that."""

    kept: Kept
    state: SourceState
    diagnoses: tuple[Diagnosis, ...] = ()


def ingest(
    previous: Kept | None,
    snapshot: Snapshot,
    guards: Guards,
    now: float,
    *,
    gone: frozenset[EntityRef] = frozenset(),
    shrink_allowed: bool = False,
    alone: bool = False,
) -> Ingested:
    """Lay a snapshot over what its source was held to say before.

    `now` is in seconds since 1970. `gone` are entities whose absence a person vouches for. `shrink_allowed` says that a
    person has seen how much the source shrank. `alone` says that no other source was read with it: what it lost another
    may show by now, so nothing is gone yet.
    """
    if previous is None:
        previous = Kept()
    completeness, reason = _trust(previous, snapshot, guards, shrink_allowed)
    state = SourceState(snapshot.source, completeness, reason, snapshot.digest)
    notes: list[Diagnosis] = []
    if completeness is not Completeness.COMPLETE:
        notes.append(_note("source-incomplete", f"source {snapshot.source} is {completeness}: {reason}"))
    if completeness is Completeness.FAILED:
        return Ingested(previous, state, tuple(notes))

    known = {entity.ref: entity for entity in previous.entities}
    shown: dict[EntityRef, Entity] = {}
    for entity in snapshot.entities:
        if entity.ref in shown:
            message = f"source {snapshot.source} shows {entity.ref} twice; the first one is taken"
            notes.append(_note("entity-twice", message, entity))
            continue
        old = known.get(entity.ref)
        # What did not change stays the very same object, which costs nothing to compare again.
        shown[entity.ref] = old if old is not None and old == entity else entity
    renamed = {entity.identity for entity in shown.values() if entity.ref not in known} - {""}
    missing = [e for e in previous.entities if e.ref not in shown and e.identity not in renamed]
    absent: dict[EntityRef, Absence] = {}
    ghosts: list[Entity] = []
    for entity in missing:
        before = previous.absent.get(entity.ref)
        complete = completeness is Completeness.COMPLETE and not _held_back(entity, snapshot)
        seen = _count(before, now, guards) if complete else before
        if entity.ref in gone or (complete and not alone and seen is not None and _proven(seen, now, guards)):
            notes.append(_note("entity-gone", f"{entity.ref} is gone from source {snapshot.source}", entity))
            continue
        ghosts.append(entity)
        if seen is not None:
            absent[entity.ref] = seen
            wait = f"{seen.reads} of {guards.absence.reads} reads, {guards.absence.apart} apart"
            notes.append(
                _note("entity-missing", f"{entity.ref} is missing from source {snapshot.source} ({wait})", entity)
            )
    taken = msgspec.structs.replace(snapshot, entities=tuple(shown.values()), completeness=completeness)
    return Ingested(_keep(previous, taken, ghosts, absent), state, tuple(notes))


def _held_back(entity: Entity, snapshot: Snapshot) -> bool:
    """Whether the source still has it, only not in a form that can be taken."""
    return entity.ref in snapshot.refused or entity.place in snapshot.unread


def _trust(previous: Kept, snapshot: Snapshot, guards: Guards, shrink_allowed: bool) -> tuple[Completeness, str]:
    """A complete read that shows much less than the largest before it, or other things, is held to be incomplete."""
    if snapshot.completeness is not Completeness.COMPLETE or shrink_allowed:
        return snapshot.completeness, snapshot.reason
    if previous.scope not in ("", snapshot.scope):
        return Completeness.INCOMPLETE, (
            f"it covers {snapshot.scope} now and {previous.scope} before, so what it no longer shows stays until you "
            f"agree with --allow-shrink {snapshot.source}"
        )
    count, high = len(snapshot.entities), previous.high_water
    lost = high - count
    limit = max(float(guards.shrink.ratio) * high, guards.small_set.deletes if high < guards.small_set.below else 0)
    if lost <= limit:
        return snapshot.completeness, snapshot.reason
    return Completeness.INCOMPLETE, (
        f"it shows {count} entities, {lost} fewer than the {high} it has shown; more than {guards.shrink} at once is "
        f"not believed before you agree with --allow-shrink {snapshot.source}"
    )


def _count(before: Absence | None, now: float, guards: Guards) -> Absence:
    """Reads count only when they are far enough apart from the first; a clock that was put back starts anew."""
    if before is None or now < before.since:
        return Absence(now, 1)
    far = now - before.since >= guards.absence.apart.seconds
    return Absence(before.since, guards.absence.reads if far else min(before.reads + 1, guards.absence.reads - 1))


def _proven(seen: Absence, now: float, guards: Guards) -> bool:
    return seen.reads >= guards.absence.reads and now - seen.since >= guards.absence.apart.seconds


def _keep(previous: Kept, snapshot: Snapshot, ghosts: list[Entity], absent: dict[EntityRef, Absence]) -> Kept:
    complete = snapshot.completeness is Completeness.COMPLETE
    held = {entity.ref for entity in ghosts}
    edges, facts, blueprints = list(snapshot.edges), list(snapshot.facts), dict(snapshot.blueprints)
    if not complete:  # what an incomplete read says nothing of stays as it was
        told = {edge.source for edge in edges} | {fact.entity for fact in facts}
        held |= {fact.entity for fact in previous.facts if fact.entity not in told}
        held |= {edge.source for edge in previous.edges if edge.source not in told}
    if held:
        edges += [edge for edge in previous.edges if edge.source in held]
        facts += [fact for fact in previous.facts if fact.entity in held]
        blueprints |= {ref: file for ref, file in previous.blueprints.items() if ref in held}
    entities = (*snapshot.entities, *ghosts)
    return Kept(
        scope=snapshot.scope if complete or not ghosts else previous.scope,
        # An incomplete read must be read again even when the next one looks the same.
        read_digest=snapshot.digest if complete and not absent else "",
        entities=entities,
        edges=tuple(edges),
        facts=tuple(facts),
        blueprints=blueprints,
        diagnoses=snapshot.diagnoses,
        absent=absent,
        high_water=len(snapshot.entities) if complete else previous.high_water,
    )


def _note(code: str, message: str, entity: Entity | None = None) -> Diagnosis:
    return Diagnosis(code=code, message=message, severity=Severity.WARNING, entity=entity.ref if entity else "")
