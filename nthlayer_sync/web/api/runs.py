"""Runs: what the daemon did, why, and what became of it."""

from __future__ import annotations

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.run import Run, RunState
from nthlayer_sync.sdk.store import Entry
from nthlayer_sync.web import cursor
from nthlayer_sync.web.api.asked import id_in_path, number
from nthlayer_sync.web.api.shown import Shown, Spot
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Page, Paging, Route


class RunShown(Shown):
    """One pass of the daemon. Times are seconds since 1970."""

    id: str
    trigger: str
    """Why it ran."""
    replica: str
    started: float
    state: RunState
    ended: float | None
    """Null while it runs."""
    plan: str | None
    """The plan it made; null where nothing was to be done."""
    looked_at: int
    """How many entities it planned."""
    entities: tuple[str, ...]
    """The first hundred of them."""
    outcomes: dict[str, int]
    """How many writes ended how."""
    waiting: int
    """How many changes wait."""
    error: str

    @classmethod
    def of(cls, run: Run) -> RunShown:
        """A run as it is answered."""
        return cls(
            id=run.id,
            trigger=run.trigger,
            replica=run.replica,
            started=run.started,
            state=run.state,
            ended=run.ended or None,
            plan=run.plan or None,
            looked_at=run.looked_at,
            entities=run.subjects,
            outcomes=run.outcomes,
            waiting=run.waiting,
            error=run.error,
        )


class WriteShown(Shown):
    """A write of a run, as the journal has it."""

    entity: str
    kind: str
    name: str
    action: Action
    place: Spot | None
    done: bool
    """False where it is not known whether it happened."""
    at: float
    """When it was intended, in seconds since 1970."""

    @classmethod
    def of(cls, entry: Entry) -> WriteShown:
        """A line of the journal as it is answered."""
        return cls(
            entity=entry.id.subject,
            kind=entry.id.kind,
            name=entry.id.name,
            action=entry.action,
            place=Spot.of(entry.place),
            done=entry.done,
            at=entry.at,
        )


async def list_runs(context: Context) -> Page[RunShown]:
    """Runs, the newest first. Some thousands of them are kept."""
    asked = context.asked(Paging)
    before = cursor.read("runs", asked.cursor, str) or ""
    found = await context.daemon.store.runs(before, asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    return Page(items=tuple(map(RunShown.of, shown)), next=cursor.after("runs", shown[-1].id) if more else None)


async def get_run(context: Context) -> RunShown:
    """One run."""
    return RunShown.of(await _run(context))


async def list_run_writes(context: Context) -> Page[WriteShown]:
    """What a run wrote, in order; empty once it is too old to be undone."""
    asked, run = context.asked(Paging), await _run(context)
    first = number(f"run {run.id}", asked)
    entries = await context.daemon.store.journal(run.plan) if run.plan else []
    last = first + asked.limit
    return Page(
        items=tuple(map(WriteShown.of, entries[first:last])),
        next=cursor.after(f"run {run.id}", last) if last < len(entries) else None,
    )


async def _run(context: Context) -> Run:
    id = id_in_path(context, "run")
    found = await context.daemon.store.run(id)
    if found is None:
        raise Refusal(404, f"there is no run {id}, or it is too old to be kept")
    return found


ROUTES = (
    Route("GET", "/api/v1/runs", "Runs, the newest first", Page[RunShown], list_runs, "runs", query=Paging),
    Route("GET", "/api/v1/runs/{id}", "One run", RunShown, get_run, "runs"),
    Route("GET", "/api/v1/runs/{id}/writes", "What a run wrote", Page[WriteShown], list_run_writes, "runs",
          query=Paging),
)  # fmt: skip
