"""apply: a reviewed plan, made so.

What is written is what was reviewed: each config is generated again, and one that no longer has the planned digest is
left out with the advice to plan again. Before each batch its intent is in the journal, after it what became of it; a
crash between the two leaves lines open, and the next plan looks at what they name before it believes what it remembers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from nthlayer_sync.engine.batch import Batch, Step, Write, in_batches, key_of
from nthlayer_sync.engine.decide import OVERWRITES
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import own_state, read_parts
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Change, Part, Plan, content_sum
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.store import Entry, Store

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

ROOTS_AT_ONCE = 8
"""Batches written at the same time, each to a root of its own."""

Progress = Callable[[int], None]


class Applier:
    """Applies one plan. `subject` gives a subject by reference, None when it is gone."""

    def __init__(self, store: Store, generator: Generator, subject: Callable[[EntityRef], Subject | None]) -> None:
        self._store = store
        self._generator = generator
        self._subject = subject
        self._failed: set[tuple[EntityRef, str]] = set()
        self._arrived: dict[ConfigId, Applied] = {}
        self._journal: dict[str, Entry] = {}
        self._left: dict[str, dict[str, str]] = {}
        self._made: dict[EntityRef, dict[ConfigId, Config]] = {}

    async def apply(self, plan: Plan, parts: AsyncIterator[Part], progress: Progress = lambda _: None) -> list[Result]:
        """Make every change of `plan`; a change that fails stops only what requires it.

        PermanentError when the guards refused the plan.
        """
        if plan.refusals:
            raise PermanentError("; ".join(f"{r.message} ({r.override} lets it pass)" for r in plan.refusals))
        results: list[Result] = []
        self._journal = {entry.key: entry for entry in await self._store.journal(plan.id)}
        adopted: list[Write] = []
        levels = await in_batches(self._generator, parts, adopted)
        roots = {batch.name: batch for level in levels.values() for batches in level.values() for batch in batches}
        seen = await self._store.roots()
        await self._store.see_roots(dict.fromkeys(roots, ""))  # until it is known what is left there
        gate = asyncio.Semaphore(ROOTS_AT_ONCE)

        async def run(batches: list[Batch]) -> list[Result]:
            done: list[Result] = []
            for batch in batches:
                async with gate:
                    made = await self._batch(plan, batch)
                progress(len(made))
                done += made
            return done

        for level in sorted(levels):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run(batches)) for batches in levels[level].values()]
            results += [result for task in tasks for result in task.result()]
        states = {
            name: await own_state(batch.target, batch.root, seen.get(name, ""), self._left.get(name, {}))
            for name, batch in roots.items()
        }
        await self._store.see_roots(states)
        return results + (await self._adopt_all(adopted) if adopted else [])

    async def _adopt_all(self, writes: list[Write]) -> list[Result]:
        """Learn what is live already, as it is after everything else was written: a file may hold several configs."""
        paths: dict[tuple[str, str], dict[ConfigId, str]] = {}
        for write in writes:
            paths.setdefault((write.change.kind, write.root), {})[write.id] = write.change.place.path
        observed: dict[ConfigId, Observed] = {}
        trouble: dict[ConfigId, str] = {}
        for (kind, root), wanted in paths.items():
            found = await read_parts(self._generator.plugin(kind).target, root, wanted)
            observed |= found[0]
            trouble |= found[1]
        results: list[Result] = []
        remembered: dict[ConfigId, Applied | None] = {}
        moved: dict[str, str] = {}
        for write in writes:
            try:
                if write.id in trouble:
                    raise TemporaryError(trouble[write.id])
                made = remembered[write.id] = self._adopted(write, observed.get(write.id))
                revision = made.revision if made else ""
                if revision != write.change.revision:
                    moved[f"{self._generator.plugin(write.change.kind).target.name} {write.root}"] = ""
                results.append(Result(id=write.id, outcome=Outcome.UNCHANGED, revision=revision))
            except Exception as error:  # bad input or a bug: it stops this config only
                results.append(self._fail(write, error))
        await self._store.see_roots(moved)
        await self._store.finish([], remembered)
        return results

    def _adopted(self, write: Write, observed: Observed | None) -> Applied | None:
        """What is applied, where live still is what was to be adopted."""
        change = write.change
        config = self._config(write) if change.digest else None
        content = observed.content if observed else None
        if config is None and content is None:
            return None
        plugin = self._generator.plugin(change.kind)
        if config is None or content is None or plugin.reconcile(config, observed).action is not Action.NOTHING:
            raise TemporaryError(f"{change.place} changed since the plan; plan again")
        revision = observed.revision if observed else ""
        return Applied(
            change.kind, change.name, change.digest, change.place, revision, content_sum(content), change.owner
        )

    async def _batch(self, plan: Plan, batch: Batch) -> list[Result]:
        """One batch from intent to memory."""
        results: list[Result] = []
        steps: list[Step] = []
        try:
            applied = await self._applied(batch)
            stood = await self._stood(batch, applied)
            for write in batch.writes:
                try:
                    steps.append(self._step(plan, write, applied.get(write.id), stood.get(write.id)))
                except Exception as error:  # bad input or a bug: it stops this config and what requires it
                    results.append(self._fail(write, error))
            if steps:
                results += await self._write(batch, steps)
        except Exception as error:  # whether anything was written is open; the journal says so until the next plan
            _log().warning("batch.failed", root=batch.root, configs=len(batch.writes), error=str(error))
            said = {result.id for result in results}
            results += [self._fail(write, error) for write in batch.writes if write.id not in said]
        return results

    async def _write(self, batch: Batch, steps: list[Step]) -> list[Result]:
        await self._store.intend([entry for step in steps for entry in step.entries])
        key = key_of(*sorted(step.entries[0].key for step in steps))
        done = await batch.send([step.diff for step in steps], key)
        await self._remember(batch, list(zip(steps, done, strict=True)))
        return [result for step, result in zip(steps, done, strict=True) if not self._half_way(step, result)]

    def _half_way(self, step: Step, result: Result) -> bool:
        """Whether the other half of a move speaks for this one."""
        return step.write.emigrates and not step.write.leaving and result.outcome is not Outcome.FAILED

    async def _remember(self, batch: Batch, done: list[tuple[Step, Result]]) -> None:
        applied: dict[ConfigId, Applied | None] = {}
        closed: list[Entry] = []
        never: list[Entry] = []
        left = sorted({place.path for step, _ in done if (place := step.write.old_place) is not None})
        remains = await batch.target.revisions(batch.root, left) if left else dict[str, str]()
        for step, result in done:
            write = step.write
            if result.outcome is Outcome.FAILED:
                self._failed.add((write.part.subject, write.change.kind))
                before = [self._journal.get(entry.key) for entry in step.entries]
                closed += [entry for entry in before if entry is not None]
                never += [entry for entry, known in zip(step.entries, before, strict=True) if known is None]
                continue
            made = self._made_of(step, result)
            if self._half_way(step, result) and made is not None:
                self._arrived[write.id] = made
            else:
                applied[write.id] = made
            for entry in step.entries:
                after = result.revision if entry.place == write.change.place else remains.get(entry.place.path, "")
                closed.append(msgspec.structs.replace(entry, after=after, done=True))
                self._left.setdefault(batch.name, {})[entry.place.path] = after
        await self._store.finish(closed, applied)
        if never:
            await self._store.forget_entries(never)

    def _made_of(self, step: Step, result: Result) -> Applied | None:
        """What is applied once a step is done."""
        change, diff = step.write.change, step.diff
        if step.write.leaving:
            return self._arrived[step.write.id]
        if diff.desired is None:
            return None
        total = content_sum(diff.after or "")
        return Applied(change.kind, change.name, change.digest, change.place, result.revision, total, change.owner)

    async def _applied(self, batch: Batch) -> dict[ConfigId, Applied]:
        """What is remembered of the batch's configs."""
        subjects = {ref: write.part.subject for write in batch.writes for ref in _names(write.part)}
        return {
            ConfigId(applied.kind, subjects[ref], applied.name): applied
            for ref, memory in (await self._store.memories(subjects)).items()
            for applied in memory.applied
        }

    async def _stood(self, batch: Batch, applied: Mapping[ConfigId, Applied]) -> dict[ConfigId, Observed | Failure]:
        """What stands now where configs of the batch move away from; a failure where that is not what we left."""
        moving = {write.id: write for write in batch.writes if write.old_place is not None}
        paths = {id: place.path for id, write in moving.items() if (place := write.old_place) is not None}
        if not paths:
            return {}
        observed, trouble = await read_parts(batch.target, batch.root, paths)
        stood: dict[ConfigId, Observed | Failure] = {id: PermanentError(reason) for id, reason in trouble.items()}
        for id, found in observed.items():
            enforced = moving[id].change.reason == OVERWRITES
            ours = id in applied and found.content is not None and content_sum(found.content) == applied[id].sum
            if found.content is None or ours or enforced:
                stood[id] = found
            else:
                stood[id] = TemporaryError(f"{found.place} was changed by hand, so {id} does not move; plan again")
        return stood

    def _step(self, plan: Plan, write: Write, applied: Applied | None, stood: Observed | Failure | None) -> Step:
        self._require(write)
        if isinstance(stood, Failure):
            raise stood
        diff = self._diff(write, stood)
        entries: list[Entry] = []
        if not write.leaving:
            entry = self._entry(plan, write, applied, write.change.place, write.change.revision)
            entries.append(msgspec.structs.replace(entry, intended=_intended(write.change, diff)))
        if (place := write.old_place) is not None:
            entries.append(self._entry(plan, write, applied, place, stood.revision if stood else ""))
        return Step(write, diff, tuple(entries))

    def _entry(self, plan: Plan, write: Write, applied: Applied | None, place: Place, revision: str) -> Entry:
        """A journal line, with all it takes to put things back as they were, also when a plan is applied twice."""
        change = write.change
        key = key_of(str(write.id), change.action, change.digest, change.revision, str(change.place), str(place))
        known = self._journal.get(key)
        return Entry(
            key=key,
            plan=plan.id,
            id=write.id,
            action=change.action if place == change.place else Action.DELETE,
            place=place,
            before=known.before if known else revision,
            applied=known.applied if known else applied,
        )

    def _require(self, write: Write) -> None:
        if write.leaving and write.id not in self._arrived:
            raise PermanentError(f"{write.id} could not be written where it goes, so it stays where it is")
        for required in self._generator.kinds[write.change.kind].requires:
            if (write.part.subject, required) in self._failed:
                raise PermanentError(f"{required} failed for {write.part.subject}, and {write.change.kind} requires it")

    def _diff(self, write: Write, stood: Observed | None) -> Diff:
        change = write.change
        if write.leaving:
            assert change.was is not None
            return Diff(write.id, Action.DELETE, None, stood or Observed(write.id, change.was, "", None, marked=True))
        actual = Observed(write.id, change.place, change.revision, None, marked=True) if change.revision else None
        if change.action is Action.DELETE:
            return Diff(write.id, change.action, None, actual)
        config = self._config(write)
        after = self._generator.kinds[change.kind].content(config.spec)
        return Diff(write.id, change.action, config, actual, after=after, was=write.old_place)

    def _config(self, write: Write) -> Config:
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

    def _fail(self, write: Write, error: Exception) -> Result:
        self._failed.add((write.part.subject, write.change.kind))
        reason = str(error) if isinstance(error, Failure) else f"bug: {type(error).__name__}: {error}"
        return Result(id=write.id, outcome=Outcome.FAILED, reason=reason, temporary=isinstance(error, TemporaryError))


def _intended(change: Change, diff: Diff) -> Applied | None:
    """What is to be remembered of a config that is written."""
    if diff.desired is None:
        return None
    total = content_sum(diff.after or "")
    return Applied(change.kind, change.name, change.digest, change.place, "", total, change.owner)


def _names(part: Part) -> tuple[EntityRef, ...]:
    """What its subject was called before, and is called now."""
    return (part.was, part.subject) if part.was else (part.subject,)


def _log() -> BoundLogger:
    """The log, imported when something goes wrong: it costs 0.2 s, which a run without trouble should not pay."""
    import structlog

    return structlog.stdlib.get_logger(__name__)
