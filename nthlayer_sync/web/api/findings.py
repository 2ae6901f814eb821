"""Findings: what is wrong with the catalog, the blueprints and the graph; and where sources contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from operator import itemgetter

from pydantic import Field

from nthlayer_sync.engine.findings import findings
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.graph.conflicts import Conflict, conflicts_of
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.web.api.asked import AboutEntity, ref_asked
from nthlayer_sync.web.api.pages import page
from nthlayer_sync.web.api.shown import Finding, Shown
from nthlayer_sync.web.api.whole import Whole
from nthlayer_sync.web.route import Context, Page, Route


class FindingsAsked(AboutEntity):
    """Which findings."""

    severity: Severity | None = Field(default=None, description="Only of this severity.")
    code: str = Field(default="", max_length=100, description="Only of this sort, such as `tier-inversion`.")


class ConflictShown(Shown):
    """Sources differ about a field of an entity; the winner is used."""

    entity: str
    field: str
    """`owner`, `system`, `tier` or `lifecycle`."""
    values: dict[str, str]
    """What each source says, the winner first."""
    winner: str

    @classmethod
    def of(cls, conflict: Conflict) -> ConflictShown:
        """A conflict as it is answered."""
        return cls(entity=conflict.entity, field=conflict.field, values=conflict.values, winner=conflict.winner)


async def list_findings(context: Context) -> Page[Finding]:
    """Everything that is wrong, or worth knowing, the worst first."""
    asked, engine = context.asked(FindingsAsked), context.daemon.engine
    about = ref_asked("entity", asked.entity)
    told = dict(await _FINDINGS.of(engine)) | {_key(each): each for each in engine.diagnoses}
    rows = [
        row
        for row in sorted(told.items(), key=itemgetter(0))
        if (about is None or row[1].entity == about)
        and (asked.severity is None or row[1].severity is asked.severity)
        and (not asked.code or row[1].code == asked.code)
    ]
    return page("findings", asked, rows, Finding.of)


async def list_conflicts(context: Context) -> Page[ConflictShown]:
    """Where sources contradict each other about an entity."""
    asked = context.asked(AboutEntity)
    about = ref_asked("entity", asked.entity)
    found = await _CONFLICTS.of(context.daemon.engine)
    rows = [row for row in found if about is None or row[1].entity == about]
    return page("conflicts", asked, rows, ConflictShown.of)


def _conflicts(engine: Engine) -> Iterator[Conflict | None]:
    for ref in sorted(engine.graph.refs()):
        yield from conflicts_of(engine.graph, ref, engine.subjects.tiers.names)
        yield None


_SEVERITIES = {severity: index for index, severity in enumerate(Severity)}


def _key(found: Diagnosis) -> str:
    rest = blake2b(repr(found).encode(errors="replace"), digest_size=8).hexdigest()
    return f"{_SEVERITIES[found.severity]} {found.entity} {found.code} {rest}"


_FINDINGS = Whole[Diagnosis](findings, _key)
_CONFLICTS = Whole[Conflict](_conflicts, lambda conflict: f"{conflict.entity} {conflict.field}")

ROUTES = (
    Route("GET", "/api/v1/findings", "What is wrong, or worth knowing", Page[Finding], list_findings, "findings",
          query=FindingsAsked),
    Route("GET", "/api/v1/conflicts", "Where sources contradict each other", Page[ConflictShown], list_conflicts,
          "findings", query=AboutEntity),
)  # fmt: skip
