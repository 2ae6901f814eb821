"""What both engines store, and in which form: the rows of memory and journal, packed and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Applied, Part, Plan, Wanted
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Event, Run
from nthlayer_sync.sdk.store import RECREATE, Entry, Kept, Memory, Planned, Recollection, Trace

pack = msgspec.msgpack.encode
plan_of = msgspec.msgpack.Decoder(Plan).decode
part_of = msgspec.msgpack.Decoder(Part).decode
entry_of = msgspec.msgpack.Decoder(Entry).decode
kept_of = msgspec.msgpack.Decoder(Kept).decode
entity_of = msgspec.msgpack.Decoder(Entity).decode
run_of = msgspec.msgpack.Decoder(Run).decode
_event = msgspec.msgpack.Decoder(Event)
_wanted = msgspec.msgpack.Decoder(tuple[Wanted, ...])
_applied = msgspec.msgpack.Decoder(tuple[Applied, ...])

MEMORY = "select subject, fingerprint, uid, wanted, applied, sum from memory"
"""The columns that `memory_of` takes."""

RECOLLECTED = "subject, fingerprint, uid, wanted, applied, sum, settled, astray"
"""The columns of `memory` that `recollection` takes."""


class Damaged(Exception):
    """What is stored is not what was written."""


class MemoryRow(NamedTuple):
    """A row of `memory`; its fields are the columns, in order."""

    subject: EntityRef
    fingerprint: bytes
    uid: str
    settled: bool
    astray: bool
    wanted: bytes
    applied: bytes
    sum: int


class JournalRow(NamedTuple):
    """A row of `journal`; its fields are the columns, in order, behind the number."""

    key: str
    plan: str
    entry: bytes
    done: bool
    subject: EntityRef
    kind: str
    name: str
    owner: str
    action: str
    at: float


def memory_of(ref: str, fingerprint: bytes, uid: str, wanted: bytes, applied: bytes, total: int) -> Memory:
    """A memory from the columns of `MEMORY`; `Damaged` where its checksum is wrong."""
    if total != _sum(ref, applied):
        raise Damaged(f"what is remembered of {ref} is not what was stored")
    return Memory(fingerprint, uid, _wanted.decode(wanted), _applied.decode(applied))


class Seen(msgspec.Struct, frozen=True):
    """The entities of a source as they were at a generation: only what changed since has to be read again."""

    generation: int = -1
    entities: dict[EntityRef, Entity] = {}

    def brought_up(self, generation: int, refs: Iterable[EntityRef], new: Mapping[EntityRef, bytes]) -> Seen:
        """As they are at a later one, in order of `refs`."""
        return Seen(generation, {ref: entity_of(new[ref]) if ref in new else self.entities[ref] for ref in refs})

    def within(self, head: bytes) -> Kept:
        """All that the source is held to have said, from all but its entities."""
        return msgspec.structs.replace(kept_of(head), entities=tuple(self.entities.values()))


def recollection(rows: Iterable[Sequence[Any]], fingerprints: Mapping[EntityRef, bytes], open: bool) -> Recollection:
    """What is remembered of some subjects from the columns of `RECOLLECTED`."""
    traces: dict[EntityRef, Trace] = {}
    memories: dict[EntityRef, Memory] = {}
    for ref, fingerprint, uid, wanted, applied, total, settled, astray in rows:
        traces[ref] = Trace(fingerprint, bool(settled), bool(astray))
        if not settled or fingerprints[ref] != fingerprint:
            memories[ref] = memory_of(ref, fingerprint, uid, wanted, applied, total)
    return Recollection(traces, memories, open)


def planned_row(row: Planned, memory: Memory) -> MemoryRow:
    """What planning remembers of a subject. What is applied counts only where nothing is remembered yet."""
    left = row.part is not None and any(not (c.action.writes or c.action is Action.ADOPT) for c in row.part.changes)
    applied = pack(memory.applied)
    return MemoryRow(
        row.subject,
        memory.fingerprint,
        memory.uid,
        row.part is None,
        row.astray or left,
        pack(memory.wanted),
        applied,
        _sum(row.subject, applied),
    )


def applied_row(
    ref: EntityRef, memory: Memory, astray: bool, changed: Mapping[tuple[str, str], Applied | None]
) -> tuple[MemoryRow | None, Counter[str]]:
    """What is remembered of a subject after some of its configs (by kind and name) were applied; None to forget it.

    With it comes how the numbers of what is applied change, by scope.
    """
    kept: dict[tuple[str, str], Applied | None] = {(config.kind, config.name): config for config in memory.applied}
    kept.update(changed)
    applied = tuple(config for config in kept.values() if config is not None)
    counts = _counted(memory.applied, applied)
    if not applied and not memory.wanted:
        return None, counts
    after = Memory(memory.fingerprint, memory.uid, memory.wanted, applied)
    packed, settled = pack(applied), after.complete and not astray
    total = _sum(ref, packed)
    return MemoryRow(ref, after.fingerprint, after.uid, settled, astray, pack(after.wanted), packed, total), counts


def journal_row(entry: Entry) -> JournalRow:
    """A line of the journal with the columns by which it is found and counted."""
    known = entry.intended or entry.applied
    owner = (known.owner if known else None) or "nobody"
    again = entry.action is Action.CREATE and entry.applied is not None
    action, id = RECREATE if again else entry.action, entry.id
    return JournalRow(
        entry.key, entry.plan, pack(entry), entry.done, id.subject, id.kind, id.name, owner, action, entry.at
    )


def event_of(packed: bytes, number: int) -> Event:
    """An event with the number that the store gave it."""
    return msgspec.structs.replace(_event.decode(packed), number=number)


def by_scope(rows: Iterable[tuple[str, str, str, int]]) -> dict[str, dict[str, int]]:
    """Numbers of writes by kind, owner and action, added up for each kind and each owner; "" counts all."""
    found: dict[str, Counter[str]] = {}
    for kind, owner, action, count in rows:
        for scope in ("", kind, owner):
            found.setdefault(scope, Counter())[action] += count
    return {scope: dict(counts) for scope, counts in found.items()}


def _sum(ref: str, applied: bytes) -> int:
    """A checksum of what a delete rests on, so that a damaged row deletes nothing."""
    return crc32(applied, crc32(ref.encode()))


def _counted(before: Iterable[Applied], after: Iterable[Applied]) -> Counter[str]:
    changed: Counter[str] = Counter()
    for configs, step in ((before, -1), (after, 1)):
        for config in configs:
            for scope in ("", config.kind, config.owner or "nobody"):
                changed[scope] += step
    return changed
