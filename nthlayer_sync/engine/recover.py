"""Writes of unknown outcome, looked at again: the live system knows whether they happened."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import Live, LiveRoot, read_parts
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied, content_sum
from nthlayer_sync.sdk.store import Entry, Store


async def recover(store: Store, generator: Generator, live: Live) -> int:
    """Close the open lines of the journal; gives how many writes an interrupted run had made without remembering them.

    What stands there and is what was intended was written by us, and is remembered now. Anything else was not, or was
    changed by people since, and is theirs. A line whose kind is no longer on, or whose root cannot be read now, stays
    open: nobody can look at what it names.
    """
    made: list[Entry] = []
    never: list[Entry] = []
    applied: dict[ConfigId, Applied | None] = {}
    for root, entries in (await _by_root(await store.journal(), generator, live)).items():
        await root.look_up([entry.place.path for entry in entries])
        moved = [e for e in entries if (root.revision(e.place.path, e.before) or "") != e.before]
        never += [entry for entry in entries if entry not in moved]
        contents = await _contents(root, moved)
        for entry in moved:
            content = contents.get((entry.id, entry.place.path))
            wanted = content_sum(content) if content is not None else None
            if wanted != (entry.intended.sum if entry.intended else None):
                never.append(entry)
                continue
            revision = root.revision(entry.place.path, entry.before) or ""
            made.append(msgspec.structs.replace(entry, after=revision, done=True))
            if entry.intended is not None:
                applied[entry.id] = msgspec.structs.replace(entry.intended, revision=revision)
    moving = {entry.id for entry in (*made, *never) if entry.intended is not None}
    applied |= {entry.id: None for entry in made if entry.intended is None and entry.id not in moving}
    if made:
        await store.finish(made, applied)
    if never:
        await store.forget_entries(never)
    return len(made)


async def _by_root(entries: list[Entry], generator: Generator, live: Live) -> dict[LiveRoot, list[Entry]]:
    found: dict[LiveRoot, list[Entry]] = {}
    for entry in entries:
        if entry.id.kind not in generator.kinds:
            continue
        target = generator.plugin(entry.id.kind).target
        await live.observe([(target, entry.place.root)])
        root = live.root(target, entry.place.root)
        if not root.trouble:
            found.setdefault(root, []).append(entry)
    return found


async def _contents(root: LiveRoot, entries: list[Entry]) -> Mapping[tuple[ConfigId, str], str | None]:
    """The managed part at each entry's place; a config that moves has one at two places."""
    found: dict[tuple[ConfigId, str], str | None] = {}
    waiting = entries
    while waiting:
        paths = {entry.id: entry.place.path for entry in waiting}
        observed, _ = await read_parts(root.target, root.root, paths)
        found |= {(id, paths[id]): each.content for id, each in observed.items()}
        waiting = [entry for entry in waiting if paths[entry.id] != entry.place.path]
    return found
