"""The blueprint files of services: where one stands or has to stand, and what is to be written into it."""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from nthlayer_sync.blueprint.document import DEFAULT_FILE, FILE, read_blueprint
from nthlayer_sync.blueprint.write import write_blueprint
from nthlayer_sync.engine.promote import Promoted
from nthlayer_sync.engine.trial import Trial, nested
from nthlayer_sync.errors import InputError, PermanentError, TemporaryError
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.files import FileTarget

Catalogs = Mapping[str, Path | str]
"""The catalogs that are kept as files, by root: a folder on this machine, or the address of a repository."""


class Rewritten(msgspec.Struct, frozen=True):
    """A blueprint file before (None: there is none) and after."""

    place: Place
    before: bytes | None
    after: bytes


class BlueprintFiles:
    """Reads and writes blueprint files: in the work tree of a folder, on our branch of a repository."""

    def __init__(self, catalogs: Catalogs, files: FileTarget) -> None:
        self._catalogs = catalogs
        self._files = files

    def place(self, graph: Graph, ref: EntityRef) -> Place:
        """Where the blueprint file of an entity stands, or would be read from; InputError where none would be."""
        entity = graph.entities[ref]
        if entity.place is None or entity.place.root not in self._catalogs or entity.place.path.endswith(".json"):
            raise InputError(f"{ref} does not come from a catalog file, and beside nothing else a blueprint is read")
        if found := graph.blueprint(ref):
            return Place(entity.place.root, found.path)
        if named := entity.annotations.get(FILE):
            return Place(entity.place.root, posixpath.normpath(posixpath.join(entity.place.folder, named)))
        others = [other for other in graph.entities.values() if _declared_beside(other, entity)]
        if len(others) > 1:
            where = entity.place.folder or "its folder"
            raise InputError(f"{len(others)} components are declared in {where}; name a file for {ref} in {FILE}")
        return Place(entity.place.root, posixpath.join(entity.place.folder, DEFAULT_FILE))

    async def rewrite(self, graph: Graph, trial: Trial, promoted: Promoted) -> Rewritten:
        """What the blueprint file of a service has to be; InputError where it cannot be made so."""
        ref, name = trial.service.ref, trial.service.name
        place, found = self.place(graph, ref), graph.blueprint(ref)
        before = await self._read(place)
        as_read = before == (found.data if found else None)
        if isinstance(self._catalogs[place.root], Path) and not as_read:
            raise TemporaryError(f"{place.path} changed while it was looked at; start again")
        values = nested(promoted.said)
        after = write_blueprint(before, values, file=place.path, name=name, tiers=trial.tiers)
        layer = read_blueprint(after, file=place.path, name=name, tiers=trial.tiers)
        if as_read and trial.read(layer).digest != trial.resolve(promoted.said).digest:
            raise InputError(f"{place.path} cannot be made to say this; please change it by hand")
        return Rewritten(place, before, after)

    async def save(self, files: Sequence[Rewritten], message: str) -> dict[str, str]:
        """Write them; gives the commit of each repository."""
        landed: dict[str, dict[str, bytes]] = {}
        for file in files:
            catalog = self._catalogs[file.place.root]
            if isinstance(catalog, Path):
                await asyncio.to_thread(_put, catalog / file.place.path, file)
            else:
                landed.setdefault(catalog, {})[file.place.path] = file.after
        return {root: await self._files.save(root, each, message) for root, each in landed.items()}

    async def _read(self, place: Place) -> bytes | None:
        catalog = self._catalogs[place.root]
        if isinstance(catalog, Path):
            return await asyncio.to_thread(_get, catalog / place.path)
        return await self._files.file(catalog, place.path)


def _declared_beside(other: Entity, entity: Entity) -> bool:
    if other.place is None or entity.place is None or not other.ref.startswith("component:"):
        return False
    return (other.place.root, other.place.folder) == (entity.place.root, entity.place.folder)


def _get(file: Path) -> bytes | None:
    """The bytes of a file; symbolic links are not followed, as the sources do not."""
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise PermanentError(f"{file} is not a regular file")
    return file.read_bytes() if file.exists() else None


def _put(path: Path, file: Rewritten) -> None:
    """Replace the file as a whole, unless it changed; its mode stays."""
    if _get(path) != file.before:
        raise TemporaryError(f"{path} changed since it was shown; start again")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(file.after)
        os.chmod(name, stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
