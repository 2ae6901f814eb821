"""What repositories themselves tell about the services that live in them: owners, people, documents, technologies."""

from __future__ import annotations

import asyncio
import posixpath
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

from nthlayer_sync.errors import Failure
from nthlayer_sync.git import Repository
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import CodeFacts, Completeness, Edge, Snapshot
from nthlayer_sync.sources import history
from nthlayer_sync.sources.codeowners import PLACES, Owners, read_codeowners
from nthlayer_sync.sources.files import Files, Folder, Unread
from nthlayer_sync.sources.git import BaseBranch
from nthlayer_sync.sources.handles import Handles
from nthlayer_sync.sources.history import History
from nthlayer_sync.sources.manifests import ManifestError, is_manifest, read_manifest
from nthlayer_sync.sources.technologies import technologies

_AT_ONCE = 8
"""Repositories read at the same time: each keeps a Git process and a thread busy."""


class Code(NamedTuple):
    """A repository to look into: its files and its history."""

    files: Files
    history: Callable[[], Awaitable[History]]


def work_tree(path: Path) -> Code:
    """The code in a folder of this machine, with its history when it is a Git work tree."""
    return Code(Folder(path, path), lambda: history.of_work_tree(path))


def mirrored(repository: Repository, mirror: Path) -> Code:
    """The code on a repository's base branch, by its local mirror."""
    return Code(BaseBranch(repository), lambda: history.of_mirror(repository, mirror))


class Policy(NamedTuple):
    """The numbers of the tier table that apply: how far each origin is trusted, and what of a history is recent."""

    confidence: Mapping[str, float]
    recent: timedelta
    authors: int


class _Tree(NamedTuple):
    """What is in one repository, by folder."""

    names: Mapping[str, Sequence[str]]
    owners: Owners
    codeowners: str
    manifests: Mapping[str, bytes]
    history: History
    diagnoses: list[Diagnosis]


