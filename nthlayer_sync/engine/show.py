"""What a planned change means in text: the managed part as it is, and as it will be."""

from __future__ import annotations

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.remotes import remotes_of, with_remotes
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import Failure
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.sdk.target import Foreseeing

WEEKS = 8
"""How far ahead a plan tells who is on call: long enough to plan a holiday by."""


class Detail(msgspec.Struct, frozen=True):
    """The managed part before and after a change; None where there is none. `trouble` says what could not be shown."""

    before: str | None
    after: str | None
    trouble: str = ""
    outlook: str = ""
    """What follows from it in the next weeks, such as who is on call when."""


async def details(engine: Engine, part: Part) -> dict[Change, Detail]:
    """Every change of one subject, in text."""
    subject = engine.subject(part.subject)
    generator = engine.generator
    configs = {config.id: config for config in generator.generate(subject).configs} if subject else {}
    applied = [one for memory in (await engine.store.memories([part.subject])).values() for one in memory.applied]
    shown: dict[Change, Detail] = {}
    for change in part.changes:
        id = part.id(change)
        if change.kind not in generator.kinds or not change.place.path:
            shown[change] = Detail(None, None, change.reason)
            continue
        try:
            place = change.was or change.place
            observed = (await generator.target(change.kind, place.root).read(place.root, {id: place.path})).get(id)
            config = configs.get(id)
            kind = generator.kinds[change.kind]
            after = kind.content(with_remotes(config, remotes_of(kind, applied)).spec) if config else None
            outlook = await foreseen(generator, config) if config and change.action.writes else ""
        except Failure as error:
            shown[change] = Detail(None, None, str(error))
        else:
            shown[change] = Detail(observed.content if observed else None, after, outlook=outlook)
    return shown


async def foreseen(generator: Generator, config: Config, weeks: int = WEEKS) -> str:
    """What follows from a config in the next weeks, once it is applied; "" where its target tells nothing of it."""
    target = generator.target(config.id.kind, config.place.root)
    return await target.foresee(config, weeks) if isinstance(target, Foreseeing) else ""
