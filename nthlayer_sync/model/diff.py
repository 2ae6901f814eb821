"""The change of one config."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.entity import Place

OVERWRITES = "overwrites what was changed by hand"
"""The reason of a write that stands in for a `keep`."""


class Action(StrEnum):
    """What is to be done about one config."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    """Live already equals what we want: only our memory of it is written."""
    NOTHING = "nothing"
    KEEP = "keep"
    """The live system moved and we leave it so: drift, or a conflict, that a person has to decide."""
    HOLD = "hold"
    """Nobody asks for it any more, but it is not ours to delete now: its kind is off, or never deleted."""
    WAIT = "wait"
    """It would be written, and is not now: a policy, a pause, a freeze or a guard stands before it."""
    REFUSE = "refuse"
    """Something foreign stands there, or the config itself cannot be made."""

    @property
    def writes(self) -> bool:
        """Whether applying it changes the live system."""
        return self in (Action.CREATE, Action.UPDATE, Action.DELETE)


class Diff(msgspec.Struct, frozen=True):
    """One config, wanted (`desired`) and live (`actual`); either may be absent. Both absent is no diff."""

    id: ConfigId
    action: Action
    desired: Config | None
    actual: Observed | None
    before: str | None = None
    """The managed part as it is live."""
    after: str | None = None
    """The managed part as it will be."""
    was: Place | None = None
    """Where the config stood before, when it moves."""
    reason: str = ""
