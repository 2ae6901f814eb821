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


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one config; `revision` is the live object's new one, "" when it is gone or was not written."""

    id: ConfigId
    outcome: Outcome
    revision: str = ""
    reference: str = ""
    """Where to look at it: a commit id, a URL."""
    reason: str = ""
    temporary: bool = False
    """Whether trying again later can help."""
