"""Finds the catalog files of a tree: by name, through Location entities, with the blueprint files they name."""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sources.files import Files, Listing, Unread, matching
from nthlayer_sync.sources.formats import has_placeholder
from nthlayer_sync.sources.shape import Path, Problem, list_of, short
from nthlayer_sync.sources.text import Text, read_text

PATTERNS = ("**/catalog-info.yaml", "**/catalog-info.yml")
"""The names that Backstage's own discovery looks for."""
BLUEPRINT_NAMES = ("nthlayer.yaml", "nthlayer.yml")
"""A blueprint that lies in the folder of the one component declared there."""
BLUEPRINT = "nthlayer.dev/blueprint"
"""Annotation that names the blueprint file of an entity, relative to the entity's own file."""

_POINTS = re.compile(rb"kind[^\n]{0,40}location|" + re.escape(BLUEPRINT.encode()), re.IGNORECASE)
"""What stands in a file that may name other files; only these are parsed to find out which belong to the catalog."""
_AT_ONCE = 200
"""Files parsed in one turn of a worker thread: about a tenth of a second."""


class Finding(NamedTuple):
    """A problem at a place: the file, and which document in it."""

    path: str
    document: int
    problem: Problem


@dataclass
class Look:
    """What one look at a tree found."""

    listing: Listing
    catalog: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The catalog files, by path."""
    blueprints: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The files that may be blueprints, by path."""
    named: dict[EntityRef, str] = field(default_factory=dict[EntityRef, str])
    """The blueprint files that entities name."""
    findings: list[Finding] = field(default_factory=list[Finding])
    unread: list[str] = field(default_factory=list[str])
    """Catalog files that are there but could not be read."""

    def digest(self) -> str:
        """Over the paths and bytes of everything that was read, and what could not be."""
        digest = blake2b(digest_size=16)
        for files in (self.catalog, self.blueprints):
            for path, data in sorted(files.items()):
                digest.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
                digest.update(data)
            digest.update(b"\0")
        for path, document, problem in self.findings:
            digest.update(f"{path}\0{document}\0{problem.message}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


class CatalogFiles:
    """The catalog files of a tree, found and parsed; looked at again, only what has changed since is parsed.

    `patterns` say which files are catalog files, beside those that Location entities name; `exclude` which are not,
    whoever names them.
    """

    def __init__(self, files: Files, patterns: Sequence[str], exclude: Sequence[str]) -> None:
        self.files = files
        self._patterns = tuple(patterns)
        self._exclude = tuple(exclude)
        self._texts: dict[str, tuple[bytes, Text]] = {}

    async def look(self) -> Look:
        """Read the bytes of all that belongs to the catalog.

        Raises OSError or a Failure when the tree cannot be read.
        """
        listing = await self.files.listing()
        look = Look(listing)
        there = set(listing.files)
        excluded = set(matching(self._exclude, (*listing.files, *listing.links)))
        for path in matching(self._patterns, listing.links):
            if path not in excluded:
                look.findings.append(Finding(path, 0, _warning("file-link", "a symbolic link is not followed")))
        wanted = [path for path in matching(self._patterns, listing.files) if path not in excluded]
        while wanted:
            fresh = await self._read(look, wanted)
            pointing = [path for path in fresh if not path.endswith(".json") and _POINTS.search(look.catalog[path])]
            texts = await self.parse(look, pointing)
            found = {target for path in pointing for target in _targets(look, path, texts[path])}
            wanted = sorted(found & there - excluded - look.catalog.keys() - set(look.unread))
        await self._read_blueprints(look, there - excluded)
        return look

    async def parse(self, look: Look, paths: Iterable[str]) -> Mapping[str, Text]:
        """What the files say, by path."""
        texts: dict[str, Text] = {}
        pending = list(paths)
        for start in range(0, len(pending), _AT_ONCE):
            chunk = {path: look.catalog[path] for path in pending[start : start + _AT_ONCE]}
            texts |= await asyncio.to_thread(self._parse, chunk)
        return texts

    def forget(self, look: Look) -> None:
        """Drop what is remembered of files that are gone."""
        for path in self._texts.keys() - look.catalog.keys():
            del self._texts[path]

    def _parse(self, files: Mapping[str, bytes]) -> dict[str, Text]:
        texts: dict[str, Text] = {}
        for path, data in files.items():
            digest = blake2b(data, digest_size=16).digest()
            known = self._texts.get(path)
            if known is None or known[0] != digest:
                known = self._texts[path] = (digest, read_text(Place(self.files.root, path), data))
            texts[path] = known[1]
        return texts

    async def _read(self, look: Look, paths: Sequence[str]) -> list[str]:
        contents = await self.files.read(paths)
        for path, content in contents.items():
            if isinstance(content, Unread):
                look.unread.append(path)
                look.findings.append(
                    Finding(path, 0, Problem("file-unread", f"the file was left out: {content.reason}"))
                )
            else:
                look.catalog[path] = content
        return [path for path in paths if path in look.catalog]

    async def _read_blueprints(self, look: Look, there: set[str]) -> None:
        folders = {posixpath.dirname(path) for path in look.catalog}
        beside = {posixpath.join(folder, name) for folder in folders for name in BLUEPRINT_NAMES}
        wanted = sorted((beside | set(look.named.values())) & there)
        for path, content in (await self.files.read(wanted)).items():
            if isinstance(content, Unread):
                look.unread.append(path)
                look.findings.append(
                    Finding(path, 0, Problem("file-unread", f"the file was left out: {content.reason}"))
                )
            else:
                look.blueprints[path] = content


def _targets(look: Look, path: str, text: Text) -> Iterator[str]:
    """The files that the Location entities of a file name, and the blueprints that its entities name."""
    for document, reading in text.readings:
        entity = reading.entity
        if entity is None:
            continue
        if BLUEPRINT in entity.annotations:
            _note_blueprint(look, path, document, entity)
        if entity.kind.lower() == "location":
            for field_path, target in _written_targets(entity):
                yield from _resolved(look, Finding(path, document, Problem("", "", field_path)), target, entity)


def _written_targets(entity: Entity) -> Iterator[tuple[Path, str]]:
    if target := entity.text("target"):
        yield ("spec", "target"), target
    for index, target in enumerate(list_of(entity.spec.get("targets")) or ()):
        yield ("spec", "targets", index), str(target)


def _resolved(look: Look, at: Finding, target: str, entity: Entity) -> Iterator[str]:
    def say(code: str, message: str, severity: Severity = Severity.WARNING) -> None:
        problem = Problem(code, message, at.problem.path, short(target), severity=severity)
        look.findings.append(Finding(at.path, at.document, problem))

    if has_placeholder(target):
        return say("location-placeholder", "the target holds a placeholder that was never filled in")
    if "://" in target:
        return say("location-elsewhere", "the target lies elsewhere and is not followed", Severity.NOTE)
    path = inside(at.path, target)
    if path is None:
        return say("location-outside", "the target lies outside of the tree and is not followed")
    found = list(matching([path], look.listing.files)) if "*" in path else [path] * (path in look.listing.files)
    if not found and entity.text("presence") != "optional":
        what = "is a symbolic link, which is not followed" if path in look.listing.links else "is not there"
        say("location-missing", f"the target {what}")
    yield from found


def inside(file: str, target: str) -> str | None:
    """The path in the tree that `target` means in `file`; None when it leads out of the tree."""
    if target.startswith("/") or "\\" in target or "\0" in target:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), target))
    return None if path == ".." or path.startswith("../") else path


def _note_blueprint(look: Look, path: str, document: int, entity: Entity) -> None:
    written = entity.annotations[BLUEPRINT]
    field_path: Path = ("metadata", "annotations", BLUEPRINT)
    target = inside(path, written)
    if target is None or target not in look.listing.files:
        what = "lies outside of the repository" if target is None else "is not there, or no regular file"
        problem = Problem("blueprint-missing", f"the blueprint file {what}", field_path, short(written))
        look.findings.append(Finding(path, document, problem))
    else:
        look.named[entity.ref] = target


def _warning(code: str, message: str) -> Problem:
    return Problem(code, message, severity=Severity.WARNING)
