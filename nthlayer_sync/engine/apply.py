"""apply: a reviewed plan, made so.

What is written is what was reviewed: each config is generated again, and one that no longer has the planned digest is
left out with the advice to plan again. Before each batch its intent is in the journal, after it what became of it; a
crash between the two leaves lines open, and the next plan looks at what they name before it believes what it remembers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.plan import Applied, Change, Part, Plan, content_sum
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.store import Entry, Store
from nthlayer_sync.sdk.target import Target

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

ROOTS_AT_ONCE = 8
"""Batches written at the same time, each to a root of its own."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Write:
    """One change on its way: `subject` makes its config again."""

    part: Part
    change: Change

    @property
    def id(self) -> ConfigId:
        return self.part.id(self.change)


@dataclass
class _Batch:
    """What is written together: everything for one root at one level of requirements."""

    target: Target
    root: str
    writes: list[_Write] = field(default_factory=list[_Write])


class Applier:
    """Applies one plan. `subject` gives a subject by reference, None when it is gone."""

    def __init__(self, store: Store, generator: Generator, subject: Callable[[EntityRef], Subject | None]) -> None:
        self._store = store
        self._generator = generator
        self._subject = subject
        self._failed: set[tuple[EntityRef, str]] = set()
        self._made: dict[EntityRef, dict[ConfigId, Config]] = {}

    async def apply(self, plan: Plan, parts: AsyncIterator[Part], progress: Progress = lambda _: None) -> list[Result]:
        """Make every change of `plan`; a change that fails stops only what requires it.

        PermanentError when the guards refused the plan.
        """
        if plan.refusals:
            raise PermanentError("; ".join(f"{r.message} ({r.override} lets it pass)" for r in plan.refusals))
        results: list[Result] = []
        levels = await self._levels(parts, results)
        gate = asyncio.Semaphore(ROOTS_AT_ONCE)

        async def run(batch: _Batch) -> list[Result]:
            async with gate:
                done = await self._batch(plan, batch)
            progress(len(done))
            return done

        for level in sorted(levels):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run(batch)) for batch in levels[level].values()]
            results += [result for task in tasks for result in task.result()]
        return results

    async def _levels(self, parts: AsyncIterator[Part], results: list[Result]) -> dict[int, dict[str, _Batch]]:
        """Writes by level and root; what only our memory has to learn is learnt at once."""
        ranks = self._ranks()
        levels: dict[int, dict[str, _Batch]] = {}
        remembered: dict[ConfigId, Applied | None] = {}
        async for part in parts:
            for change in part.changes:
                write = _Write(part, change)
                if change.action is Action.ADOPT:
                    remembered |= self._adopt(write)
                    results.append(Result(id=write.id, outcome=Outcome.UNCHANGED, revision=change.revision))
                elif change.action.writes:
                    target = self._generator.plugin(change.kind).target
                    level = -ranks[change.kind] if change.action is Action.DELETE else ranks[change.kind]
                    key = f"{target.name} {change.place.root}"
                    batch = levels.setdefault(level, {}).setdefault(key, _Batch(target, change.place.root))
                    batch.writes.append(write)
        if remembered:
            await self._store.finish([], remembered)
        return levels

    def _ranks(self) -> dict[str, int]:
        """A kind comes after what it requires, but what shares a target goes in one batch."""
        ranks: dict[str, int] = {}
        for name, kind in self._generator.kinds.items():
            target = self._generator.plugin(name).target
            ranks[name] = max(
                (ranks[r] + (self._generator.plugin(r).target is not target) for r in kind.requires if r in ranks),
                default=0,
            )
        return ranks

    def _adopt(self, write: _Write) -> Mapping[ConfigId, Applied | None]:
        change = write.change
        if not change.digest:
            return {write.id: None}
        config = self._config(write)
        content = self._generator.kinds[change.kind].content(config.spec)
        return {
            write.id: Applied(
                change.kind, change.name, change.digest, change.place, change.revision, content_sum(content)
            )
        }

    async def _batch(self, plan: Plan, batch: _Batch) -> list[Result]:
        """One batch from intent to memory."""
        results: list[Result] = []
        diffs: list[tuple[_Write, Diff]] = []
        for write in batch.writes:
            try:
                self._require(write)
                diffs.append((write, self._diff(write)))
            except Exception as error:  # bad input or a bug: it stops this config and what requires it
                results.append(self._fail(write, error))
        if not diffs:
            return results
        keys = {write.id: _key(write.change, write.id) for write, _ in diffs}
        entries = await self._entries(plan, [write for write, _ in diffs], keys)
        try:
            await self._store.intend(entries)
            done = await batch.target.write([diff for _, diff in diffs], _digest(*sorted(keys.values())))
        except Exception as error:  # whether anything was written is open; the journal says so until the next plan
            _log().warning("batch.failed", root=batch.root, configs=len(diffs), error=str(error))
            return results + [self._fail(write, error) for write, _ in diffs]
        await self._remember(diffs, entries, done)
        for (write, _), result in zip(diffs, done, strict=True):
            if result.outcome is Outcome.FAILED:
                self._failed.add((write.part.subject, write.change.kind))
        return results + done

    async def _remember(self, diffs: list[tuple[_Write, Diff]], entries: list[Entry], done: list[Result]) -> None:
        applied: dict[ConfigId, Applied | None] = {}
        closed: list[Entry] = []
        for (write, diff), entry, result in zip(diffs, entries, done, strict=True):
            if result.outcome is Outcome.FAILED:
                continue
            change = write.change
            if diff.desired is None:
                applied[write.id] = None
            else:
                total = content_sum(diff.after or "")
                applied[write.id] = Applied(
                    change.kind, change.name, change.digest, change.place, result.revision, total
                )
            closed.append(msgspec.structs.replace(entry, after=result.revision, done=True))
        await self._store.finish(closed, applied)

    async def _entries(self, plan: Plan, writes: list[_Write], keys: Mapping[ConfigId, str]) -> list[Entry]:
        """Journal lines, each with all it takes to put things back as they were."""
        memories = await self._store.memories({write.part.was or write.part.subject for write in writes})
        before = {
            (ref, applied.kind, applied.name): applied for ref, memory in memories.items() for applied in memory.applied
        }
        return [
            Entry(
                key=keys[write.id],
                plan=plan.id,
                id=write.id,
                action=write.change.action,
                place=write.change.place,
                before=write.change.revision,
                applied=before.get((write.part.was or write.part.subject, write.change.kind, write.change.name)),
            )
            for write in writes
        ]

    def _require(self, write: _Write) -> None:
        for required in self._generator.kinds[write.change.kind].requires:
            if (write.part.subject, required) in self._failed:
                raise PermanentError(f"{required} failed for {write.part.subject}, and {write.change.kind} requires it")

    def _diff(self, write: _Write) -> Diff:
        change = write.change
        actual = Observed(write.id, change.place, change.revision, None, marked=True) if change.revision else None
        if change.action is Action.DELETE:
            return Diff(write.id, change.action, None, actual)
        config = self._config(write)
        after = self._generator.kinds[change.kind].content(config.spec)
        return Diff(write.id, change.action, config, actual, after=after, was=change.was)

    def _config(self, write: _Write) -> Config:
        """The config as it was planned; TemporaryError when the sources say otherwise by now."""
        ref = write.part.subject
        if ref not in self._made:
            subject = self._subject(ref)
            made = self._generator.generate(subject).configs if subject is not None else ()
            self._made = {ref: {config.id: config for config in made}}  # one subject's: parts come subject by subject
        config = self._made[ref].get(write.id)
        if config is None or config.digest != write.change.digest or config.place != write.change.place:
            raise TemporaryError(f"{write.id} is no longer what was planned; plan again")
        return config

    def _fail(self, write: _Write, error: Exception) -> Result:
        self._failed.add((write.part.subject, write.change.kind))
        reason = str(error) if isinstance(error, Failure) else f"bug: {type(error).__name__}: {error}"
        return Result(id=write.id, outcome=Outcome.FAILED, reason=reason, temporary=isinstance(error, TemporaryError))


def _key(change: Change, id: ConfigId) -> str:
    """The idempotency key: the same change of the same live object has the same key, whoever asks and however often."""
    return _digest(str(id), change.action, change.digest, change.revision, str(change.place))


def _digest(*words: str) -> str:
    return blake2b("\0".join(words).encode(), digest_size=12).hexdigest()


def _log() -> BoundLogger:
    """The log, imported when something goes wrong: it costs 0.2 s, which a run without trouble should not pay."""
    import structlog

    return structlog.stdlib.get_logger(__name__)
