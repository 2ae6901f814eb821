"""What a planned change means in text: the managed part as it is, and as it will be."""

from __future__ import annotations

import msgspec

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import Failure
from nthlayer_sync.model.plan import Change, Part


class Detail(msgspec.Struct, frozen=True):
    """The managed part before and after a change; None where there is none. `trouble` says what could not be shown."""

    before: str | None
    after: str | None
    trouble: str = ""


async def details(engine: Engine, part: Part) -> dict[Change, Detail]:
    """Every change of one subject, in text."""
    subject = engine.subject(part.subject)
    generator = engine.generator
    configs = {config.id: config for config in generator.generate(subject).configs} if subject else {}
    shown: dict[Change, Detail] = {}
    for change in part.changes:
        id = part.id(change)
        if change.kind not in generator.kinds or not change.place.path:
            shown[change] = Detail(None, None, change.reason)
            continue
        try:
            place = change.was or change.place
            observed = (await generator.plugin(change.kind).target.read(place.root, {id: place.path})).get(id)
            config = configs.get(id)
            after = generator.kinds[change.kind].content(config.spec) if config else None
        except Failure as error:
            shown[change] = Detail(None, None, str(error))
        else:
            shown[change] = Detail(observed.content if observed else None, after)
    return shown