class CodeSource:
    """Facts about the entities that live in `repositories`, which are named as their places name them."""

    def __init__(self, name: str, entities: Iterable[Entity], repositories: Mapping[str, Code], policy: Policy) -> None:
        self.name = name
        self.scope = "code"
        self._entities = tuple(entities)
        self._repositories = dict(sorted(repositories.items()))
        self._policy = policy
        self._seen: Snapshot | None = None

    async def look(self) -> str:
        """The digest over all facts; nothing cheaper tells it, so the next `read` has nothing left to do."""
        self._seen = await self._read()
        return self._seen.digest

    async def read(self) -> Snapshot:
        """Facts and owners of the entities, as their repositories are now."""
        seen, self._seen = self._seen, None
        return seen or await self._read()

    async def _read(self) -> Snapshot:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(root: str, code: Code) -> _Tree | str:
            async with slots:
                try:
                    return await _tree(code)
                except (OSError, Failure) as error:
                    return f"{root}: {error}"

        found = await asyncio.gather(*(one(root, code) for root, code in self._repositories.items()))
        trees = dict(zip(self._repositories, found, strict=True))
        return await asyncio.to_thread(self._snapshot, trees)

    def _snapshot(self, trees: Mapping[str, _Tree | str]) -> Snapshot:
        handles = Handles(self._entities)
        edges: list[Edge] = []
        facts: list[CodeFacts] = []
        diagnoses: list[Diagnosis] = []
        for entity in sorted(self._entities, key=lambda entity: entity.ref):
            tree = trees.get(entity.place.root) if entity.place else None
            if isinstance(tree, _Tree) and entity.place:
                facts.append(self._facts(entity.ref, entity.place.folder, tree, diagnoses))
                edges.extend(self._owners(entity.ref, tree.owners.of_folder(entity.place.folder), handles))
        for tree in trees.values():
            diagnoses.extend(tree.diagnoses + tree.owners.diagnoses if isinstance(tree, _Tree) else ())
        diagnoses = sorted(set(diagnoses), key=lambda each: (each.file, each.line, each.column, each.message))
        unread = [tree for tree in trees.values() if isinstance(tree, str)]
        completeness = Completeness.COMPLETE
        if unread:
            completeness = Completeness.FAILED if len(unread) == len(trees) else Completeness.INCOMPLETE
        content = msgspec.json.encode((facts, edges, diagnoses, unread))
        return Snapshot(
            source=self.name,
            scope=self.scope,
            completeness=completeness,
            reason="; ".join(unread) or f"{len(facts)} entities in {len(trees)} repositories",
            digest="" if completeness is Completeness.FAILED else blake2b(content, digest_size=16).hexdigest(),
            edges=tuple(edges),
            facts=tuple(facts),
            diagnoses=tuple(diagnoses),
        )

    def _owners(self, ref: EntityRef, owners: Sequence[str], handles: Handles) -> Iterator[Edge]:
        for owner in owners:
            target = handles.ref(owner)
            if target:
                yield Edge(ref, "ownedBy", target, "codeowners", self._policy.confidence.get("codeowners", 1.0))

    def _facts(self, ref: EntityRef, folder: str, tree: _Tree, diagnoses: list[Diagnosis]) -> CodeFacts:
        names = tree.names.get(folder, ())
        present = [name for name in names if is_manifest(name)]
        last = tree.history.last(folder)
        return CodeFacts(
            entity=ref,
            default_branch=tree.history.branch,
            last_commit=last.sha if last else "",
            last_change=last.time if last else "",
            authors=tree.history.authors(folder, self._policy.recent, self._policy.authors),
            readme=any(name.lower().partition(".")[0] == "readme" for name in names),
            docs=any(posixpath.join(folder, docs) in tree.names for docs in ("docs", "doc")),
            codeowners=tree.codeowners,
            mkdocs=any(name in ("mkdocs.yml", "mkdocs.yaml") for name in names),
            manifests=tuple(present),
            technologies=_technologies(folder, present, tree.manifests, diagnoses),
        )


async def _tree(code: Code) -> _Tree:
    listing = await code.files.listing()
    names: defaultdict[str, list[str]] = defaultdict(list)
    for path in listing.files:
        folder, _, name = path.rpartition("/")
        names[folder].append(name)
        while folder:
            folder = folder.rpartition("/")[0]
            names[folder]  # a folder with nothing but folders in it is there too
    there = set(listing.files)
    places = [place for place in PLACES if place in there]
    wanted = [*places[:1], *(path for path in listing.files if is_manifest(path.rpartition("/")[2]))]
    diagnoses = [_note(place, f"not used: {places[0]} goes first") for place in places[1:]]
    owners = Owners()
    manifests: dict[str, bytes] = {}
    for path, content in (await code.files.read(wanted)).items():
        if isinstance(content, Unread):
            diagnoses.append(_note(path, f"left out: {content.reason}"))
        elif path in places:
            owners = await asyncio.to_thread(read_codeowners, path, content)
        else:
            manifests[path] = content
    return _Tree(names, owners, places[0] if places else "", manifests, await code.history(), diagnoses)


def _technologies(
    folder: str, present: Sequence[str], manifests: Mapping[str, bytes], diagnoses: list[Diagnosis]
) -> tuple[str, ...]:
    found: set[str] = set()
    for name in present:
        path = posixpath.join(folder, name)
        if path not in manifests:
            continue
        try:
            manifest = read_manifest(name, manifests[path])
        except ManifestError as error:
            diagnoses.append(_note(path, f"the manifest cannot be read: {error}"))
            continue
        found.add(manifest.language)
        found.update(technologies(manifest.language, manifest.packages))
    return tuple(sorted(found))


def _note(file: str, message: str) -> Diagnosis:
    return Diagnosis(code="code", message=message, severity=Severity.NOTE, file=file)
