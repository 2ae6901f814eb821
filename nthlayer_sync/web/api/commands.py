"""Commands: what people and programs may ask of the daemon. The desk decides who may, and does it."""

from __future__ import annotations

import asyncio
import re
import time
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from nthlayer_sync.daemon.policies import EVERYTHING
from nthlayer_sync.model.ref import parse_ref
from nthlayer_sync.model.run import Run
from nthlayer_sync.web.api.asked import LARGEST, LONGEST_REF, known
from nthlayer_sync.web.api.runs import RunShown
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.problem import Refusal, refused_value
from nthlayer_sync.web.route import Context, Route

KEPT = 24 * 3600.0
"""Seconds for which an `Idempotency-Key` is remembered."""
MOST = 1000
"""Entities, changes or configs that one command names."""
UNDOING = web.AppKey("undoing", set[asyncio.Task[Run]])
"""What is being undone: it is finished also when nobody waits for it any more."""

_KEY = re.compile(r"[ -~]{0,200}")
"""An `Idempotency-Key`, "" for none."""

Ref = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REF)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]


class Command(BaseModel):
    """Base of what is sent; other fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sync(Command):
    """Read sources now."""

    sources: tuple[Name, ...] = Field(default=(), max_length=100, description="Their names; all when left out.")


class Reconcile(Command):
    """Look at entities now, and make what is to be made."""

    entities: tuple[Ref, ...] = Field(min_length=1, max_length=MOST, description="Their references.")


class Audit(Command):
    """Look at every live system now."""


class Pause(Command):
    """Write nothing until it is resumed."""

    entity: Ref = Field(description="The entity; `*` for everything.")
    reason: Reason = Field(description="Why, for those who come upon it.")


class Resume(Command):
    """End a pause."""

    entity: Ref = Field(description="The entity; `*` for everything.")


class Approve(Command):
    """Let changes be made that wait for an approval."""

    entity: Ref = Field(description="The entity.")
    changes: tuple[Name, ...] = Field(min_length=1, max_length=MOST, description="Keys of the changes that wait.")


class Consent(Command):
    """Let changes be made that a guard holds, in numbers."""

    guard: Literal["deletes", "updates", "recreates", "protected"] = Field(description="The guard.")
    count: int = Field(default=0, ge=0, le=LARGEST, description="How many it lets pass.")
    configs: tuple[Annotated[str, StringConstraints(min_length=1, max_length=500)], ...] = Field(
        default=(), max_length=MOST, description="Which protected configs may be deleted, as the guard names them."
    )


class Undo(Command):
    """Put back what a plan changed."""

    plan: str = Field(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="The plan's id.")


class Asked(Shown):
    """What was asked for is remembered, and done as soon as a replica comes to it."""

    asked: int
    """How many of what was named."""


async def ask_sync(context: Context) -> Asked:
    """Read sources now; what changed in them is planned, and applied as the settings say."""
    names = list(dict.fromkeys(context.sent(Sync).sources))
    await context.daemon.desk.sync(context.person, names)
    return Asked(asked=len(names or context.daemon.settings.sources))


async def ask_reconcile(context: Context) -> Asked:
    """Look at entities now: plan them, and apply what may be applied."""
    refs = list(dict.fromkeys(known(context, text) for text in context.sent(Reconcile).entities))
    await context.daemon.desk.reconcile(context.person, refs)
    return Asked(asked=len(refs))


async def ask_audit(context: Context) -> Asked:
    """Look at every live system now, for what others changed there."""
    context.sent(Audit)
    await context.daemon.desk.audit(context.person)
    return Asked(asked=1)


async def pause(context: Context) -> None:
    """Write nothing for an entity, or for all, until it is resumed. Plans are made and shown all the same."""
    sent = context.sent(Pause)
    await context.daemon.desk.pause(context.person, _one_or_all(sent.entity), sent.reason)


async def resume(context: Context) -> None:
    """End a pause. One that stands in the catalog is ended there."""
    await context.daemon.desk.resume(context.person, _one_or_all(context.sent(Resume).entity))


async def approve(context: Context) -> Asked:
    """Let changes be made that wait for an approval, as they stand now: one that became another waits again."""
    sent = context.sent(Approve)
    ref = known(context, sent.entity)
    return Asked(asked=await context.daemon.desk.approve(context.person, ref, list(dict.fromkeys(sent.changes))))


async def consent(context: Context) -> None:
    """Let so many changes pass a guard, or these deletes of protected configs."""
    sent = context.sent(Consent)
    await context.daemon.desk.consent(context.person, sent.guard, sent.count, sent.configs)


async def undo(context: Context) -> RunShown:
    """Put back what a plan changed, and pause what it concerned. What was changed since stays as it is.

    It goes on when the client leaves. With an `Idempotency-Key` the same request, sent again within a day, answers with
    the run that the first one made.
    """
    plan, key = context.sent(Undo).plan, context.request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise refused_value("header", "Idempotency-Key", "it has to be at most 200 printable characters of ASCII")
    undoing = context.request.app[UNDOING]
    task = asyncio.create_task(
        _undo_once(context, plan, key) if key else context.daemon.desk.undo(context.person, plan)
    )
    undoing.add(task)
    task.add_done_callback(undoing.discard)
    return RunShown.of(await asyncio.shield(task))


def install(app: web.Application, grace: float) -> None:
    """Finish what is being undone when the server stops, whether or not somebody still waits for the answer.

    What takes longer than `grace` seconds is broken off; the journal knows of it.
    """
    app[UNDOING] = set()

    async def finish(app: web.Application) -> None:
        if tasks := list(app[UNDOING]):
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks)

    app.on_cleanup.append(finish)


async def _undo_once(context: Context, plan: str, key: str) -> Run:
    """Undo, unless the same person's same key has done so before."""
    desk, store = context.daemon.desk, context.daemon.store
    note_key = blake2b(f"{context.person.name}\0{key}".encode(), digest_size=16).hexdigest()
    until = time.time() + KEPT
    if not await store.pin(_UNDONE, note_key, msgspec.json.encode(_Undone(plan)), until, replace=False):
        return await _before(context, note_key, plan)
    try:
        run = await desk.undo(context.person, plan)
    except BaseException:
        await store.unpin(_UNDONE, [note_key])
        raise
    await store.pin(_UNDONE, note_key, msgspec.json.encode(_Undone(plan, run.id)), until)
    return run


