"""What the daemon did, and what it tells of it while it does it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nthlayer_sync.model.ref import EntityRef


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One pass of the daemon: it planned some subjects and applied what may be applied.

    Ids grow with time and sort by it. `plan` is the id of the stored plan, "" where nothing was to be done; `outcomes`
    counts results by outcome, `waiting` counts changes that wait for a person or a clock. Times are seconds since 1970.
    """

    id: str
    trigger: str
    """Why it ran, for people: `webhook github`, `full sync`, `asked by ada`."""
    replica: str
    started: float
    state: RunState = RunState.RUNNING
    ended: float = 0.0
    plan: str = ""
    subjects: tuple[EntityRef, ...] = ()
    """The first hundred that it planned."""
    looked_at: int = 0
    """How many it planned."""
    outcomes: dict[str, int] = {}
    waiting: int = 0
    error: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, for who watches: numbers grow and are given by the store.

    `name` is noun and past tense, such as `run.ended`, `source.failed`, `delete.held`, `change.approved`.
    """

    number: int = 0
    at: float
    """Seconds since 1970."""
    name: str
    subject: EntityRef | None = None
    run: str = ""
    text: str = ""
    """One sentence for people, without secrets."""
