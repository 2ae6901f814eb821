"""How the daemon is."""

from __future__ import annotations

from nthlayer_sync.web.api.pauses import PauseShown
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.route import Context, Route


class BacklogShown(Shown):
    """What is asked for and not done yet."""

    due: int
    oldest: float
    """Seconds for which the oldest has been due."""
    claimed: int
    """How many a replica works on."""
    later: int
    """How many are not due yet, such as what failed and is tried again."""


class ConsentShown(Shown):
    """What somebody lets pass a guard."""

    guard: str
    by: str
    at: float
    """Seconds since 1970."""
    count: int
    configs: tuple[str, ...]


class WaveShown(Shown):
    """How far a change that touches everything is out."""

    step: int
    """Counts from 0."""
    whole: bool
    """Whether it is out everywhere."""
    halted: str
    """Why it goes no further, empty where it does."""


class StatusShown(Shown):
    """How the daemon is. Times are seconds since 1970."""

    replica: str
    leading: bool
    """Whether this replica leads."""
    synced: float | None
    """Its last full sync; null where it made none."""
    subjects: int
    """How many entities something is remembered of."""
    configs: int
    """How many configs are applied."""
    unsettled: int
    """Entities of which something waits, was kept, held, refused or failed."""
    backlog: dict[str, BacklogShown]
    failing: dict[str, str]
    """Why each entity that is tried again failed last."""
    pauses: tuple[PauseShown, ...]
    consents: tuple[ConsentShown, ...]
    wave: WaveShown | None


async def get_status(context: Context) -> StatusShown:
    """How the daemon is."""
    status = await context.daemon.desk.status()
    wave = status.wave
    return StatusShown(
        replica=status.replica,
        leading=status.leading,
        synced=status.synced or None,
        subjects=status.subjects,
        configs=status.configs,
        unsettled=status.waiting,
        backlog={
            topic: BacklogShown(due=b.due, oldest=round(b.oldest, 3), claimed=b.claimed, later=b.later)
            for topic, b in sorted(status.backlog.items())
        },
        failing=dict(sorted(status.failing.items())),
        pauses=tuple(PauseShown.by_person(key, note) for key, note in sorted(status.paused.items())),
        consents=tuple(
            ConsentShown(guard=guard, by=note.by, at=note.at, count=note.count, configs=note.ids)
            for guard, note in sorted(status.consents.items())
        ),
        wave=WaveShown(step=wave.step, whole=wave.whole, halted=wave.halted) if wave else None,
    )


ROUTES = (Route("GET", "/api/v1/status", "How the daemon is", StatusShown, get_status, "status"),)
