"""One entity of a catalog, as a source read it."""

from __future__ import annotations

from typing import Any

import msgspec

from nthlayer_sync.model.ref import EntityRef

INPUT_PREFIX = "nthlayer.dev/"
"""Annotations by which people tell us what they want."""

# Annotations that Backstage's own AWS processors write:
# https://github.com/backstage/backstage/tree/master/plugins/catalog-backend-module-aws
AWS_ACCOUNT = "amazonaws.com/account-id"
AWS_ARN = "amazonaws.com/arn"

OUTPUT_PREFIX = "sync.nthlayer.dev/"
"""Annotations by which we write back what came of it; never read as input."""


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a file stands: a repository (its URL, or a path on this machine) and a path inside it.

    For a target that keeps no files, `root` names the account and `path` the object.
    """

    root: str
    path: str

    @property
    def folder(self) -> str:
        """The folder of the file inside its repository; "" is the top."""
        return self.path.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.root}:{self.path}" if self.root else self.path


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """A link on an entity's page."""

    url: str
    title: str = ""
    icon: str = ""
    type: str = ""


class Relation(msgspec.Struct, frozen=True, order=True):
    """A relation the catalog itself has already resolved."""

    type: str
    target: EntityRef


class Entity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A catalog entity: Backstage's envelope with the fields this product reads.

    `kind` and `name` keep the case they were written in; `ref` is canonical. `spec` is what stands under `spec`.
    `place` and `document` say which YAML document of which file it comes from, where that is known.
    `relations` is None when the source resolves none (files), so that they are read from `spec` instead.
    """

    ref: EntityRef
    kind: str
    name: str
    namespace: str = "default"
    title: str = ""
    description: str = ""
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    spec: dict[str, Any] = {}
    relations: tuple[Relation, ...] | None = None
    place: Place | None = None
    document: int = 0
    uid: str = ""
    """What the catalog identifies it by, whatever it is called; "" for files."""

    @property
    def identity(self) -> str:
        """What outlives a rename: the catalog's uid, or the document it is declared in."""
        return self.uid or (f"{self.place}#{self.document}" if self.place else "")

    def text(self, field: str) -> str:
        """A string of `spec`, or "" when it is absent or something else."""
        value = self.spec.get(field)
        return value if isinstance(value, str) else ""

    @property
    def type(self) -> str:
        """`spec.type`."""
        return self.text("type")

    @property
    def lifecycle(self) -> str:
        """`spec.lifecycle`."""
        return self.text("lifecycle")
