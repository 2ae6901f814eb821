"""What one entity says about others: its relations as edges, all pointing one way.

Backstage writes every relation twice (`dependsOn` here, `dependencyOf` there). Here an edge points from the one who
needs, belongs or provides, so that each fact has one form whichever side states it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from sys import intern
from typing import NamedTuple, cast

from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import EntityRef, parse_ref
from nthlayer_sync.model.snapshot import Edge

OWNED_BY = "ownedBy"
DEPENDS_ON = "dependsOn"
PROVIDES_API = "providesApi"
CONSUMES_API = "consumesApi"
PART_OF = "partOf"
CHILD_OF = "childOf"
MEMBER_OF = "memberOf"

INVERSE: Mapping[str, str] = {
    "ownerOf": OWNED_BY,
    "dependencyOf": DEPENDS_ON,
    "apiProvidedBy": PROVIDES_API,
    "apiConsumedBy": CONSUMES_API,
    "hasPart": PART_OF,
    "parentOf": CHILD_OF,
    "hasMember": MEMBER_OF,
}
"""Relation names that point the other way, and what they are called here."""


class Rule(NamedTuple):
    """How a field of `spec` becomes edges. `kind` is what a reference without one means; "" lets none be left out."""

    field: str
    relation: str
    kind: str
    inverse: bool = False


# https://github.com/backstage/backstage/blob/master/plugins/catalog-backend/src/processors/BuiltinKindsEntityProcessor.ts
_OWNER = Rule("owner", OWNED_BY, "group")
_SYSTEM = Rule("system", PART_OF, "system")
_NEEDS = (Rule("dependsOn", DEPENDS_ON, ""), Rule("dependencyOf", DEPENDS_ON, "", inverse=True))
_COMPONENT = (
    _OWNER,
    _SYSTEM,
    Rule("subcomponentOf", PART_OF, "component"),
    Rule("providesApis", PROVIDES_API, "api"),
    Rule("consumesApis", CONSUMES_API, "api"),
    *_NEEDS,
)
RULES: Mapping[str, tuple[Rule, ...]] = {
    "component": _COMPONENT,
    "api": (_OWNER, _SYSTEM),
    "resource": (_OWNER, _SYSTEM, *_NEEDS),
    "system": (_OWNER, Rule("domain", PART_OF, "domain")),
    "domain": (_OWNER, Rule("subdomainOf", PART_OF, "domain")),
    "group": (
        Rule("parent", CHILD_OF, "group"),
        Rule("children", CHILD_OF, "group", inverse=True),
        Rule("members", MEMBER_OF, "user", inverse=True),
    ),
    "user": (Rule("memberOf", MEMBER_OF, "group"),),
}
_OTHER_KINDS = (_OWNER,)


def edges_of(
    entity: Entity, origin: str, confidence: float, report: Callable[[Diagnosis], None] | None = None
) -> list[Edge]:
    """The edges that `entity` states, as `origin` read it; what cannot be a reference is reported and left out.

    One that it states twice comes twice.
    """
    ref = entity.ref
    if entity.relations is not None:
        return [
            Edge(relation.target, INVERSE[relation.type], ref, origin, confidence)
            if relation.type in INVERSE
            else Edge(ref, relation.type, relation.target, origin, confidence)
            for relation in entity.relations
        ]
    edges: list[Edge] = []
    spec, kind = entity.spec, ref.partition(":")[0]
    for rule in RULES.get(kind, _OTHER_KINDS):
        value = spec.get(rule.field)
        if not value:
            continue
        for item in cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,):
            try:
                if not isinstance(item, str):
                    raise ValueError(f"{item!r:.100} is not an entity reference; write a text")  # noqa: TRY004
                target = EntityRef(intern(parse_ref(item, kind=rule.kind, namespace=entity.namespace)))
            except ValueError as error:
                if report:
                    report(_unreadable(entity, rule, item, error))
                continue
            source, target = (target, ref) if rule.inverse else (ref, target)
            edges.append(Edge(source, rule.relation, target, origin, confidence))
    return edges


def _unreadable(entity: Entity, rule: Rule, item: object, error: ValueError) -> Diagnosis:
    return Diagnosis(
        code="unreadable-reference",
        message=f"spec.{rule.field}: {error}",
        severity=Severity.WARNING,
        file=entity.place.path if entity.place else "",
        entity=entity.ref,
        field=f"spec.{rule.field}",
        found=f"{item!s:.100}",
    )
