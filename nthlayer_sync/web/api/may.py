"""Who asks, and what they may do: clients show no button that would only say no."""

from __future__ import annotations

from nthlayer_sync.daemon.policies import owner_of
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.settings.serve import Role
from nthlayer_sync.web.api.asked import entity_in_path
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.route import Context, Route

APPROVAL = "approval of "
"""How the reason of a change begins that waits for an approval."""


class MeShown(Shown):
    """Who asks."""

    name: str
    role: Role
    """A viewer looks; an operator syncs, approves, pauses and undoes; an admin also overrides guards."""
    groups: tuple[str, ...]
    """What they belong to: what these own is theirs."""


class MayShown(Shown):
    """What who asks may do with an entity."""

    name: str
    role: Role
    ask: bool
    """Whether they may have it reconciled, paused and resumed."""
    approve: tuple[str, ...]
    """Keys of the changes of it that wait for an approval which they may give."""


async def get_me(context: Context) -> MeShown:
    """Who asks."""
    person = context.person
    return MeShown(name=person.name, role=person.role, groups=tuple(sorted(person.groups)))


def may_ask(context: Context, ref: EntityRef) -> bool:
    """Whether who asks may have an entity reconciled, paused and resumed."""
    return context.person.may("operator") or context.person.owns(owner_of(context.daemon.engine, ref))


async def get_may(context: Context) -> MayShown:
    """What who asks may do with an entity."""
    ref, daemon, person = entity_in_path(context), context.daemon, context.person
    waiting = [
        change
        for _, part in await daemon.store.open_parts([ref])
        for change in part.changes
        if change.action is Action.WAIT
        and change.reason.startswith(APPROVAL)
        and daemon.desk.may_approve(person, ref, change.kind)
    ]
    return MayShown(
        name=person.name,
        role=person.role,
        ask=may_ask(context, ref),
        approve=tuple(ChangeShown.of(ref, change).key for change in waiting),
    )


ROUTES = (
    Route("GET", "/api/v1/me", "Who asks", MeShown, get_me, "status"),
    Route("GET", "/api/v1/entities/{ref}/may", "What who asks may do with an entity", MayShown, get_may, "entities"),
)
