"""Services, teams and the organisation, with all that a generator may look at.

Which components are services: those whose tier can be resolved. One for which nobody names a tier is not managed, which
is no mistake. One whose blueprint is wrong is held: nothing is generated for it, and what there is stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from nthlayer_sync.blueprint.document import IGNORE, is_ignored
from nthlayer_sync.blueprint.resolve import Resolved
from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.contacts import contact
from nthlayer_sync.graph.homes import central_home, own_home, unsafe
from nthlayer_sync.graph.layers import Layers
from nthlayer_sync.graph.relations import CHILD_OF, OWNED_BY, PROVIDES_API
from nthlayer_sync.graph.technology import is_external, language, technology
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import AWS_ACCOUNT, AWS_ARN, Entity
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.model.service import Contact, Home, Hours, Neighbour, Organisation, Service, Subject, Team


class Held(msgspec.Struct, frozen=True):
    """A subject that nothing is generated for while its diagnoses stand; its configs keep their last state.

    A note among them says that people took it out (`nthlayer.dev/ignore`); an error, that something is wrong with it.
    """

    ref: EntityRef
    diagnoses: tuple[Diagnosis, ...]


class Subjects:
    """The subjects of a graph. What several of them share is made once.

    `central` is the organisation's central repository, with the folder in it that is ours. `code_host` is the
    organisation's name on the code host. After `graph.update`, pass what it returned to `forget`.
    """

    def __init__(self, graph: Graph, tiers: Tiers, *, central: Home | None = None, code_host: str = "") -> None:
        self.graph = graph
        self.tiers = tiers
        self._central = central
        self._code_host = code_host
        self._layers = Layers(graph, tiers)
        self._contacts: dict[EntityRef, Contact] = {}
        self._neighbours: dict[EntityRef, Neighbour] = {}
        self._dependents: dict[EntityRef, tuple[EntityRef, ...]] = {}
        self._warnings: dict[EntityRef, dict[Diagnosis, None]] = {}

    def __iter__(self) -> Iterator[Subject | Held]:
        """All of them: services, then teams, then the organisation, each in order of their references."""
        refs = sorted(ref for ref in self.graph.entities if ref.startswith(("component:", "group:")))
        for ref in (*refs, self.graph.organisation):
            found = self.get(ref)
            if found is not None:
                yield found

    def get(self, ref: EntityRef) -> Subject | Held | None:
        """The subject `ref` as it is now; None when there is no such subject."""
        if ref == self.graph.organisation:
            return self._organisation()
        entity = self.graph.entities.get(ref)
        if entity is None:
            return None
        if ref.startswith("component:"):
            return self._service(entity)
        return self._team(entity) if ref.startswith("group:") else None

    def forget(self, refs: Iterable[EntityRef]) -> None:
        """Make anew what was made of these: call it with what an update of the graph returned."""
        for ref in refs:
            self._layers.forget(ref)
            self._contacts.pop(ref, None)
            self._neighbours.pop(ref, None)
            self._dependents.pop(ref, None)
            self._warnings.pop(ref, None)

    def diagnoses(self) -> Iterator[Diagnosis]:
        """What is wrong with entities and their blueprints, and who is not managed."""
        refs = sorted(ref for ref in self.graph.entities if ref.startswith(("component:", "group:")))
        found = [diagnosis for ref in refs for diagnosis in self.diagnoses_of(ref)]
        yield from self.graph.diagnoses()
        yield from self.warnings()
        yield from found

    def diagnoses_of(self, ref: EntityRef) -> Iterator[Diagnosis]:
        """Why nothing is generated for one entity, where that is so."""
        subject = self.get(ref)
        if isinstance(subject, Held):
            yield from subject.diagnoses
        elif subject is None and ref.startswith("component:"):
            message = f"{ref} is not managed: nobody names a tier for it"
            yield Diagnosis(code="unmanaged", message=message, severity=Severity.NOTE, entity=ref)

    def warnings(self) -> Iterator[Diagnosis]:
        """What was found of contacts and objectives of the subjects that were made until now."""
        for warnings in [self._warnings[ref] for ref in sorted(self._warnings)]:
            yield from sorted(warnings, key=str)

    def resolved(self, ref: EntityRef) -> Resolved | None:
        """The blueprint of a component and where it comes from; None when it is not managed."""
        return self._layers.resolved(ref)

    def tier(self, ref: EntityRef) -> str:
        """The tier of any entity, "" when it has none; also that of a service whose blueprint is otherwise wrong."""
        return self._layers.tier(ref)

    def contact(self, ref: EntityRef) -> Contact:
        """An owner."""
        found = self._contacts.get(ref)
        if found is None:
            found = self._contacts[ref] = contact(self.graph, ref, self._code_host, self._warn)
        return found

    def neighbour(self, ref: EntityRef) -> Neighbour:
        """Any entity as those see it that need it or are needed by it."""
        found = self._neighbours.get(ref)
        if found is None:
            found = self._neighbours[ref] = self._neighbour(ref)
        return found

    def _neighbour(self, ref: EntityRef) -> Neighbour:
        kind, _, name = ref_parts(ref)
        entity = self.graph.entities.get(ref)
        if entity is None:
            return Neighbour(ref, name, kind, technology=technology(None, kind, name), known=False)
        owner = self.graph.owner(ref)
        return Neighbour(
            ref=ref,
            name=entity.name,
            kind=kind,
            type=entity.type.lower(),
            technology=technology(entity, kind, name),
            tier=self.tier(ref),
            owner=owner,
            availability=self._layers.availability(ref, self._warn),
            external=is_external(entity),
            channel=self.contact(owner).channel if owner else "",
            account=entity.annotations.get(AWS_ACCOUNT, ""),
            arn=entity.annotations.get(AWS_ARN, ""),
            pages=not is_ignored(entity.annotations) and self._layers.pages(ref),
        )

    def _warn(self, diagnosis: Diagnosis) -> None:
        self._warnings.setdefault(EntityRef(diagnosis.entity), {})[diagnosis] = None

    def _dependents_of(self, ref: EntityRef) -> tuple[EntityRef, ...]:
        found = self._dependents.get(ref)
        if found is None:
            found = self._dependents[ref] = tuple(sorted(self.graph.dependents(ref)))
        return found

    def _service(self, entity: Entity) -> Service | Held | None:
        graph, ref = self.graph, entity.ref
        resolved = self._layers.resolved(ref)
        if is_ignored(entity.annotations):
            return Held(ref, (_ignored(entity),))
        if resolved is None:
            return None
        refused = unsafe(entity)
        if resolved.blueprint is None or refused:
            return Held(ref, (*resolved.diagnoses, *refused))
        owner, system, facts = graph.owner(ref), graph.system(ref), graph.facts(ref)
        direct = self._dependents_of(ref)
        further = {above for dependent in direct for above in self._dependents_of(dependent)}
        further.difference_update(direct, (ref,))
        return Service(
            ref=ref,
            name=entity.name,
            namespace=entity.namespace,
            title=entity.title,
            description=entity.description,
            type=entity.type.lower(),
            lifecycle=entity.lifecycle.lower(),
            language=language(entity, facts),
            annotations=entity.annotations,
            labels=entity.labels,
            tags=entity.tags,
            links=entity.links,
            owner=self.contact(owner) if owner else None,
            system=system,
            domain=graph.domain(system) if system else None,
            depends_on=tuple([self.neighbour(other) for other in sorted(graph.dependencies(ref))]),
            dependents=tuple([self.neighbour(other) for other in direct]),
            further=tuple(sorted(further)),
            provides=tuple(sorted(graph.targets(ref, PROVIDES_API))),
            entity=entity.place,
            document=entity.document,
            own=own_home(graph, entity),
            central=central_home(self._central, entity),
            facts=facts,
            blueprint=resolved.blueprint,
            blueprint_digest=resolved.digest,
        )

    def _team(self, entity: Entity) -> Team | Held | None:
        ref = entity.ref
        services = self._services(ref)
        if not services:
            return None
        if is_ignored(entity.annotations):
            return Held(ref, (_ignored(entity),))
        neighbours = tuple([self.neighbour(service) for service in services])
        tierless = [neighbour.ref for neighbour in neighbours if not neighbour.tier]
        refused = (*unsafe(entity), *self._misread(ref))
        if tierless or refused:
            return Held(ref, (*refused, *[_tierless(entity, service) for service in tierless]))
        strictest = min((neighbour.tier for neighbour in neighbours), key=self.tiers.rank)
        resolved = self._layers.team(ref, strictest)
        if resolved.blueprint is None:
            return Held(ref, resolved.diagnoses)
        return Team(
            ref=ref,
            contact=self.contact(ref),
            parent=min(self.graph.targets(ref, CHILD_OF), default=None),
            services=neighbours,
            central=central_home(self._central, entity),
            blueprint=resolved.blueprint,
            blueprint_digest=resolved.digest,
        )

    def _misread(self, group: EntityRef) -> Iterator[Diagnosis]:
        """What is wrong with what its people say of themselves: who is on call when would be guessed."""
        for person in self.contact(group).people:
            for found in sorted(self._warnings.get(person.ref, ()), key=str):
                if found.severity is Severity.ERROR:
                    yield found

    def _organisation(self) -> Organisation:
        graph = self.graph
        owned = ("resource:", "system:")
        groups = {ref for ref in graph.entities if ref.startswith("group:") and self._services(ref)}
        groups |= {owner for ref in graph.entities if ref.startswith(owned) and (owner := graph.owner(ref))}
        return Organisation(
            ref=graph.organisation,
            name=ref_parts(graph.organisation).name,
            teams=tuple([self.contact(ref) for ref in sorted(groups)]),
            tiers=tuple(self.tiers.table.tiers),
            windows=tuple(
                Hours(name, window.days, window.opens, window.closes, window.timezone)
                for name, window in sorted(self.tiers.windows.items())
            ),
            retention=self._layers.retention(),
            central=self._central,
        )

    def _services(self, group: EntityRef) -> list[EntityRef]:
        """The services of a group: managed, or held for a mistake."""
        entities = self.graph.entities
        return sorted(
            ref
            for ref in self.graph.sources(group, OWNED_BY)
            if ref.startswith("component:")
            and ref in entities
            and self.graph.owner(ref) == group
            and not is_ignored(entities[ref].annotations)
            and self._layers.resolved(ref) is not None
        )


def _ignored(entity: Entity) -> Diagnosis:
    message = f"{entity.ref} is left alone: {IGNORE} says so"
    return Diagnosis(code="ignored", message=message, severity=Severity.NOTE, entity=entity.ref, field=IGNORE)


def _tierless(entity: Entity, service: EntityRef) -> Diagnosis:
    message = f"{entity.ref} waits: the tier of its service {service} cannot be read"
    return Diagnosis(code="service-without-tier", message=message, entity=entity.ref, field="tier")
