"""Writes of unknown outcome, looked at again: the live system knows whether they happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import Live, LiveRoot, read_parts
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.plan import Applied, content_sum
from nthlayer_sync.sdk.store import Entry, Store


class Recovered(msgspec.Struct, frozen=True):
    """How many writes an interrupted run had `made` without remembering them, and what of others has to wait."""

    made: int
    open: Mapping[ConfigId, str]


async def recover(store: Store, generator: Generator, live: Live, now: float) -> Recovered:
    """Close the open lines of the journal, as of `now` in seconds since 1970.

    What stands there and is what was intended was written by us, and is remembered now; so is a live object with our
    mark where nothing stood before, for some take several requests to make. Anything else was not, or was changed by
    people since, and is theirs. A line stays open where nobody can look at what it names: its kind is no
    longer on, its root cannot be read now, or what it made may not show yet.
    """
    made: list[Entry] = []
    never: list[Entry] = []
    late: list[Entry] = []
    applied: dict[ConfigId, Applied | None] = {}
    for root, entries in (await _by_root(await store.journal(), generator, live)).items():
        await root.look_up([entry.place.path for entry in entries])
        await root.confirm({e.place.path: e.intended.remote for e in entries if e.intended})
        unseen = [
            e for e in entries if e.intended and not root.revision(e.place.path, e.before) and _wait(e, root, now)
        ]
        late += unseen
        entries = [entry for entry in entries if entry not in unseen]
        moved = [e for e in entries if (root.revision(e.place.path, e.before) or "") != e.before]
        never += [entry for entry in entries if entry not in moved]
        contents = await _contents(root, moved)
        for entry in moved:
            found = contents.get((entry.id, entry.place.path))
            wanted = content_sum(found.content) if found and found.content is not None else None
            intended = entry.intended
            if intended and wanted and found and found.remote and found.marked and not entry.before:
                if wanted != intended.sum:  # an object of ours, half made or kept otherwise: an update finishes it
                    intended = msgspec.structs.replace(intended, digest="", sum=wanted)
            elif wanted != (intended.sum if intended else None):
                never.append(entry)
                continue
            revision = root.revision(entry.place.path, entry.before) or ""
            made.append(msgspec.structs.replace(entry, after=revision, done=True))
            if intended is not None:
                remote = found.remote if found else ""
                applied[entry.id] = msgspec.structs.replace(intended, revision=revision, remote=remote)
    moving = {entry.id for entry in (*made, *never, *late) if entry.intended is not None}
    applied |= {entry.id: None for entry in made if entry.intended is None and entry.id not in moving}
    if made:
        await store.finish(made, applied)
    if never:
        await store.forget_entries(never)
    return Recovered(len(made), open_lines(late, generator, now))


def open_lines(entries: Iterable[Entry], generator: Generator, now: float) -> dict[ConfigId, str]:
    """Configs with a write of unknown outcome that may not show yet, with what to say of each."""
    found: dict[ConfigId, str] = {}
    for entry in entries:
        if entry.intended is None or entry.id.kind not in generator.kinds:
            continue
        settles = generator.target(entry.id.kind, entry.place.root).settles
        since = now - entry.at
        if since < settles:
            found[entry.id] = (
                f"written {max(since, 0):.0f} s ago with unknown outcome; looked at again in {settles - since:.0f} s"
            )
    return found


def _wait(entry: Entry, root: LiveRoot, now: float) -> bool:
    return now - entry.at < root.target.settles


async def _by_root(entries: list[Entry], generator: Generator, live: Live) -> dict[LiveRoot, list[Entry]]:
    found: dict[LiveRoot, list[Entry]] = {}
    for entry in entries:
        if entry.id.kind not in generator.kinds:
            continue
        target = generator.target(entry.id.kind, entry.place.root)
        await live.doubt([(target, entry.place.root)])
        root = live.root(target, entry.place.root)
        if not root.trouble:
            found.setdefault(root, []).append(entry)
    return found


async def _contents(root: LiveRoot, entries: list[Entry]) -> Mapping[tuple[ConfigId, str], Observed]:
    """What stands at each entry's place; a config that moves has one at two places."""
    found: dict[tuple[ConfigId, str], Observed] = {}
    waiting = entries
    while waiting:
        paths = {entry.id: entry.place.path for entry in waiting}
        observed, _ = await read_parts(root.target, root.root, paths)
        found |= {(id, paths[id]): each for id, each in observed.items()}
        waiting = [entry for entry in waiting if paths[entry.id] != entry.place.path]
    return found
