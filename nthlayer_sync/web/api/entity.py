"""One entity, with everything that was made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from pydantic import JsonValue

from nthlayer_sync.blueprint.document import PAUSED
from nthlayer_sync.daemon.policies import EVERYTHING, Note
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.why import origin_of
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.graph.conflicts import conflicts_of
from nthlayer_sync.graph.query import inversions_of
from nthlayer_sync.graph.subjects import Held
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.model.service import Contact, Service, Subject, Team
from nthlayer_sync.signals.slo import slo_of
from nthlayer_sync.web.api.artefact import Artefact, State, artefacts_of
from nthlayer_sync.web.api.changes import ChangeShown
from nthlayer_sync.web.api.pauses import PauseShown
from nthlayer_sync.web.api.runs import RunShown
from nthlayer_sync.web.api.shown import Finding, Shown, Spot

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon

RUNS_SEARCHED = 200
"""Runs in which the last one of an entity is looked for."""


class Standing(StrEnum):
    """Whether configs are made for an entity."""

    MANAGED = "managed"
    HELD = "held"
    """Not while something is wrong with it, or its people took it out: what it has stays as it is."""
    UNMANAGED = "unmanaged"
    """No service with a tier, and no team that owns one."""


class ContactShown(Shown):
    """An owner, and who can be reached behind it."""

    ref: str
    label: str
    email: str
    channel: str
    """Slack channel with its leading `#`, empty where none is known."""
    people: tuple[str, ...]
    """Names of its people."""

    @classmethod
    def of(cls, contact: Contact) -> ContactShown:
        """A contact as it is answered."""
        return cls(
            ref=contact.ref,
            label=contact.label,
            email=contact.email,
            channel=contact.channel,
            people=tuple(person.name for person in contact.people),
        )


class ValueShown(Shown):
    """One value of a blueprint, and who said it."""

    path: str
    """Dotted, such as `observability.slo.availability`."""
    value: JsonValue
    origin: str
    """The layer it comes from, such as `tier 1` or `file nthlayer.yaml`."""


class EntityShown(Shown):
    """One entity."""

    ref: str
    kind: str
    name: str
    namespace: str
    title: str
    description: str
    type: str
    lifecycle: str
    tags: tuple[str, ...]
    place: Spot | None
    """The catalog file that declares it."""
    owner: ContactShown | None
    """A team that nobody owns stands for itself."""
    system: str | None
    domain: str | None
    tier: str
    standing: Standing
    promises: tuple[str, ...]
    """Its service level objectives in words."""
    blueprint: tuple[ValueShown, ...]
    findings: tuple[Finding, ...]
    artefacts: dict[str, dict[State, int]]
    """How many artefacts it has by category and state; the empty category counts those of kinds that are not on."""
    pause: PauseShown | None
    """Who paused it, or everything, and why."""
    last_run: RunShown | None
    """The newest run that planned it."""
    waiting: tuple[ChangeShown, ...]
    """Changes that wait."""


def standing_of(subject: Subject | Held | None) -> Standing:
    """Whether configs are made for a subject."""
    if subject is None:
        return Standing.UNMANAGED
    return Standing.HELD if isinstance(subject, Held) else Standing.MANAGED


async def shown(daemon: Daemon, ref: EntityRef) -> EntityShown:
    """One entity that a source shows, or the organisation, as it is answered."""
    engine, store = daemon.engine, daemon.store
    artefacts = await artefacts_of(engine, store, ref)
    last = next((run for run in await store.runs(limit=RUNS_SEARCHED) if ref in run.subjects), None)
    pauses = (await daemon.policies.said()).pauses
    graph, subjects = engine.graph, engine.subjects
    entity, subject = graph.entities.get(ref), subjects.get(ref)
    system, parts = graph.system(ref), ref_parts(ref)
    owner = graph.owner(ref) or (ref if parts.kind == "group" else None)
    return EntityShown(
        ref=ref,
        kind=parts.kind,
        name=entity.name if entity else parts.name,
        namespace=entity.namespace if entity else parts.namespace,
        title=entity.title if entity else "",
        description=entity.description if entity else "",
        type=entity.type if entity else "",
        lifecycle=entity.lifecycle if entity else "",
        tags=entity.tags if entity else (),
        place=Spot.of(entity.place) if entity else None,
        owner=ContactShown.of(subjects.contact(owner)) if owner else None,
        system=system,
        domain=graph.domain(system) if system else None,
        tier=subjects.tier(ref),
        standing=standing_of(subject),
        promises=tuple(_promises(subject)),
        blueprint=tuple(_values(engine, ref, subject)),
        findings=tuple(Finding.of(found) for found in _findings(engine, ref)),
        artefacts=_counted(artefacts),
        pause=_pause(ref, entity, pauses),
        last_run=RunShown.of(last) if last else None,
        waiting=tuple(
            ChangeShown.of(ref, artefact.change)
            for artefact in artefacts
            if artefact.change and artefact.change.action is Action.WAIT
        ),
    )


def _pause(ref: EntityRef, entity: Entity | None, pauses: Mapping[str, Note]) -> PauseShown | None:
    """The pause that holds for an entity: the catalog's own, one of it, or one of everything."""
    if entity and (said := entity.annotations.get(PAUSED, "")):
        return PauseShown.by_annotation(ref, said)
    for key in (ref, EVERYTHING):
        if key in pauses:
            return PauseShown.by_person(key, pauses[key])
    return None


def _counted(artefacts: list[Artefact]) -> dict[str, dict[State, int]]:
    counts: dict[str, Counter[State]] = {}
    for artefact in artefacts:
        counts.setdefault(artefact.category or "", Counter())[artefact.state] += 1
    return {category: dict(sorted(count.items())) for category, count in sorted(counts.items())}


def _promises(subject: Subject | Held | None) -> Iterator[str]:
    try:
        promised = slo_of(subject) if isinstance(subject, Service) else None
    except PermanentError:
        return  # the kinds that need it say what is wrong with it
    for objective in promised.promises.objectives if promised else ():
        yield objective.promise


def _findings(engine: Engine, ref: EntityRef) -> list[Diagnosis]:
    """What is wrong with one entity, as far as looking at it alone tells."""
    found = [diagnosis for diagnosis in engine.diagnoses if diagnosis.entity == ref]
    found += engine.subjects.diagnoses_of(ref) if ref in engine.graph.entities else ()
    found += [conflict.diagnosis for conflict in conflicts_of(engine.graph, ref, engine.subjects.tiers.names)]
    if ref.startswith("component:"):
        found += [inversion.diagnosis for inversion in inversions_of(engine.subjects, ref)]
    return list(dict.fromkeys(found))


def _values(engine: Engine, ref: EntityRef, subject: Subject | Held | None) -> Iterator[ValueShown]:
    """Each value of a blueprint. That of a team is made of what its strictest tier says."""
    if not isinstance(subject, Service | Team):
        return
    resolved = engine.subjects.resolved(ref)
    origins = resolved.origins if resolved else {}
    values: dict[str, Any] = subject.blueprint.model_dump(mode="json")
    for path, value in _leaves(values):
        yield ValueShown(path=path, value=value, origin=origin_of(path, origins))


def _leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{above}.{key}" if above else key
        if isinstance(value, dict) and value:
            yield from _leaves(cast("Mapping[str, Any]", value), path)
        else:
            yield path, value
