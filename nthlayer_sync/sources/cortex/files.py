"""Cortex descriptors kept as files, as Cortex itself reads them from a repository."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from nthlayer_sync.errors import Failure
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sources.assemble import completeness_of, placed
from nthlayer_sync.sources.catalog_files import Finding, Look
from nthlayer_sync.sources.cortex.descriptor import Described, Descriptor, read_descriptor
from nthlayer_sync.sources.cortex.translate import Translation
from nthlayer_sync.sources.files import Files, Unread, matching, start_of
from nthlayer_sync.sources.shape import Problem
from nthlayer_sync.yaml.read import read_documents

PATTERNS = (
    *("**/cortex.yaml", "**/cortex.yml"),
    *(f"**/.cortex/{folder}/**/*.{ending}" for folder in ("catalog", "domains", "teams") for ending in ("yaml", "yml")),
)
"""Where Cortex's GitOps looks: https://docs.cortex.io/configure/gitops"""


class CortexFiles:
    """The Cortex descriptors in the files of a tree. `confidence` is that of the edges they state."""

    def __init__(self, name: str, files: Files, confidence: float, *, patterns: Sequence[str] = PATTERNS) -> None:
        self.name = name
        self.scope = f"{files.root} (Cortex)"
        self._files = files
        self._confidence = confidence
        self._patterns = tuple(patterns)
        self._look: Look | None = None

    async def look(self) -> str:
        """The digest over all descriptor files."""
        try:
            self._look = await self._gather()
        except (OSError, Failure):
            self._look = None
            return ""
        return self._look.digest()

    async def read(self) -> Snapshot:
        """The snapshot of what the last look found, or of what is there now."""
        look, self._look = self._look, None
        try:
            look = look or await self._gather()
        except (OSError, Failure) as error:
            why = error.strerror if isinstance(error, OSError) and error.filename in (None, self.scope) else error
            reason = f"{self.scope} cannot be read: {why}"
            return Snapshot(
                source=self.name, scope=self.scope, completeness=Completeness.FAILED, reason=reason, digest=""
            )
        return await asyncio.to_thread(self._snapshot, look)

    async def _gather(self) -> Look:
        listing = await self._files.listing()
        look = Look(listing)
        for path, content in (await self._files.read(list(matching(self._patterns, listing.files)))).items():
            if isinstance(content, Unread):
                look.unread.append(path)
                problem = Problem("file-unread", f"the file was left out: {content.reason}")
                look.findings.append(Finding(path, 0, problem))
            else:
                look.catalog[path] = content
        return look

    def _snapshot(self, look: Look) -> Snapshot:
        descriptors: list[Descriptor] = []
        diagnoses = [placed(look, finding, "") for finding in look.findings]
        lost = set(look.unread)
        for path, data in sorted(look.catalog.items()):
            found, faults = read_file(Place(self._files.root, path), data)
            for document, described in found:
                said = [placed(look, Finding(path, document, each), "") for each in described.problems]
                faults.extend(said)
                if described.descriptor:
                    descriptors.append(described.descriptor)
            diagnoses += faults
            if any(fault.severity is Severity.ERROR for fault in faults):
                lost.add(path)
        translation = Translation(descriptors, self._confidence)
        for descriptor, problem in translation.problems:
            path = descriptor.place.path if descriptor.place else ""
            diagnoses.append(placed(look, Finding(path, descriptor.document, problem), descriptor.ref))
        completeness, reason = completeness_of(len(translation.entities), len(look.catalog), sorted(lost), 0)
        return Snapshot(
            source=self.name,
            scope=self.scope,
            completeness=completeness,
            reason=reason,
            digest=look.digest(),
            entities=tuple(translation.entities.values()),
            edges=translation.edges,
            diagnoses=tuple(diagnoses),
            unread=frozenset(Place(self._files.root, path) for path in lost),
        )


def read_file(place: Place, data: bytes) -> tuple[list[tuple[int, Described]], list[Diagnosis]]:
    """What each document of a descriptor file is, with its number, and what is wrong with the file itself."""
    documents, faults = read_documents(data, file=place.path)
    if not documents and not faults:
        message = "no Cortex descriptor: the file is empty"
        faults = [Diagnosis(code="document-foreign", message=message, severity=Severity.NOTE, file=place.path)]
    return [(each.index, read_descriptor(each.value, place, each.index)) for each in documents], faults


def cortex_directory(name: str, path: Path, confidence: float, *, patterns: Sequence[str] = PATTERNS) -> CortexFiles:
    """The Cortex descriptors below a folder; places are named from the top of its Git work tree, if any."""
    files, prefix = start_of(path)
    return CortexFiles(name, files, confidence, patterns=[prefix + pattern for pattern in patterns])
