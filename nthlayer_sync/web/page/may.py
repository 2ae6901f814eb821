"""What the person who looks may do, so that no button is shown that would only say no."""

from __future__ import annotations

from collections.abc import Iterable

from nthlayer_sync.daemon.policies import owner_of
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.route import Context

APPROVAL = "approval of "
"""How the reason of a change begins that waits for an approval."""


def approvable(context: Context, changes: Iterable[ChangeShown]) -> set[str]:
    """Keys of the changes that wait for an approval which the person may give."""
    desk = context.daemon.desk
    return {
        change.key
        for change in changes
        if change.reason.startswith(APPROVAL)
        and desk.may_approve(context.person, EntityRef(change.entity), change.kind)
    }


def may_ask(context: Context, ref: EntityRef) -> bool:
    """Whether the person may have an entity reconciled, paused and resumed."""
    return context.person.may("operator") or context.person.owns(owner_of(context.daemon.engine, ref))
