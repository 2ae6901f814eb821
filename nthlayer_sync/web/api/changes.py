"""A change of one config, as plans, artefacts and all lists of what stands open show it."""

from __future__ import annotations

from nthlayer_sync.daemon.policies import change_key
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.show import details
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web.api.shown import Shown, Spot


class ChangeShown(Shown):
    """What is to happen to one config, or why nothing does."""

    key: str
    """What an approval names: this change as it stands, and no other of the same config."""
    entity: str
    kind: str
    name: str
    """Tells several configs of one kind of an entity apart; empty where there is one."""
    action: Action
    place: Spot | None
    """Where it lands; null where it cannot be made."""
    was: Spot | None
    """Where it stood before, when it moves."""
    owner: str | None
    reason: str
    """Why it is made, waits, is kept, held or refused."""

    @classmethod
    def of(cls, entity: EntityRef, change: Change) -> ChangeShown:
        """A change of an entity as it is answered."""
        return cls(
            key=change_key(entity, change),
            entity=entity,
            kind=change.kind,
            name=change.name,
            action=change.action,
            place=Spot.of(change.place),
            was=Spot.of(change.was),
            owner=change.owner,
            reason=change.reason,
        )


class DiffShown(Shown):
    """The part of a config that we manage, as it is live now and as it is wanted."""

    change: ChangeShown
    before: str | None
    """As it is live; null where there is none."""
    after: str | None
    """As it is wanted; null where it is to go."""
    trouble: str
    """Why one of them cannot be shown."""
    outlook: str
    """What follows from it in the next weeks, such as who is on call when."""


async def diff_of(engine: Engine, part: Part, change: Change) -> DiffShown:
    """Look the config up where it stands, and say what the change makes of it."""
    found = (await details(engine, Part(part.subject, (change,), part.was)))[change]
    return DiffShown(
        change=ChangeShown.of(part.subject, change),
        before=found.before,
        after=found.after,
        trouble=found.trouble,
        outlook=found.outlook,
    )