class _Undone(msgspec.Struct, frozen=True):
    """What an `Idempotency-Key` was used for; `run` is empty while it is being done."""

    plan: str
    run: str = ""


_UNDONE = "undone"
"""Topic of the notes about `Idempotency-Key`s."""


async def _before(context: Context, note_key: str, plan: str) -> Run:
    """The run of a request that was sent before."""
    note = (await context.daemon.store.notes(_UNDONE)).get(note_key)
    before = msgspec.json.decode(note, type=_Undone) if note else None
    if before is not None and before.plan != plan:
        raise Refusal(422, f"this Idempotency-Key was used to undo {before.plan}")
    run = await context.daemon.store.run(before.run) if before and before.run else None
    if run is None:
        raise Refusal(409, "the same request is being answered; ask again in a moment", headers={"Retry-After": "5"})
    return run


def _one_or_all(text: str) -> str:
    if text == EVERYTHING:
        return text
    try:
        return parse_ref(text)
    except ValueError as error:
        raise refused_value("body", "entity", str(error)) from None


ROUTES = (
    Route("POST", "/api/v1/sync", "Read sources now", Asked, ask_sync, "commands", body=Sync, status=202),
    Route("POST", "/api/v1/reconcile", "Look at entities now", Asked, ask_reconcile, "commands", body=Reconcile,
          status=202),
    Route("POST", "/api/v1/audit", "Look at live systems now", Asked, ask_audit, "commands", body=Audit, status=202),
    Route("POST", "/api/v1/pause", "Write nothing", None, pause, "commands", body=Pause, status=204),
    Route("POST", "/api/v1/resume", "End a pause", None, resume, "commands", body=Resume, status=204),
    Route("POST", "/api/v1/approve", "Let changes be made", Asked, approve, "commands", body=Approve),
    Route("POST", "/api/v1/consent", "Let changes pass a guard", None, consent, "commands", body=Consent, status=204),
    Route("POST", "/api/v1/undo", "Put back what a plan changed", RunShown, undo, "commands", body=Undo,
          headers={"Idempotency-Key": "Text of the client's own: the same request sent again does nothing more."}),
)  # fmt: skip
