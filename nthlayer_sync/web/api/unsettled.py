"""What stands open until it is planned anew: what waits, what people changed by hand, what is held or refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from pydantic import Field

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.web import cursor
from nthlayer_sync.web.api.artefact import stands
from nthlayer_sync.web.api.asked import LONGEST_REF, AboutEntity, ref_asked
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.route import Context, Page, Route

CHUNK = 250
"""Entities of which the store is asked at once."""


class Asked(AboutEntity):
    """Which changes."""

    owner: str = Field(default="", max_length=LONGEST_REF, description="Only what this group or user owns.")
    kind: str = Field(default="", max_length=100, description="Only of this kind, such as `kubernetes/hpa`.")


class ActionsAsked(Asked):
    """Which changes."""

    action: tuple[Action, ...] = Field(default=(), max_length=20, description="Only these actions; all without.")


async def list_changes(context: Context) -> Page[ChangeShown]:
    """Every change that stands open, by entity: it is still to be made, waits, is kept, held or refused."""
    asked = context.asked(ActionsAsked)
    return await _open(context, asked, asked.action or tuple(Action))


async def list_waiting(context: Context) -> Page[ChangeShown]:
    """Changes that wait, each with what it waits for and the key by which it is approved."""
    return await _open(context, context.asked(Asked), (Action.WAIT,))


async def list_drift(context: Context) -> Page[ChangeShown]:
    """What people, or other programs, changed of what we manage, and what is left so until somebody decides."""
    return await _open(context, context.asked(Asked), (Action.KEEP,))


async def list_held(context: Context) -> Page[ChangeShown]:
    """What nobody asks for any more, and what is not deleted all the same, with the reason."""
    return await _open(context, context.asked(Asked), (Action.HOLD,))


async def _open(context: Context, asked: Asked, actions: Collection[Action]) -> Page[ChangeShown]:
    about, owner = ref_asked("entity", asked.entity), ref_asked("owner", asked.owner)
    last = cursor.read("changes", asked.cursor, tuple[str, str, str]) or ("", "", "")
    items: list[ChangeShown] = []
    async for ref, change in _standing(context.daemon.store, about, EntityRef(last[0])):
        fits = (
            change.action in actions
            and (ref != last[0] or (change.kind, change.name) > last[1:])
            and (owner is None or change.owner == owner)
            and (not asked.kind or change.kind == asked.kind)
        )
        if fits and len(items) == asked.limit:
            end = (items[-1].entity, items[-1].kind, items[-1].name)
            return Page(items=tuple(items), next=cursor.after("changes", end))
        if fits:
            items.append(ChangeShown.of(ref, change))
    return Page(items=tuple(items))


async def _standing(
    store: SharedStore, about: EntityRef | None, first: EntityRef
) -> AsyncIterator[tuple[EntityRef, Change]]:
    """What stands open of one entity, or of all from `first` on, in the store's order of entities."""
    chosen = about or first
    found = await store.open_parts([chosen]) if chosen else []
    while True:
        memories = await store.memories([part.subject for _, part in found])
        for _, part in found:
            memory = memories.get(part.subject)
            applied = {(each.kind, each.name): each for each in memory.applied} if memory else {}
            for change in sorted(part.changes, key=lambda change: (change.kind, change.name)):
                if stands(change, applied.get((change.kind, change.name))):
                    yield part.subject, change
        found = await store.open_parts(after=first, limit=CHUNK) if about is None else []
        if not found:
            return
        first = found[-1][1].subject


ROUTES = (
    Route("GET", "/api/v1/changes", "Every change that stands open", Page[ChangeShown], list_changes, "changes",
          query=ActionsAsked),
    Route("GET", "/api/v1/waiting", "Changes that wait", Page[ChangeShown], list_waiting, "changes", query=Asked),
    Route("GET", "/api/v1/drift", "What was changed by hand", Page[ChangeShown], list_drift, "changes", query=Asked),
    Route("GET", "/api/v1/held", "What is not deleted though nobody asks for it", Page[ChangeShown], list_held,
          "changes", query=Asked),
)  # fmt: skip
