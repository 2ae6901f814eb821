"""What dependencies leave of an availability objective, with the arithmetic.

A service that needs others is at best up while all of them are: failures taken as independent, their availabilities
multiply (Treynor, Dahlin, Rau, Beyer: The Calculus of Service Availability, ACM Queue 15(2), 2017). An objective
already covers what lies below its service, so only direct dependencies are multiplied; one without an objective stands
for those below it. The weakest of all that lies further below is a bound of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import msgspec

from nthlayer_sync.graph.query import components
from nthlayer_sync.graph.subjects import Subjects
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.ref import EntityRef, ref_name
from nthlayer_sync.model.units import Duration

SHOWN = 8
"""How many factors the arithmetic names."""


class Factor(msgspec.Struct, frozen=True, order=True):
    """A dependency and its availability objective in percent."""

    ref: EntityRef
    availability: Decimal


class Ceiling(msgspec.Struct, frozen=True):
    """The objective of a service against what its dependencies allow; availabilities in percent.

    `factors` are multiplied to `product`. `weakest` is the least available of all that lies below, at any distance.
    `uncounted` are dependencies without an objective and with none below. `window` is that of the objective.
    """

    entity: EntityRef
    objective: Decimal
    factors: tuple[Factor, ...]
    product: Decimal
    weakest: Factor | None
    uncounted: tuple[EntityRef, ...]
    window: Duration

    @property
    def limit(self) -> Decimal:
        """The best that can be reached."""
        return min(self.product, self.weakest.availability) if self.weakest else self.product

    @property
    def reachable(self) -> bool:
        """Whether the objective can be kept."""
        return self.objective <= self.limit

    @property
    def arithmetic(self) -> str:
        """The verdict in one line: `99.95 % is not reachable over db 99.5 % × cache 99.9 % = 99.4005 %`."""
        verdict = "is" if self.reachable else "is not"
        terms = [f"{ref_name(factor.ref)} {factor.availability:f} %" for factor in self.factors[:SHOWN]]
        if len(self.factors) > SHOWN:
            terms.append(f"{len(self.factors) - SHOWN} more")
        product = f" = {_floor(self.product)} %" if len(self.factors) > 1 else ""
        over = " × ".join(terms) or "nothing that promises less"
        text = f"{self.objective:f} % {verdict} reachable over {over}{product}"
        if self.weakest and self.weakest.availability < self.product:
            text += f", and {ref_name(self.weakest.ref)} further below has {self.weakest.availability:f} %"
        return text

    @property
    def allowed_minutes(self) -> Decimal:
        """Minutes of failure in the window that the objective allows."""
        return self._minutes(self.objective)

    @property
    def expected_minutes(self) -> Decimal:
        """Minutes of failure in the window that dependencies cause while they keep their own objectives."""
        return self._minutes(self.limit)

    @property
    def diagnosis(self) -> Diagnosis:
        """The verdict as a finding: a warning when the objective cannot be kept."""
        minutes = (
            f"{self.objective:f} % allows {self.allowed_minutes:f} min of failure, "
            f"{_floor(self.limit)} % takes {self.expected_minutes:f} min"
        )
        return Diagnosis(
            code="slo-ceiling",
            message=f"{self.arithmetic}; in {self.window}, {minutes}",
            severity=Severity.NOTE if self.reachable else Severity.WARNING,
            entity=self.entity,
            field="observability.slo.availability",
        )

    def _minutes(self, share: Decimal) -> Decimal:
        length = Decimal(self.window.milliseconds) / 60_000
        return ((100 - share) / 100 * length).quantize(Decimal("0.1"), ROUND_HALF_UP)


def ceilings(subjects: Subjects, refs: Iterable[EntityRef]) -> Iterator[Ceiling]:
    """The ceiling of each service among `refs` that has an objective."""
    weakest = _weakest(subjects)
    for ref in refs:
        resolved = subjects.resolved(ref)
        objective = _availability(subjects, ref)
        if not resolved or not resolved.blueprint or objective is None:
            continue
        factors, uncounted = _factors(subjects, ref)
        product = Decimal(100)
        for factor in factors:
            product = product * factor.availability / 100
        window = resolved.blueprint.observability.slo.window
        yield Ceiling(ref, objective, factors, product, weakest.get(ref), uncounted, window)


def _availability(subjects: Subjects, ref: EntityRef) -> Decimal | None:
    text = subjects.neighbour(ref).availability
    return Decimal(text) if text else None


def _factors(subjects: Subjects, ref: EntityRef) -> tuple[tuple[Factor, ...], tuple[EntityRef, ...]]:
    """The nearest dependencies with an objective, and those that have none and nothing below that has one."""
    factors: list[Factor] = []
    uncounted: list[EntityRef] = []
    seen, waiting = {ref}, [ref]
    while waiting:
        current = waiting.pop()
        below = subjects.graph.dependencies(current)
        if current != ref and not below:
            uncounted.append(current)
        for target in below - seen:
            seen.add(target)
            availability = _availability(subjects, target)
            if availability is None:
                waiting.append(target)
            else:
                factors.append(Factor(target, availability))
    return tuple(sorted(factors)), tuple(sorted(uncounted))


def _weakest(subjects: Subjects) -> dict[EntityRef, Factor]:
    """The least available of all that lies below each entity, in time linear in the edges.

    Whatever is in a loop has all of the loop below it, itself too; its own objective says nothing about itself.
    """
    found: dict[EntityRef, Factor] = {}
    groups, needs = components(subjects.graph)
    for group in groups:
        below: dict[EntityRef, Decimal] = {}
        for target in {target for ref in group for target in needs[ref]}:
            availability = _availability(subjects, target)
            if availability is not None:
                below[target] = availability
            if target in found:
                below[found[target].ref] = found[target].availability
        least = sorted((availability, target) for target, availability in below.items())[:2]
        for ref in group:
            for availability, target in least:
                if target != ref:
                    found[ref] = Factor(target, availability)
                    break
    return found


def _floor(share: Decimal) -> str:
    """Percent with at most four decimals, never rounded up to a promise."""
    return f"{share.quantize(Decimal('0.0001'), ROUND_DOWN).normalize():f}"
