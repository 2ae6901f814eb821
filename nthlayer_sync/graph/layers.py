"""What is said about a service's blueprint: by its team, its system, its blueprint file and its annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from nthlayer_sync.blueprint.document import read_annotations, read_blueprint
from nthlayer_sync.blueprint.layer import Layer
from nthlayer_sync.blueprint.person import KEYS
from nthlayer_sync.blueprint.resolve import Resolved, resolve
from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import INPUT_PREFIX, Entity
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import BlueprintFile
from nthlayer_sync.model.units import Percent

AVAILABILITY = f"{INPUT_PREFIX}observability.slo.availability"
_TIER = f"{INPUT_PREFIX}tier"


_Said: TypeAlias = tuple[tuple[Layer, ...], tuple[Layer, ...], Entity, BlueprintFile | None]
"""What a blueprint is made of: what the team and the system say, the entity, and its blueprint file."""


class Layers:
    """Layers and resolved blueprints of the entities of a graph, each worked out once until it is forgotten.

    A blueprint that is forgotten is worked out anew only where what it is made of became different: most of what a
    change concerns only has to show it.
    """

    def __init__(self, graph: Graph, tiers: Tiers) -> None:
        self._graph = graph
        self._tiers = tiers
        self._above: dict[EntityRef, tuple[Layer, ...]] = {}
        self._resolved: dict[EntityRef, tuple[_Said, Resolved | None]] = {}
        self._current: set[EntityRef] = set()

    def forget(self, ref: EntityRef) -> None:
        """Work out anew what concerns `ref`."""
        self._above.pop(ref, None)
        self._current.discard(ref)

    def retention(self) -> dict[str, int]:
        """How long each tier keeps logs when nobody says otherwise, in milliseconds."""
        tiers = {tier: resolve([Layer("tier", {"tier": tier})], self._tiers) for tier in self._tiers.table.tiers}
        return {t: r.blueprint.observability.retention.milliseconds for t, r in tiers.items() if r.blueprint}

    def resolved(self, ref: EntityRef) -> Resolved | None:
        """The blueprint of a component; None when no layer names a tier for it, and the organisation has no default."""
        if ref not in self._current:
            self._bring_up(ref)
            self._current.add(ref)
        found = self._resolved.get(ref)
        return found[1] if found else None

    def team(self, group: EntityRef, tier: str) -> Resolved:
        """The blueprint of a group whose strictest service is of this tier."""
        return resolve(
            (*self._shared(group, "team"), Layer("strictest tier of its services", {"tier": tier})), self._tiers
        )

    def tier(self, ref: EntityRef) -> str:
        """The tier of an entity by its own name, "" when none is named, or one that does not exist."""
        if not ref.startswith("component:"):
            entity = self._graph.entities.get(ref)
            return self._tiers.names.get(entity.annotations.get(_TIER, ""), "") if entity else ""
        resolved = self.resolved(ref)
        if resolved is None:
            return ""
        if resolved.blueprint:
            return resolved.blueprint.tier
        named = (layer.values["tier"] for layer in reversed(resolved.layers) if "tier" in layer.values)
        return self._tiers.names.get(str(next(named, "")), "")

    def pages(self, ref: EntityRef) -> bool:
        """Whether somebody is called for an entity; for services only."""
        resolved = self.resolved(ref) if ref.startswith("component:") else None
        return resolved is not None and resolved.blueprint is not None and resolved.blueprint.incident.page

    def availability(self, ref: EntityRef, report: Callable[[Diagnosis], None]) -> str:
        """The availability objective of an entity in percent: of a service the resolved one, else what is annotated."""
        if ref.startswith("component:") and (resolved := self.resolved(ref)):
            objective = resolved.blueprint.observability.slo.availability if resolved.blueprint else None
            return f"{objective.value:f}" if objective else ""
        entity = self._graph.entities.get(ref)
        text = entity.annotations.get(AVAILABILITY, "") if entity else ""
        try:
            return f"{Percent.parse(text).value:f}" if text else ""
        except NotationError as error:
            message = f"{AVAILABILITY}: {error}"
            report(
                Diagnosis(
                    code="annotation-value",
                    message=message,
                    severity=Severity.WARNING,
                    file=entity.place.path if entity and entity.place else "",
                    entity=ref,
                    field=AVAILABILITY,
                    found=text[:60],
                )
            )
            return ""

    def _bring_up(self, ref: EntityRef) -> None:
        """See that the blueprint of a component is as it is now."""
        entity = self._graph.entities.get(ref)
        if entity is None:
            self._resolved.pop(ref, None)
            return
        owner, system = self._graph.owner(ref), self._graph.system(ref)
        said = (
            self._shared(owner, "team") if owner else (),
            self._shared(system, "system") if system else (),
            entity,
            self._graph.blueprint(ref),
        )
        known = self._resolved.get(ref)
        if known is None or known[0] != said:
            self._resolved[ref] = said, self._resolve(said)

    def _resolve(self, said: _Said) -> Resolved | None:
        team, system, entity, _ = said
        found = resolve((*team, *system, *self._own(entity)), self._tiers)
        if any(diagnosis.code == "blueprint-no-tier" for diagnosis in found.diagnoses):
            return None
        if found.diagnoses:
            return msgspec.structs.replace(found, diagnoses=tuple(placed(found.diagnoses, entity)))
        return found

    def _own(self, entity: Entity) -> tuple[Layer, ...]:
        """What the blueprint file and the annotations of an entity say."""
        written = entity.annotations
        if entity.ref.startswith("user:"):
            written = {key: text for key, text in written.items() if key not in KEYS}
        annotations = read_annotations(written, self._tiers)
        file = self._graph.blueprint(entity.ref)
        if file is None:
            return annotations
        return (read_blueprint(file.data, file=file.path, name=entity.name, tiers=self._tiers), *annotations)

    def _shared(self, ref: EntityRef, word: str) -> tuple[Layer, ...]:
        """What a team or a system says for all its services."""
        found = self._above.get(ref)
        if found is None:
            entity = self._graph.entities.get(ref)
            own = self._own(entity) if entity else ()
            found = self._above[ref] = tuple(
                Layer(f"{word} {ref}: {layer.origin}", layer.values, tuple(placed(layer.diagnoses, entity)))
                for layer in own
            )
        return found


def placed(diagnoses: Iterable[Diagnosis], entity: Entity | None) -> list[Diagnosis]:
    """Diagnoses that name their entity, and its file where they name none."""
    if entity is None:
        return list(diagnoses)
    file = entity.place.path if entity.place else ""
    return [
        found if found.entity else msgspec.structs.replace(found, entity=entity.ref, file=found.file or file)
        for found in diagnoses
    ]
