"""Plans: what was found to be done, subject by subject, as it was stored."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.model.plan import Part, Plan
from nthlayer_sync.web import cursor
from nthlayer_sync.web.api.asked import LONGEST_REF, id_in_path, number, ref_asked
from nthlayer_sync.web.api.changes import ChangeShown, DiffShown, diff_of
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.problem import Refusal, refused_value
from nthlayer_sync.web.route import Context, Page, Paging, Query, Route


class RefusalShown(Shown):
    """A guard that stopped a plan."""

    guard: str
    message: str
    """Its numbers."""
    override: str
    """What lets the plan pass on the command line."""


class SourceUsed(Shown):
    """A source as a plan rests on it."""

    name: str
    completeness: str
    reason: str


class PlanShown(Shown):
    """The head of a plan."""

    id: str
    checksum: str
    subjects: int
    """How many entities were looked at."""
    writes: int
    """How many changes write to a live system."""
    counts: dict[str, dict[str, int]]
    """Numbers by kind and action."""
    refusals: tuple[RefusalShown, ...]
    sources: tuple[SourceUsed, ...]

    @classmethod
    def of(cls, plan: Plan) -> PlanShown:
        """A plan as it is answered."""
        return cls(
            id=plan.id,
            checksum=plan.checksum,
            subjects=plan.subjects,
            writes=plan.writes,
            counts=plan.counts,
            refusals=tuple(RefusalShown(guard=r.guard, message=r.message, override=r.override) for r in plan.refusals),
            sources=tuple(SourceUsed(name=s.name, completeness=s.completeness, reason=s.reason) for s in plan.sources),
        )


class PartShown(Shown):
    """What a plan has for one entity."""

    entity: str
    was: str | None
    """What it was called before it was renamed."""
    changes: tuple[ChangeShown, ...]

    @classmethod
    def of(cls, part: Part) -> PartShown:
        """A part as it is answered."""
        changes = tuple(ChangeShown.of(part.subject, change) for change in part.changes)
        return cls(entity=part.subject, was=part.was, changes=changes)


class OneChange(Query):
    """Which change of a plan."""

    entity: str = Field(max_length=LONGEST_REF, description="The entity.")
    kind: str = Field(max_length=100, description="The kind, such as `kubernetes/hpa`.")
    name: str = Field(default="", max_length=1000, description="The config's name, where the entity has several.")


async def list_plans(context: Context) -> Page[PlanShown]:
    """Stored plans, the newest first. Older ones are dropped; what they left open stays visible as drift or waiting."""
    asked = context.asked(Paging)
    before = number("plans", asked)
    found = await context.daemon.store.plans(before, asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    return Page(
        items=tuple(PlanShown.of(plan) for _, plan in shown),
        next=cursor.after("plans", shown[-1][0]) if more else None,
    )


async def get_plan(context: Context) -> PlanShown:
    """The head of one plan."""
    return PlanShown.of(await _plan(context))


async def list_plan_parts(context: Context) -> Page[PartShown]:
    """The changes of a plan by entity, in order of reference."""
    asked, plan = context.asked(Paging), await _plan(context)
    last = cursor.read(f"plan {plan.id}", asked.cursor, str) or ""
    skipping = bool(last)
    items: list[PartShown] = []
    async for part in context.daemon.store.parts(plan.id):
        if skipping:  # the order is the store's own
            skipping = part.subject != last
            continue
        if len(items) == asked.limit:
            return Page(items=tuple(items), next=cursor.after(f"plan {plan.id}", items[-1].entity))
        items.append(PartShown.of(part))
    return Page(items=tuple(items))


async def get_plan_diff(context: Context) -> DiffShown:
    """One change of a plan in text: the managed part as it is live now, and as it is wanted."""
    asked, plan = context.asked(OneChange), await _plan(context)
    ref = ref_asked("entity", asked.entity)
    if ref is None:
        raise refused_value("query", "entity", "it names no entity")
    async for part in context.daemon.store.parts(plan.id):
        for change in part.changes if part.subject == ref else ():
            if (change.kind, change.name) == (asked.kind, asked.name):
                return await diff_of(context.daemon.engine, part, change)
    raise Refusal(404, f"plan {plan.id} has no such change")


async def _plan(context: Context) -> Plan:
    id = id_in_path(context, "plan")
    found = await context.daemon.store.plan(id)
    if found is None:
        raise Refusal(404, f"there is no plan {id}, or it is too old to be kept")
    return found


ROUTES = (
    Route("GET", "/api/v1/plans", "Stored plans, the newest first", Page[PlanShown], list_plans, "plans",
          query=Paging),
    Route("GET", "/api/v1/plans/{id}", "One plan", PlanShown, get_plan, "plans"),
    Route("GET", "/api/v1/plans/{id}/parts", "Its changes by entity", Page[PartShown], list_plan_parts, "plans",
          query=Paging),
    Route("GET", "/api/v1/plans/{id}/diff", "One change in text", DiffShown, get_plan_diff, "plans", query=OneChange),
)  # fmt: skip
