"""Where in its catalog file something is: worked out only for the findings that somebody reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from nthlayer_sync.errors import Failure
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.entity import INPUT_PREFIX, Entity, Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.yaml.read import locate

Read = Callable[[Place], Awaitable[bytes | None]]
"""Reads a catalog file; None when it cannot be had."""

MOST = 500
"""Findings that are located; who has more of them mends the first ones first."""


async def located(found: Iterable[Diagnosis], graph: Graph, read: Read) -> list[Diagnosis]:
    """The same findings, with file, line and column where an entity's file is at hand."""
    texts: dict[Place, bytes | None] = {}
    result: list[Diagnosis] = []
    for index, diagnosis in enumerate(found):
        entity = graph.entities.get(EntityRef(diagnosis.entity)) if diagnosis.entity else None
        place = entity.place if entity and not diagnosis.line and index < MOST else None
        if entity is None or place is None or diagnosis.file not in ("", place.path):
            result.append(diagnosis)
            continue
        if place not in texts:
            texts[place] = await _read(read, place)
        text = texts[place]
        line, column = locate(text, entity.document, _path(entity, diagnosis.field)) if text is not None else (0, 0)
        result.append(msgspec.structs.replace(diagnosis, file=place.path, line=line, column=column))
    return result


def _path(entity: Entity, field: str) -> tuple[str, ...]:
    """The path of a field in the document: an annotation, what an annotation says of a blueprint, or a dotted path."""
    if field in entity.annotations:
        return ("metadata", "annotations", field)
    if INPUT_PREFIX + field in entity.annotations:
        return ("metadata", "annotations", INPUT_PREFIX + field)
    path = tuple(field.split("."))
    return path if path[0] in ("metadata", "spec", "kind") else ("metadata", "name")


async def _read(read: Read, place: Place) -> bytes | None:
    try:
        return await read(place)
    except (OSError, Failure):
        return None
