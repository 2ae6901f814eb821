"""What the person who looks may do, so that no button is shown that would only say no."""

from __future__ import annotations

from collections.abc import Iterable

from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.api.may import APPROVAL
from nthlayer_sync.web.route import Context


def approvable(context: Context, changes: Iterable[ChangeShown]) -> set[str]:
    """Keys of the changes that wait for an approval which the person may give."""
    desk = context.daemon.desk
    return {
        change.key
        for change in changes
        if change.reason.startswith(APPROVAL)
        and desk.may_approve(context.person, EntityRef(change.entity), change.kind)
    }
