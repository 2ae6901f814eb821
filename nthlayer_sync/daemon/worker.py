"""worker: takes subjects that are asked for, plans them, and applies what may be applied."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nthlayer_sync.daemon import runs
from nthlayer_sync.daemon.claims import Lost, keeping
from nthlayer_sync.daemon.policies import Policies
from nthlayer_sync.daemon.stopping import pause, unless
from nthlayer_sync.daemon.telemetry.logs import about
from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.daemon.versions import STANDBY, Versions
from nthlayer_sync.engine.log import log
from nthlayer_sync.engine.recover import open_lines
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.run import Run
from nthlayer_sync.sdk.spans import span
from nthlayer_sync.sdk.store import SharedStore, Store
from nthlayer_sync.sdk.work import Claim, Fenced, Topic
from nthlayer_sync.settings.serve import ServeSettings

IDLE = 5.0
"""Seconds after which a worker looks for work although nobody called it."""
_AT_ONCE = 0.3
"""Seconds until it is tried a second time: mostly, something live had just moved."""
_FIRST, _LAST = 2.5, 600.0
"""Seconds until it is tried again after that: doubled each time, up to the last."""

DELETING = "deleting"
"""The note of who makes and applies a plan with deletes."""
_DELETING = 60.0
"""Seconds that it holds; what took longer is mostly counted by then."""

_SURE = 2
"""Tries after which a failure that only a person can mend is believed to be one."""


@dataclass(frozen=True)
class Hands:
    """What a worker works with."""

    engine: Engine
    store: SharedStore
    policies: Policies
    settings: ServeSettings
    metrics: Metrics
    replica: str
    catch_up: Callable[[], Awaitable[None]]
    """Brings the graph up to what the leader last read."""
    versions: Versions
    deletes: asyncio.Lock
    """Held while a plan with deletes is made and applied: the guards count those of others first.

    So that workers queue here; the note in the store keeps replicas apart.
    """


class Worker:
    """One of several in a replica. It works until it is told to stop, and finishes what it has in hand."""

    def __init__(self, hands: Hands, stopping: asyncio.Event) -> None:
        self._hands = hands
        self._stopping = stopping

    async def work(self) -> None:
        """Claim batches of subjects and reconcile them."""
        hands = self._hands
        lease = hands.settings.lease.seconds
        while not self._stopping.is_set():
            try:
                if not await hands.versions.current():
                    await pause(self._stopping, STANDBY)
                    continue
                since = time.monotonic()
                claims = await hands.store.work.claim(Topic.SUBJECT, hands.replica, hands.settings.batch, lease)
                if claims:
                    await self._batch(claims, since)
                else:
                    await unless(self._stopping, hands.store.work.wait([Topic.SUBJECT], IDLE))
            except TemporaryError as error:  # the store cannot be reached; leases tell what becomes of what we had
                log().warning("work.interrupted", error=str(error))
                await pause(self._stopping, error.delay)
            except Exception as error:
                log().exception("work.failed", error=str(error))
                await pause(self._stopping, _FIRST)

    async def _batch(self, claims: Sequence[Claim], since: float) -> None:
        run = runs.begin(runs.trigger_of(claims), self._hands.replica, [EntityRef(claim.key) for claim in claims])
        try:
            with about(run=run.id), span("run", run=run.id, subjects=len(claims)):
                async with keeping(self._hands.store.work, claims, self._hands.settings.lease.seconds, since):
                    await self._reconcile(run, claims)
        except (Lost, Fenced) as error:
            log().warning("work.lost", run=run.id, subjects=len(claims), error=str(error))
            await self._hands.store.work.release(claims)  # those that are not lost are due at once, for anybody
        except Failure as error:
            await self._give_back(run, claims, error)
        except Exception as error:  # a bug: it must not stop what shares the batch with it
            if len(claims) == 1:
                log().exception("run.broken", run=run.id, subject=claims[0].key)
                await self._give_back(run, claims, PermanentError(f"bug: {type(error).__name__}: {error}"))
                return
            await self._hands.store.work.release(claims)
            for claim in claims:
                among, since = [claim.key], time.monotonic()
                work, lease = self._hands.store.work, self._hands.settings.lease.seconds
                if alone := await work.claim(Topic.SUBJECT, self._hands.replica, 1, lease, among):
                    await self._batch(alone, since)

    async def _reconcile(self, run: Run, claims: Sequence[Claim]) -> None:
        hands = self._hands
        await hands.catch_up()
        refs = [EntityRef(claim.key) for claim in claims]
        store = hands.store.fenced(claims)
        plan = await self._plan(refs, store)
        if plan.total(Action.DELETE):
            async with hands.deletes, self._deleting():
                hands.policies.forget()
                plan = await self._plan(refs, store)
                results = await self._apply(plan, store)
        else:
            results = await self._apply(plan, store)
        run = runs.ended(run, plan, results)
        if results or (plan.counts and run.trigger != runs.FULL_SYNC):
            await runs.write_down(hands.store, run)
        hands.metrics.run_ended(run, results)
        await self._settle(claims, results, await self._unsure(plan, store))

    @asynccontextmanager
    async def _deleting(self) -> AsyncGenerator[None]:
        """Held by one replica at a time, and by nobody for long after one was killed."""
        store, note = self._hands.store, self._hands.replica.encode()
        while not await store.pin(DELETING, DELETING, note, time.time() + _DELETING, replace=False):  # noqa: ASYNC110
            await asyncio.sleep(_AT_ONCE)
        try:
            yield
        finally:
            await store.unpin(DELETING, [DELETING])

    async def _plan(self, refs: Sequence[EntityRef], store: Store) -> Plan:
        start = time.perf_counter()
        with span("plan", subjects=len(refs)):
            plan = await self._hands.engine.reconcile(refs, store, await self._hands.policies.terms())
        self._hands.metrics.planned(time.perf_counter() - start)
        return plan

    async def _apply(self, plan: Plan, store: Store) -> list[Result]:
        if not plan.pending:
            return []
        with span("apply", plan=plan.id, changes=plan.pending):
            gates = self._hands.policies.rules
            results = await self._hands.engine.apply(plan, store.parts(plan.id), store=store, gates=gates)
        self._hands.policies.forget()
        await self._hands.policies.used(store.parts(plan.id), {result.id for result in results if result.made})
        return results

    async def _unsure(self, plan: Plan, store: Store) -> dict[str, str]:
        """The subjects that wait to see whether a write that was interrupted happened, with what to say of each."""
        if not plan.total(Action.REFUSE):
            return {}
        lines = open_lines(await store.journal(), self._hands.engine.generator, time.time())
        return {id.subject: f"{id}: {text}" for id, text in lines.items()}

    async def _settle(self, claims: Sequence[Claim], results: Iterable[Result], unsure: Mapping[str, str]) -> None:
        """Done are the subjects of which nothing failed or is unsure; the others are tried again."""
        failed: dict[str, Result] = {}
        for result in results:
            if result.outcome in runs.FAILED and (
                result.id.subject not in failed or failed[result.id.subject].temporary < result.temporary
            ):
                failed[result.id.subject] = result
        work = self._hands.store.work
        if failed:  # what is live may not be as we believed: the next plan looks
            await self._hands.store.doubt([EntityRef(ref) for ref in failed])
        await work.finish([claim for claim in claims if claim.key not in failed and claim.key not in unsure])
        for claim in claims:
            if claim.key in unsure and claim.key not in failed:
                await work.postpone([claim], backoff(claim.tries), unsure[claim.key])
        for delay, group in _by_delay(claims, failed, self._hands.settings.every.seconds).items():
            for claim in group:
                await work.postpone([claim], delay, f"{failed[claim.key].id}: {failed[claim.key].reason}"[:500])

    async def _give_back(self, run: Run, claims: Sequence[Claim], error: Failure) -> None:
        """Nothing could be said of any of them."""
        hands = self._hands
        log().warning("run.failed", run=run.id, subjects=len(claims), error=str(error))
        run = runs.ended(run, None, (), str(error))
        delay = hands.settings.every.seconds
        if isinstance(error, TemporaryError):
            delay = min(error.delay, backoff(min(claim.tries for claim in claims)))
        await hands.store.work.postpone(claims, delay, str(error)[:500])
        await runs.write_down(hands.store, run)
        hands.metrics.run_ended(run, ())


def backoff(tries: int) -> float:
    """Seconds until the next try: doubled each time, and never at the same moment for many."""
    mean = _AT_ONCE if tries == 0 else min(_FIRST * 2 ** min(tries, 10), _LAST)
    return mean * random.uniform(0.5, 1.0)  # noqa: S311


def _by_delay(claims: Sequence[Claim], failed: Mapping[str, Result], every: float) -> dict[float, list[Claim]]:
    """What failed, by when it is tried again.

    What only a person can mend waits for the next full sync, once that is certain: what it refers to may be in another
    batch, and made in this moment.
    """
    found: dict[float, list[Claim]] = {}
    for claim in claims:
        if claim.key in failed:
            soon = failed[claim.key].temporary or claim.tries < _SURE
            found.setdefault(backoff(claim.tries) if soon else every, []).append(claim)
    return found
