"""apply: a reviewed plan, made so.

What is written is what was reviewed: each config is generated again, and one that no longer has the planned digest is
left out with the advice to plan again. Before each batch its intent is in the journal, after it what became of it; a
crash between the two leaves lines open, and the next plan looks at what they name before it believes what it remembers.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

import msgspec

from nthlayer_sync.engine.adopt import adopted, look
from nthlayer_sync.engine.batch import Batch, Step, Write, in_batches, key_of
from nthlayer_sync.engine.gate import Gate
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.log import log
from nthlayer_sync.engine.observe import own_state
from nthlayer_sync.engine.recover import open_lines
from nthlayer_sync.engine.remember import applied_now, intended, line_of, noted
from nthlayer_sync.engine.remotes import remotes_of, with_remotes
from nthlayer_sync.engine.standing import images, moving
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Part, Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.lease import check_lease
from nthlayer_sync.sdk.spans import span
from nthlayer_sync.sdk.store import Entry, Store
from nthlayer_sync.sdk.target import Restorable

ROOTS_AT_ONCE = 8
"""Batches written at the same time, each to a root of its own."""

Progress = Callable[[int], None]
Gating = Callable[[], Awaitable[Iterable[Gate]]]
"""Gives what writes have to pass now."""


class Applier:
    """Applies one plan. `subject` gives a subject by reference, None when it is gone."""

    def __init__(
        self,
        store: Store,
        generator: Generator,
        subject: Callable[[EntityRef], Subject | None],
        busy: Mapping[str, asyncio.Lock] | None = None,
        gates: Gating | None = None,
    ) -> None:
        """`busy` gives a lock by the name of a root, where several appliers may write to one at the same time.

        `gates` are asked once more before each batch: what has to wait since it was planned is not written.
        """
        self.roots: set[str] = set()
        """The repositories and accounts that were written to."""
        self._busy = defaultdict[str, asyncio.Lock](asyncio.Lock) if busy is None else busy
        self._store = store
        self._generator = generator
        self._subject = subject
        self._gates = gates
        self._failed: set[tuple[EntityRef, str]] = set()
        self._arrived: dict[ConfigId, Applied] = {}
        self._journal: dict[str, Entry] = {}
        self._open: Mapping[ConfigId, str] = {}
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
        self._open = open_lines(await self._store.journal(), self._generator, time.time())
        known: list[Write] = []
        levels = await in_batches(self._generator, parts, known)
        roots = {batch.name: batch for level in levels.values() for batches in level.values() for batch in batches}
        self.roots = {batch.root for batch in roots.values()}
        seen = await self._store.roots()
        await self._store.see_roots(dict.fromkeys(roots, ""))  # until it is known what is left there
        gate = asyncio.Semaphore(ROOTS_AT_ONCE)

        async def run(batches: list[Batch]) -> list[Result]:
            done: list[Result] = []
            for batch in batches:
                async with self._busy[batch.name], gate:
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
        return results + (await self._adopt(known) if known else [])

    async def _adopt(self, writes: list[Write]) -> list[Result]:
        """Learn what is live already, as it is after everything else was written: a file may hold several configs."""
        observed, trouble = await look(self._generator, writes)
        before = await self._applied(writes)
        results: list[Result] = []
        remembered: dict[ConfigId, Applied | None] = {}
        moved: dict[str, str] = {}
        for write in writes:
            try:
                if write.id in trouble:
                    raise TemporaryError(trouble[write.id])
                config = self._config(write, before) if write.change.digest else None
                found = observed.get(write.id)
                made = remembered[write.id] = adopted(self._generator, write.change, config, found, before)
                revision = made.revision if made else ""
                if revision != write.change.revision:
                    moved[f"{self._generator.target(write.change.kind, write.root).name} {write.root}"] = ""
                results.append(Result(id=write.id, outcome=Outcome.UNCHANGED, revision=revision))
            except Exception as error:  # bad input or a bug: it stops this config only
                results.append(self._fail(write, error))
        await self._store.see_roots(moved)
        await self._store.finish([], remembered)
        return results

    async def _batch(self, plan: Plan, batch: Batch) -> list[Result]:
        """One batch from intent to memory."""
        results: list[Result] = []
        steps: list[Step] = []
        try:
            applied = await self._applied(batch.writes)
            stood = await moving(batch, applied)
            before = await images(batch)
            gates = await self._gates() if self._gates else ()
            for write in batch.writes:
                try:
                    self._pass(write, gates)
                    steps.append(self._step(plan, write, applied, stood.get(write.id), before.get(write.id)))
                except Exception as error:  # bad input or a bug: it stops this config and what requires it
                    results.append(self._fail(write, error))
            if steps:
                with span("apply batch", configs=len(steps)):
                    results += await self._write(batch, steps)
        except Exception as error:  # whether anything was written is open; the journal says so until the next plan
            log().warning("batch.failed", root=batch.root, configs=len(batch.writes), error=str(error))
            said = {result.id for result in results}
            results += [self._fail(write, error) for write in batch.writes if write.id not in said]
        return results

    def _pass(self, write: Write, gates: Iterable[Gate]) -> None:
        """TemporaryError where the change has to wait by now; a move that is half made is finished."""
        waits = () if write.leaving else (gate(write.part.subject, write.change) for gate in gates)
        if reason := next(filter(None, waits), ""):
            raise TemporaryError(f"it waits since it was planned: {reason}")

    async def _write(self, batch: Batch, steps: list[Step]) -> list[Result]:
        await self._store.intend([entry for step in steps for entry in step.entries])
        check_lease()
        key = key_of(*sorted(step.entries[0].key for step in steps))
        done = [noted(step, r) for step, r in zip(steps, await batch.send([s.diff for s in steps], key), strict=True)]
        await self._remember(batch, list(zip(steps, done, strict=True)))
        return [result for step, result in zip(steps, done, strict=True) if not self._half_way(step, result)]

    def _half_way(self, step: Step, result: Result) -> bool:
        """Whether the other half of a move speaks for this one."""
        return step.write.emigrates and not step.write.leaving and result.made

    async def _remember(self, batch: Batch, done: list[tuple[Step, Result]]) -> None:
        applied: dict[ConfigId, Applied | None] = {}
        closed: list[Entry] = []
        never: list[Entry] = []
        left = sorted({place.path for step, _ in done if (place := step.write.old_place) is not None})
        remains = await batch.target.revisions(batch.root, left) if left else dict[str, str]()
        for step, result in done:
            write = step.write
            if not result.made:
                self._failed.add((write.part.subject, write.change.kind))
            if result.outcome is Outcome.UNKNOWN:
                continue  # its lines stay open
            if not result.made:
                before = [self._journal.get(entry.key) for entry in step.entries]
                closed += [entry for entry in before if entry is not None and entry.done]
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
        content = result.content if result.content is not None else diff.after or ""
        remote = result.remote or (diff.actual.remote if diff.actual else "")
        made = applied_now(change, diff.desired, content, result.revision, remote)
        announced = step.entries[0].intended
        return msgspec.structs.replace(made, overwritten=announced.overwritten if announced else ())

    async def _applied(self, writes: Iterable[Write]) -> dict[ConfigId, Applied]:
        """What is remembered of all configs of the subjects."""
        subjects = {ref: write.part.subject for write in writes for ref in _names(write.part)}
        return {
            ConfigId(applied.kind, subjects[ref], applied.name): applied
            for ref, memory in (await self._store.memories(subjects)).items()
            for applied in memory.applied
        }

    def _step(
        self,
        plan: Plan,
        write: Write,
        applied: Mapping[ConfigId, Applied],
        stood: Observed | Failure | None,
        image: Observed | Failure | None,
    ) -> Step:
        self._require(write)
        known = applied.get(write.id)
        if isinstance(stood, Failure):
            raise stood
        if isinstance(image, Failure) and self._known(write, write.change.place) is None:
            raise image
        before = image if isinstance(image, Observed) else None
        diff = self._diff(write, stood, before, applied)
        entries: list[Entry] = []
        if not write.leaving:
            standing = before or Observed(write.id, write.change.place, write.change.revision, None, marked=True)
            entry = self._entry(plan, write, known, standing)
            entries.append(msgspec.structs.replace(entry, intended=intended(write.change, diff, known, entry.at)))
        if (place := write.old_place) is not None:
            entries.append(self._entry(plan, write, known, stood or Observed(write.id, place, "", None, marked=True)))
        return Step(write, diff, tuple(entries))

    def _known(self, write: Write, place: Place) -> Entry | None:
        """The journal line of the same change, where the plan was applied before."""
        return self._journal.get(line_of(write, place))

    def _entry(self, plan: Plan, write: Write, applied: Applied | None, standing: Observed) -> Entry:
        """A journal line, with all it takes to put things back as they were, also when a plan is applied twice."""
        place = standing.place
        change = write.change
        known = self._known(write, place)
        has_history = isinstance(self._generator.target(change.kind, place.root), Restorable)
        return Entry(
            key=line_of(write, place),
            plan=plan.id,
            id=write.id,
            action=change.action if place == change.place else Action.DELETE,
            place=place,
            before=known.before if known else standing.revision,
            applied=known.applied if known else applied,
            content=None if has_history else known.content if known else standing.content,
            at=time.time(),
        )

    def _require(self, write: Write) -> None:
        if reason := self._open.get(write.id):
            raise TemporaryError(reason)
        if write.leaving and write.id not in self._arrived:
            raise PermanentError(f"{write.id} could not be written where it goes, so it stays where it is")
        for required in self._generator.kinds[write.change.kind].requires:
            if (write.part.subject, required) in self._failed:
                raise PermanentError(f"{required} failed for {write.part.subject}, and {write.change.kind} requires it")

    def _diff(
        self, write: Write, stood: Observed | None, before: Observed | None, applied: Mapping[ConfigId, Applied]
    ) -> Diff:
        change, known = write.change, applied.get(write.id)
        remote = known.remote if known and known.place.root == write.root else ""
        content = before.content if before else None
        if write.leaving:
            assert change.was is not None
            actual = stood or Observed(write.id, change.was, "", None, marked=True)
            return Diff(write.id, Action.DELETE, None, msgspec.structs.replace(actual, remote=remote))
        actual = None
        if change.revision:
            actual = Observed(write.id, change.place, change.revision, content, marked=True, remote=remote)
        elif stood is not None and remote:  # a live object that moves is known by its id
            actual = msgspec.structs.replace(stood, marked=True, remote=remote)
        if change.action is Action.DELETE:
            return Diff(write.id, change.action, None, actual, before=content, reason=change.reason)
        config = self._config(write, applied)
        after = self._generator.kinds[change.kind].content(config.spec)
        return Diff(write.id, change.action, config, actual, content, after, write.old_place, change.reason)

    def _config(self, write: Write, applied: Mapping[ConfigId, Applied]) -> Config:
        """The config as it was planned, with the ids that it refers to; TemporaryError when it no longer is."""
        ref = write.part.subject
        if ref not in self._made:
            subject = self._subject(ref)
            made = self._generator.generate(subject).configs if subject is not None else ()
            self._made = {ref: {config.id: config for config in made}}  # one subject's: parts come subject by subject
        config = self._made[ref].get(write.id)
        if config is None or config.digest != write.change.digest or config.place != write.change.place:
            raise TemporaryError(f"{write.id} is no longer what was planned; plan again")
        kind = self._generator.kinds[write.change.kind]
        referred = (applied.get(ConfigId(name, ref)) for name in kind.refers)
        return with_remotes(config, remotes_of(kind, filter(None, referred)))

    def _fail(self, write: Write, error: Exception) -> Result:
        self._failed.add((write.part.subject, write.change.kind))
        reason = str(error) if isinstance(error, Failure) else f"bug: {type(error).__name__}: {error}"
        return Result(id=write.id, outcome=Outcome.FAILED, reason=reason, temporary=isinstance(error, TemporaryError))


def _names(part: Part) -> tuple[EntityRef, ...]:
    """What its subject was called before, and is called now."""
    return (part.was, part.subject) if part.was else (part.subject,)
