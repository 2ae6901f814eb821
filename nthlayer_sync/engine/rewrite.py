"""Undo where a live system keeps no history: ordinary writes of what stood there, from the journal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec

from nthlayer_sync.engine.batch import key_of, ranks_of
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import read_parts
from nthlayer_sync.engine.remotes import remotes_of, with_remotes
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed, Spec
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.plan import Applied, content_sum
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.store import Entry, Store
from nthlayer_sync.sdk.target import Target


async def rewrite(store: Store, generator: Generator, target: Target, root: str, written: list[Entry]) -> list[Result]:
    """Put back what stood under one root, in the reverse of the order in which it was written."""
    await target.moved(root, "")
    ranks = ranks_of(generator)

    def level(entry: Entry) -> int:
        return -ranks[entry.id.kind] - 1 if entry.action is Action.DELETE else ranks[entry.id.kind]

    results: list[Result] = []
    for _, entries in groupby(sorted(written, key=level, reverse=True), key=level):
        results += await _level(store, generator, target, root, list(entries))
    return results


async def _level(store: Store, generator: Generator, target: Target, root: str, entries: list[Entry]) -> list[Result]:
    observed, trouble = await read_parts(target, root, {entry.id: entry.place.path for entry in entries})
    memories = await store.memories({entry.id.subject for entry in entries})
    results: list[Result] = []
    due: list[tuple[Entry, Diff]] = []
    back: list[tuple[Entry, Result, Config | None]] = []
    for entry in entries:
        memory, live = memories.get(entry.id.subject), observed.get(entry.id)
        try:
            if entry.id in trouble:
                raise TemporaryError(trouble[entry.id])
            diff = _diff(generator, entry, live, memory.applied if memory else ())
        except Failure as error:
            results.append(failed(entry.id, error))
            continue
        if diff is None:
            back.append((entry, _as_before(entry, live), None))
        elif (live.revision if live else "") != entry.after:
            reason = f"{entry.place} was changed since, so it is left as it is"
            results.append(Result(id=entry.id, outcome=Outcome.SKIPPED, reason=reason))
        else:
            due.append((entry, diff))
    if due:
        key = key_of("undo", *sorted(entry.key for entry, _ in due))
        try:
            made: Sequence[Result] = await target.write([diff for _, diff in due], key)
        except Failure as error:
            made = [failed(entry.id, error) for entry, _ in due]
        back += [(entry, result, diff.desired) for (entry, diff), result in zip(due, made, strict=True) if result.made]
        results += [result for result in made if not result.made]
    await store.finish([], {entry.id: _applied(entry, result, config) for entry, result, config in back})
    await store.forget_entries([entry for entry, _, _ in back])
    return results + [result for _, result, _ in back]


def _diff(generator: Generator, entry: Entry, live: Observed | None, applied: Sequence[Applied]) -> Diff | None:
    """What puts one config back; nothing where it stands as before."""
    content = live.content if live else None
    if content == entry.content:
        return None
    remote = entry.applied.remote if entry.applied else ""
    actual = msgspec.structs.replace(live, remote=live.remote or remote) if live else None
    if entry.content is None:
        return Diff(entry.id, Action.DELETE, None, actual, before=content)
    config = _before(generator, entry, entry.content, applied)
    kind = generator.kinds[entry.id.kind]
    after = entry.content if isinstance(kind, FileKind) else kind.content(config.spec)
    return Diff(entry.id, Action.UPDATE if actual else Action.CREATE, config, actual, content, after)


def _before(generator: Generator, entry: Entry, content: str, applied: Sequence[Applied]) -> Config:
    """The config as it stood, with the ids that it refers to now: what is made anew has another."""
    kind = generator.kinds[entry.id.kind]
    spec: Any = Spec()
    if not isinstance(kind, FileKind):
        try:
            spec = msgspec.json.decode(content, type=kind.spec)
        except msgspec.MsgspecError as error:
            raise PermanentError(f"{entry.id}: what stood there cannot be read by this version: {error}") from error
    before = entry.applied
    config = Config(entry.id, before.owner if before else None, spec, entry.place, before.digest if before else "")
    return with_remotes(config, remotes_of(kind, applied))


def _as_before(entry: Entry, live: Observed | None) -> Result:
    revision, remote = (live.revision, live.remote) if live else ("", "")
    return Result(id=entry.id, outcome=Outcome.UNCHANGED, revision=revision, remote=remote)


def _applied(entry: Entry, result: Result, config: Config | None) -> Applied | None:
    """What is remembered of a config that stands as before; `config` is what was written for it."""
    before = entry.applied
    if before is None or entry.content is None:
        return before
    total = content_sum(result.content if result.content is not None else entry.content)
    remotes = getattr(config.spec, "remotes", {}) if config else before.remotes
    return msgspec.structs.replace(
        before, revision=result.revision, remote=result.remote or before.remote, sum=total, remotes=remotes
    )


def failed(id: ConfigId, error: Failure) -> Result:
    """The result of what could not be put back."""
    return Result(id=id, outcome=Outcome.FAILED, reason=str(error), temporary=isinstance(error, TemporaryError))
