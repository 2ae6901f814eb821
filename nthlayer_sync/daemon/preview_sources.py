"""The sources of a running daemon, such that edits of a repository can be laid on what they say."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

import msgspec

from nthlayer_sync.daemon.preview_edits import EditedFiles, Edits
from nthlayer_sync.git import Repository
from nthlayer_sync.graph.relations import INVERSE, edges_of
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity, Place, Relation
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.hosting.address import parts
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sdk.store import Kept, Store
from nthlayer_sync.sources.assemble import placed
from nthlayer_sync.sources.catalog_files import PATTERNS, Finding, Look
from nthlayer_sync.sources.directory import FileSource
from nthlayer_sync.sources.files import Listing, Unread
from nthlayer_sync.sources.git import BaseBranch
from nthlayer_sync.sources.text import read_text

_NAMES = frozenset(map(posixpath.basename, PATTERNS))
_FORWARDS = {forward: inverse for inverse, forward in INVERSE.items()}
_Stated = tuple[EntityRef, str, EntityRef]
"""An edge: source, relation, target."""
_CATALOGS_OWN = "backstage.io/"
"""Prefix of annotations by which Backstage itself notes where an entity comes from."""


class Editable(Source, Protocol):
    """A source on which edits can be laid."""

    async def concerns(self, host: str, slug: str) -> bool:
        """Whether it shows entities of this repository."""
        ...

    def lay(self, edits: Edits | None) -> None:
        """Lay edits of such a repository on it, or take them off and forget what was looked up for them."""
        ...


class EditableFiles(FileSource):
    """A catalog in the repository at `address`, as people write that."""

    def __init__(
        self,
        name: str,
        address: str,
        repository: Repository,
        *,
        patterns: Sequence[str] = PATTERNS,
        exclude: Sequence[str] = (),
    ) -> None:
        self._address = address
        self._files = EditedFiles(BaseBranch(repository))
        super().__init__(name, repository.url, self._files, patterns=patterns, exclude=exclude)

    async def concerns(self, host: str, slug: str) -> bool:
        """Whether it is this repository."""
        return _is_at(self._address, host, slug)

    def lay(self, edits: Edits | None) -> None:
        """Lay edits on it, or take them off."""
        self._files.edits = edits


class EditableCatalog:
    """Any other catalog, as it is remembered. One behind an API may note of each entity the file that it comes from.

    What it holds of files that were edited is replaced by what they say then, as the catalog itself would read them.
    """

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        self.scope = ""
        self._store = store
        self._edits: Edits | None = None
        self._held: Kept | None = None
        """What is remembered, from the first question to the end of one preview: reading it takes a while."""

    async def concerns(self, host: str, slug: str) -> bool:
        """Whether entities come from this repository."""
        return bool(_roots(await self._kept(), host, slug))

    def lay(self, edits: Edits | None) -> None:
        """Lay edits on it, or take them off."""
        self._edits = edits
        if edits is None:
            self._held = None

    async def look(self) -> str:
        """What is remembered of it, with all that the edits say about it."""
        kept = await self._kept()
        contents = await self._contents(kept)
        if not contents:
            return kept.read_digest
        digest = blake2b(kept.read_digest.encode(), digest_size=16)
        for path, data in sorted(contents.items()):
            digest.update(repr((path, data)).encode())
        return digest.hexdigest()

    async def read(self) -> Snapshot:
        """The same in full. Nothing that is missing already is counted as missing once more."""
        kept = await self._kept()
        said = Snapshot(
            source=self.name, scope=kept.scope, completeness=Completeness.COMPLETE, reason="as it is remembered",
            digest=await self.look(), refused=frozenset(kept.absent),
            entities=tuple(entity for entity in kept.entities if entity.ref not in kept.absent),
            edges=kept.edges, facts=kept.facts, blueprints=kept.blueprints, diagnoses=kept.diagnoses,
        )  # fmt: skip
        contents = await self._contents(kept)
        for root in sorted({place.root for place in contents}):
            of_root = {place: data for place, data in contents.items() if place.root == root}
            said = await asyncio.to_thread(_edited, said, of_root)
        return said

    async def _kept(self) -> Kept:
        if self._held is None:
            self._held = await self._store.kept(self.name) or Kept()
        return self._held

    async def _contents(self, kept: Kept) -> dict[Place, bytes | Unread | None]:
        """The catalog files that the edits change, None for those that go."""
        edits = self._edits
        if edits is None:
            return {}
        found: dict[Place, bytes | Unread | None] = {}
        for root in sorted(_roots(kept, edits.host, edits.slug)):
            known = {entity.place.path for entity in kept.entities if entity.place and entity.place.root == root}
            ours = [path for path in sorted(edits.files) if path in known or posixpath.basename(path) in _NAMES]
            read = await edits.read([path for path in ours if edits.files[path]])
            found |= {Place(root, path): read.get(path) for path in ours}
        return found


def _is_at(root: str, host: str, slug: str) -> bool:
    name, path = parts(root)
    return (name, path.lower()) == (host, slug.lower())


def _roots(kept: Kept, host: str, slug: str) -> set[str]:
    """How the entities of a repository name it."""
    roots = {entity.place.root for entity in kept.entities if entity.place}
    return {root for root in roots if _is_at(root, host, slug)}


def _edited(said: Snapshot, contents: Mapping[Place, bytes | Unread | None]) -> Snapshot:
    """A snapshot in which files say something else."""
    before = {entity.ref: entity for entity in said.entities if entity.place in contents}
    others = {entity.ref: entity for entity in said.entities if entity.ref not in before}
    after: dict[EntityRef, Entity] = {}
    found: list[Diagnosis] = []
    refused: set[EntityRef] = set()
    unread: set[Place] = set()
    look = Look(Listing(()), catalog={place.path: data for place, data in contents.items() if isinstance(data, bytes)})
    for place, data in contents.items():
        if isinstance(data, Unread):
            unread.add(place)
            found.append(Diagnosis(code="file-unread", message=f"it was left out: {data.reason}", file=place.path))
        if not isinstance(data, bytes):
            continue
        text = read_text(place, data)
        if not text.whole:
            unread.add(place)
        refused.update(text.refused)
        found += text.faults
        for document, reading in text.readings:
            found += [placed(look, Finding(place.path, document, each), reading.ref) for each in reading.problems]
            if reading.entity and reading.entity.ref in others:
                message = f"{reading.ref} is declared elsewhere already; that one is used"
                found.append(
                    Diagnosis(code="entity-twice", message=message, severity=Severity.WARNING, file=place.path)
                )
            elif reading.entity:
                after.setdefault(reading.entity.ref, reading.entity)
    return msgspec.structs.replace(
        said,
        entities=tuple(_related(others, before, after)),
        diagnoses=(*(each for each in said.diagnoses if each.file not in look.catalog), *found),
        refused=said.refused | refused,
        unread=said.unread | unread,
    )


def _related(
    others: Mapping[EntityRef, Entity], before: Mapping[EntityRef, Entity], after: Mapping[EntityRef, Entity]
) -> Iterable[Entity]:
    """All entities, with the relations that a catalog makes of what they state: each at both of its ends."""
    gone: set[_Stated] = set()
    came: set[_Stated] = set()
    for ref, entity in after.items():
        old, new = _stated(before[ref]) if ref in before else set[_Stated](), _stated(entity)
        gone |= old - new
        came |= new - old
    ends = {ref for edge in gone for ref in (edge[0], edge[2])}
    for entity in (*after.values(), *(others[ref] for ref in sorted(ends & others.keys()))):
        gone -= _stated(entity)  # the other end states it too
    touched = {ref for edge in (*gone, *came) for ref in (edge[0], edge[2])}
    for ref, entity in others.items():
        yield _with(entity, gone, came) if ref in touched else entity
    for ref, entity in after.items():
        yield _with(_same(before[ref], entity) if ref in before else entity, gone, came)


def _same(before: Entity, after: Entity) -> Entity:
    """An entity as it is written now, with what its catalog noted of it."""
    noted = {key: text for key, text in before.annotations.items() if key.startswith(_CATALOGS_OWN)}
    return msgspec.structs.replace(
        after,
        annotations={**noted, **after.annotations},
        uid=before.uid,
        document=before.document,
        relations=before.relations,
    )


def _with(entity: Entity, gone: set[_Stated], came: set[_Stated]) -> Entity:
    if entity.relations is None:
        return entity
    relations = dict.fromkeys(entity.relations)
    for source, name, target in gone:
        relations.pop(Relation(name, target) if source == entity.ref else Relation(_FORWARDS[name], source), None)
    for source, name, target in sorted(came):
        if source == entity.ref:
            relations[Relation(name, target)] = None
        elif target == entity.ref:
            relations[Relation(_FORWARDS[name], source)] = None
    return msgspec.structs.replace(entity, relations=tuple(relations))


def _stated(entity: Entity) -> set[_Stated]:
    """The edges that an entity states itself, in its `spec`."""
    edges = edges_of(msgspec.structs.replace(entity, relations=None), "", 1.0)
    return {(edge.source, edge.relation, edge.target) for edge in edges}
