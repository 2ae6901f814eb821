"""Puts together what the catalog files of a tree say: each entity once, each fault with its place."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import BlueprintFile, Completeness, Snapshot
from nthlayer_sync.sources.catalog_files import BLUEPRINT_NAMES, Finding, Look
from nthlayer_sync.sources.shape import Problem, short
from nthlayer_sync.sources.text import Text
from nthlayer_sync.yaml.read import locate

_NAMED_AT_MOST = 5
_LOCATED_AT_MOST = 1 << 20
"""Bytes of a file in which lines are looked up: finding them means reading the file once more."""


def assemble(look: Look, texts: Mapping[str, Text], *, name: str, scope: str, root: str) -> Snapshot:
    """The snapshot of source `name`; where two files declare an entity, the first path in order wins."""
    entities: dict[EntityRef, Entity] = {}
    diagnoses: list[Diagnosis] = []
    lost = list(look.unread)
    refused: list[EntityRef] = []
    for path in sorted(texts):
        text = texts[path]
        if not text.whole:
            lost.append(path)
        refused += text.refused
        diagnoses.extend(text.faults)
        for document, reading in text.readings:
            problems: Iterable[Problem] = reading.problems
            entity = reading.entity
            if entity is not None:
                first = entities.setdefault(entity.ref, entity)
                if first is not entity:
                    problems = (*problems, _twice(first, path))
            if problems:
                diagnoses.extend(placed(look, Finding(path, document, each), reading.ref) for each in problems)
    diagnoses.extend(placed(look, finding, "") for finding in look.findings)
    blueprints = dict(_blueprints(look, entities.values(), diagnoses))
    completeness, reason = completeness_of(len(entities), len(texts), sorted(set(lost)), len(refused))
    return Snapshot(
        source=name,
        scope=scope,
        completeness=completeness,
        reason=reason,
        digest=look.digest(),
        entities=tuple(entities.values()),
        blueprints=blueprints,
        diagnoses=tuple(diagnoses),
        refused=frozenset(refused),
        unread=frozenset(Place(root, path) for path in lost),
    )


def completeness_of(entities: int, files: int, lost: list[str], refused: int) -> tuple[Completeness, str]:
    """How far a read of so many files can be trusted that lost something in these.

    It is complete all the same: what these files declared before is known, and held, by their names.
    """
    if not entities:
        return Completeness.INCOMPLETE, f"no entity in {files} catalog files: an empty catalog proves nothing"
    read = f"{entities} entities in {files} catalog files"
    if lost:
        more = f" and {len(lost) - _NAMED_AT_MOST} more" if len(lost) > _NAMED_AT_MOST else ""
        named = ", ".join(short(path) for path in lost[:_NAMED_AT_MOST])
        read += f"; not read as a whole, so that nothing in them counts as gone: {named}{more}"
    if refused:
        read += f"; {refused} entities cannot be taken as they are written, and stay as they were"
    return Completeness.COMPLETE, read


def _twice(first: Entity, path: str) -> Problem:
    place = first.place
    where = "earlier in the same file" if place is None or place.path == path else f"in {place.path}"
    message = f"{first.ref} is declared {where} already; that one is used"
    return Problem("entity-twice", message, ("metadata", "name"), first.name)


def placed(look: Look, finding: Finding, entity: str) -> Diagnosis:
    """The finding as a diagnosis, with its line and column."""
    path, document, problem = finding
    data = look.catalog.get(path, b"")
    if path.endswith(".json"):
        return problem.diagnosis(entity=entity, file=path, row=f"[{document}]")
    at = locate(data, document, problem.path) if 0 < len(data) <= _LOCATED_AT_MOST else (0, 0)
    return problem.diagnosis(entity=entity, file=path, at=at)


def _blueprints(
    look: Look, entities: Iterable[Entity], diagnoses: list[Diagnosis]
) -> Iterator[tuple[EntityRef, BlueprintFile]]:
    """The blueprint file of each entity: the one it names, or the one that lies beside it and nothing else."""
    named = look.named
    for ref, path in sorted(named.items()):
        if path in look.blueprints:
            yield ref, BlueprintFile(path, look.blueprints[path])
    beside: defaultdict[str, list[EntityRef]] = defaultdict(list)
    for entity in entities:
        if entity.place and entity.place.path in look.catalog and entity.kind.lower() == "component":
            beside[entity.place.folder].append(entity.ref)
    for path in sorted(look.blueprints):
        folder, file = posixpath.split(path)
        if file not in BLUEPRINT_NAMES or path in named.values():
            continue
        refs = beside.get(folder, [])
        if len(refs) == 1 and refs[0] not in named and not _has_rival(look, path):
            yield refs[0], BlueprintFile(path, look.blueprints[path])
        else:
            diagnoses.append(_unused(path, refs, named, _has_rival(look, path)))


def _has_rival(look: Look, path: str) -> bool:
    """Whether the same blueprint stands there under the other name too, which then goes first."""
    return path.endswith(".yml") and str(PurePosixPath(path).with_suffix(".yaml")) in look.blueprints


def _unused(path: str, refs: list[EntityRef], named: Mapping[EntityRef, str], rival: bool) -> Diagnosis:
    if rival:
        reason = "nthlayer.yaml stands beside it and is used"
    elif not refs:
        reason = "no component is declared in its folder"
    elif len(refs) > 1:
        reason = f"{len(refs)} components are declared in its folder; name it in the annotation nthlayer.dev/blueprint"
    else:
        reason = f"{refs[0]} names {short(named.get(refs[0], ''))} instead"
    message = f"this blueprint belongs to nothing: {reason}"
    return Diagnosis(code="blueprint-unused", message=message, severity=Severity.WARNING, file=path)
