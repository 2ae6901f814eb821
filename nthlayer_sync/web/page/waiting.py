"""What waits for a person: approvals, guards, a wave, pauses; and what stays undone until somebody decides."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Literal

from aiohttp import web
from pydantic import Field

from nthlayer_sync.daemon.policies import EVERYTHING
from nthlayer_sync.engine.gate import GUARD
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.api.may import may_ask
from nthlayer_sync.web.api.status import StatusShown, get_status
from nthlayer_sync.web.api.unsettled import ActionsAsked, list_changes
from nthlayer_sync.web.page.may import approvable
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import Context, Paging, Route

What = Literal["waiting", "drift", "held", "refused", "writes"]
ACTIONS: dict[What, tuple[Action, ...]] = {
    "waiting": (Action.WAIT,),
    "drift": (Action.KEEP,),
    "held": (Action.HOLD,),
    "refused": (Action.REFUSE,),
    "writes": (Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT),
}
"""What can be looked at, and the actions behind it."""


class WaitingAsked(Paging):
    """What of it."""

    what: What = Field(default="waiting")


async def show_waiting(context: Context) -> web.Response:
    """What waits, by entity."""
    asked = context.asked(WaitingAsked)
    question = ActionsAsked(action=ACTIONS[asked.what], cursor=asked.cursor, limit=asked.limit)
    found = await list_changes(asking(context, question))
    status = await get_status(context)
    return show(
        context,
        "waiting",
        "Waiting",
        what=asked.what,
        whats=list(ACTIONS),
        groups=[(ref, list(group)) for ref, group in groupby(found.items, key=lambda change: change.entity)],
        next=found.next,
        later=bool(asked.cursor),
        approvable=approvable(context, found.items),
        guards=_guards(found.items),
        status=status,
        resumable=_resumable(context, status),
        may_operate=context.person.may("operator"),
        may_override=context.person.may("admin"),
    )


def _guards(changes: Iterable[ChangeShown]) -> dict[tuple[str, str], list[ChangeShown]]:
    """What a guard holds, by its name and its words."""
    found: dict[tuple[str, str], list[ChangeShown]] = {}
    for change in changes:
        if change.reason.startswith(GUARD):
            name, _, words = change.reason.removeprefix(GUARD).partition(": ")
            found.setdefault((name, "" if name == "protected" else words), []).append(change)
    return found


def _resumable(context: Context, status: StatusShown) -> set[str]:
    """What the person may resume of what is paused."""
    return {
        pause.entity
        for pause in status.pauses
        if (context.person.may("operator") if pause.entity == EVERYTHING else may_ask(context, EntityRef(pause.entity)))
    }


ROUTES = (Route("GET", "/waiting", "Waiting", None, show_waiting, "page", query=WaitingAsked, media_type="text/html"),)
