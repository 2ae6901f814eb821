"""Plans: what was found to be done, and one change of it line by line."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from nthlayer_sync.web.api.plans import OneChange, get_plan, get_plan_diff, list_plan_parts, list_plans
from nthlayer_sync.web.page.difference import difference
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.route import MOST, Context, Paging, Route


class PlanAsked(Paging):
    """Which of its entities."""

    limit: int = Field(default=25, ge=1, le=MOST)


async def show_plans(context: Context) -> web.Response:
    """Stored plans, the newest first."""
    asked = context.asked(Paging)
    found = await list_plans(asking(context, asked))
    return show(context, "plans", "Plans", plans=found.items, next=found.next, later=bool(asked.cursor))


async def show_plan(context: Context) -> web.Response:
    """One plan, by entity."""
    plan, asked = await get_plan(context), context.asked(PlanAsked)
    parts = await list_plan_parts(asking(context, asked))
    undoable = {id for id, _ in await context.daemon.store.undoable()}
    return show(
        context,
        "plan",
        f"Plan {plan.id}",
        plan=plan,
        parts_=parts.items,
        next=parts.next,
        later=bool(asked.cursor),
        actions=sorted({action for counts in plan.counts.values() for action in counts}),
        may_undo=plan.id in undoable and context.person.may("operator"),
    )


async def show_plan_change(context: Context) -> web.Response:
    """One change of a plan, line by line."""
    asked = context.asked(OneChange)
    diff = await get_plan_diff(asking(context, asked))
    lines = difference(diff.before or "", diff.after or "")
    title = f"{asked.kind} in plan {context.path['id']}"
    return show(context, "change", title, plan=context.path["id"], diff=diff, lines=lines)


ROUTES = (
    Route("GET", "/plans", "Plans", None, show_plans, "page", query=Paging, media_type="text/html"),
    Route("GET", "/plans/{id}", "One plan", None, show_plan, "page", query=PlanAsked, media_type="text/html"),
    Route("GET", "/plans/{id}/change", "One change", None, show_plan_change, "page", query=OneChange,
          media_type="text/html"),
)  # fmt: skip
