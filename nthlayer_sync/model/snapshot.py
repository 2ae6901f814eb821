"""What one source said at one moment."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef


class Completeness(StrEnum):
    """Whether absence from a snapshot means anything.

    Only a complete snapshot can show that something is gone. An incomplete one is used for what it holds; a failed one
    for nothing.
    """

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class Edge(msgspec.Struct, frozen=True, order=True):
    """`source` stands in `relation` to `target`, as `origin` says; relation names are Backstage's.

    `confidence` is between 0 and 1 and comes from the tier table: a declared owner is worth more than a frequent
    author.
    """

    source: EntityRef
    relation: str
    target: EntityRef
    origin: str
    confidence: float = 1.0


class CodeFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a repository itself tells about the service that lives in `folder` of it."""

    entity: EntityRef
    default_branch: str = ""
    last_commit: str = ""
    """Commit id of the last change below the folder."""
    last_change: str = ""
    """Date of that commit, ISO 8601."""
    authors: tuple[str, ...] = ()
    """E-mail addresses of recent authors, most active first."""
    readme: bool = False
    docs: bool = False
    mkdocs: bool = False
    codeowners: str = ""
    """Path of the repository's CODEOWNERS file, "" when it has none."""
    manifests: tuple[str, ...] = ()
    """Dependency manifests at hand, such as `package.json`."""
    technologies: tuple[str, ...] = ()
    """Languages and drivers that the manifests name, such as `python`, `postgresql`."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Entities, edges and facts of one source, with how far they can be trusted.

    `reason` says how completeness is known ("totalItems 812 = rows = distinct uids") or why not ("page 7: HTTP 503").
    `digest` changes exactly when the content does. `scope` names what the source covers, so that two snapshots of
    different scope are never compared.
    """

    source: str
    scope: str
    completeness: Completeness
    reason: str
    digest: str
    entities: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    facts: tuple[CodeFacts, ...] = ()
    blueprints: dict[EntityRef, BlueprintFile] = {}
    diagnoses: tuple[Diagnosis, ...] = ()
    refused: frozenset[EntityRef] = frozenset()
    """Entities that are there but cannot be taken as they are written: their absence from `entities` means nothing."""
    unread: frozenset[Place] = frozenset()
    """Files that could not be read as a whole: the same goes for whatever they declared before."""


class BlueprintFile(msgspec.Struct, frozen=True):
    """A blueprint document found beside an entity: its bytes, unread."""

    path: str
    data: bytes
