"""What the sources, the blueprints and the graph have to say: everything that is wrong, or worth knowing."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.graph.ceiling import ceilings
from nthlayer_sync.graph.conflicts import conflicts_of
from nthlayer_sync.graph.query import cycles, dead_owners, inversions_of, orphans, unknown_targets
from nthlayer_sync.graph.subjects import Held
from nthlayer_sync.model.diagnosis import Diagnosis, Severity


def findings(engine: Engine) -> Iterator[Diagnosis | None]:
    """All findings but those of the sources' last reads (`Engine.diagnoses`); None is a good moment for other work."""
    graph, subjects = engine.graph, engine.subjects
    refs = sorted(graph.entities)
    for ref in refs:
        yield from subjects.diagnoses_of(ref)
        yield None
    yield from graph.diagnoses()
    yield from subjects.warnings()
    yield from orphans(graph)
    yield from dead_owners(subjects)
    yield from unknown_targets(graph)
    for ref in sorted(graph.refs()):
        for conflict in conflicts_of(graph, ref, subjects.tiers.names):
            yield conflict.diagnosis
        yield None
    for cycle in cycles(graph):
        yield cycle.diagnosis
    for ref in refs:
        for inversion in inversions_of(subjects, ref) if ref.startswith("component:") else ():
            yield inversion.diagnosis
        yield None
    for ceiling in ceilings(subjects, refs):
        yield ceiling.diagnosis


def ungenerated(engine: Engine) -> Iterator[Diagnosis]:
    """Kinds that cannot be generated for a subject; it costs as much as planning everything."""
    for subject in engine.subjects:
        if not isinstance(subject, Held):
            for kind, reason in engine.generator.generate(subject).failed.items():
                yield Diagnosis(code="not-generated", message=f"{kind}: {reason}", entity=subject.ref)


def order(found: Diagnosis) -> tuple[int, str, int, int, str, str]:
    """What findings are sorted by for people: the worst first, then by place."""
    severity = list(Severity).index(found.severity)
    return severity, found.file, found.line, found.column, found.entity, found.message
