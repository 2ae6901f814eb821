"""runs: what the daemon did, written down."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.model.run import Event, Run, RunState
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Claim

FULL_SYNC = "full sync"
"""The trigger of what is looked at because everything is; what it finds waiting still needs no second telling."""
_NAMED = 100
"""Subjects that a run names; more are only counted."""
FAILED = (Outcome.FAILED, Outcome.UNKNOWN)
"""Outcomes after which a subject is looked at again soon."""


def begin(trigger: str, replica: str, refs: Collection[EntityRef]) -> Run:
    """A run that begins now. Its id sorts by time, and no two replicas make the same."""
    now = time.time()
    return Run(
        id=f"{int(now * 1000):012x}{secrets.token_hex(3)}",
        trigger=trigger,
        replica=replica,
        started=now,
        subjects=tuple(sorted(refs)[:_NAMED]),
        looked_at=len(refs),
    )


def trigger_of(claims: Sequence[Claim]) -> str:
    """Why subjects were asked for, in the words of who asked first, and of others."""
    reasons = list(dict.fromkeys(claim.why for claim in sorted(claims, key=lambda claim: claim.asked) if claim.why))
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return (", ".join(reasons[:3]) + more) or "asked for"


def ended(run: Run, plan: Plan | None, results: Iterable[Result], error: str = "") -> Run:
    """The run as it ended."""
    outcomes = Counter(str(result.outcome) for result in results)
    bad = error or any(outcomes[outcome] for outcome in FAILED)
    return msgspec.structs.replace(
        run,
        state=RunState.FAILED if bad else RunState.DONE,
        ended=time.time(),
        plan=plan.id if plan and plan.counts else "",
        outcomes=dict(sorted(outcomes.items())),
        waiting=plan.total(Action.WAIT) if plan else 0,
        error=error,
    )


async def write_down(store: SharedStore, run: Run) -> None:
    """Remember how a run ended, and tell who watches."""
    await store.save_run(run)
    made = ", ".join(f"{count} {outcome}" for outcome, count in run.outcomes.items()) or "nothing written"
    waits = f"; {run.waiting} waiting" if run.waiting else ""
    text = run.error or f"{run.trigger}: {made}{waits}"
    subject = run.subjects[0] if len(run.subjects) == 1 else None
    name = "run.failed" if run.state is RunState.FAILED else "run.ended"
    await store.record([Event(at=run.ended, name=name, subject=subject, run=run.id, text=text[:500])])
