"""Writes of unknown outcome, looked at again: the live system knows whether they happened."""

from __future__ import annotations

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import Live
from nthlayer_sync.sdk.store import Entry, Store


async def recover(store: Store, generator: Generator, live: Live) -> int:
    """Close the open lines of the journal; gives how many writes an interrupted run had made without remembering them.

    A line whose kind is no longer on, or whose root cannot be read now, stays open: nobody can look at what it names.
    """
    made: list[Entry] = []
    never: list[Entry] = []
    for entry in await store.journal():
        if entry.id.kind not in generator.kinds:
            continue
        target = generator.plugin(entry.id.kind).target
        await live.observe([(target, entry.place.root)])
        root = live.root(target, entry.place.root)
        if root.trouble:
            continue
        await root.look_up([entry.place.path])
        revision = root.revision(entry.place.path, entry.before) or ""
        if revision == entry.before:
            never.append(entry)
        else:
            made.append(msgspec.structs.replace(entry, after=revision, done=True))
    if made:
        await store.finish(made, {})
    if never:
        await store.forget_entries(never)
    return len(made)
