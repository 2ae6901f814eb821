"""What applying one change did."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nthlayer_sync.model.config import ConfigId


class Outcome(StrEnum):
    """How the attempt ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may or may not have happened; the next plan looks before it believes anything."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one config; `revision` is the live object's new one, "" when it is gone or was not written.

    `remote` is the vendor's own id of the object. `content` is what the live system made of the managed part, None
    where it keeps exactly what it is given.
    """

    id: ConfigId
    outcome: Outcome
    revision: str = ""
    reference: str = ""
    """Where to look at it: a commit id, a URL."""
    reason: str = ""
    temporary: bool = False
    """Whether trying again later can help."""
    remote: str = ""
    content: str | None = None

    @property
    def made(self) -> bool:
        """Whether the live system is known to be as it was asked to be."""
        return self.outcome in (Outcome.DONE, Outcome.UNCHANGED)
