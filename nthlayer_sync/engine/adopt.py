"""Adopting: what is live already, learnt where it still is what was to be adopted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nthlayer_sync.engine.batch import Write
from nthlayer_sync.engine.decide import as_left
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.observe import read_parts
from nthlayer_sync.engine.remember import applied_now
from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Applied, Change


async def look(generator: Generator, writes: Iterable[Write]) -> tuple[dict[ConfigId, Observed], dict[ConfigId, str]]:
    """What is live where something is to be adopted, and why some of it cannot be read."""
    paths: dict[tuple[str, str], dict[ConfigId, str]] = {}
    for write in writes:
        paths.setdefault((write.change.kind, write.root), {})[write.id] = write.change.place.path
    observed: dict[ConfigId, Observed] = {}
    trouble: dict[ConfigId, str] = {}
    for (kind, root), wanted in paths.items():
        found = await read_parts(generator.target(kind, root), root, wanted)
        observed |= found[0]
        trouble |= found[1]
    return observed, trouble


def adopted(
    generator: Generator,
    change: Change,
    config: Config | None,
    observed: Observed | None,
    before: Mapping[ConfigId, Applied],
) -> Applied | None:
    """What is applied now, None where nothing is; TemporaryError where live is no longer what we want."""
    content = observed.content if observed else None
    if config is None and content is None:
        return None
    if config is not None and observed is not None and content is not None:
        as_it_was = as_left(content, config.digest, before.get(config.id))
        if as_it_was or generator.plugin(change.kind).reconcile(config, observed).action is Action.NOTHING:
            return applied_now(change, config, content, observed.revision, observed.remote)
    raise TemporaryError(f"{change.place} changed since the plan; plan again")
