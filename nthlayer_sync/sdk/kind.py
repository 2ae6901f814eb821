"""A kind of operational config: one row that says how it is generated, where it lands and what of it we manage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId, Spec
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Home, Organisation, Service, Team
from nthlayer_sync.sdk.ownership import Ownership, Whole

SubjectT = TypeVar("SubjectT", Service, Team, Organisation)
SpecT = TypeVar("SpecT", bound=Spec)

_encode = msgspec.json.Encoder(order="deterministic").encode


def _whole(_: ConfigId) -> Ownership:
    return Whole()


class Category(StrEnum):
    """The ten parts of operations."""

    INCIDENT = "incident"
    OBSERVABILITY = "observability"
    DEPLOYMENT = "deployment"
    ACCESS = "access"
    COST = "cost"
    DOCUMENTATION = "documentation"
    COMPLIANCE = "compliance"
    COMMUNICATION = "communication"
    TESTING = "testing"
    DATA = "data"


class Beside(StrEnum):
    """What a file's path is relative to."""

    OURS = "ours"
    """The folder `nthlayer/` in the subject's folder; in a central repository the subject's folder itself."""
    SUBJECT = "subject"
    """The subject's folder."""
    TOP = "top"
    """The top of the service's own repository: tools look for the file there, so it is never central."""
    ENTITY = "entity"
    """The catalog file that declares the entity; the path is empty."""


class NoHome(PermanentError):
    """There is no repository that this config could land in."""


@dataclass(frozen=True)
class Kind(Generic[SubjectT, SpecT]):
    """One kind of config.

    `generate` yields specs for a subject, none when the subject does not ask for it; it is pure and fast (a catalog of
    10,000 services calls it 10,000 times), so it copies what it needs into the spec and renders nothing. `name_of`
    tells several configs of one subject apart. `version` goes up whenever the same spec would be rendered to other
    bytes. `requires` names kinds whose configs of the same subject must have landed first. `refers` names kinds whose
    unnamed config of the same subject has an id at its vendor that is needed here: they are required too, and the spec
    has a field `remotes: dict[str, str]`, kind to id, which generation leaves empty and which is filled when written.
    """

    name: str
    version: int
    summary: str
    subject: type[SubjectT]
    spec: type[SpecT]
    generate: Callable[[SubjectT], Iterable[SpecT]]
    name_of: Callable[[SpecT], str] | None = None
    requires: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    deletable: bool = True
    category: Category | None = None
    """The part of operations it belongs to, where that is another than its plugin's."""
    _salt: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_salt", f"{self.name}@{self.version}\n".encode())
        object.__setattr__(self, "requires", tuple(dict.fromkeys((*self.requires, *self.refers))))

    def digest(self, spec: Spec) -> str:
        """What identifies the content: kind, version and spec."""
        return blake2b(self._salt + _encode(spec), digest_size=16).hexdigest()

    def content(self, spec: SpecT) -> str:
        """The managed part in the form it is compared in: canonical JSON, unless the kind renders text."""
        return _encode(spec).decode()


@dataclass(frozen=True)
class FileKind(Kind[SubjectT, SpecT]):
    """A kind that lands as a file in Git, or as a part of one.

    `path` is relative to `beside`. `render` makes the text that we manage: the whole file, its blocks, or its keys, as
    the ownership that `owns` gives for the config says.
    """

    path: Callable[[SubjectT, SpecT], str] = field(kw_only=True)
    render: Callable[[SpecT], str] = field(kw_only=True)
    beside: Beside = field(default=Beside.OURS, kw_only=True)
    owns: Callable[[ConfigId], Ownership] = field(default=_whole, kw_only=True)

    def content(self, spec: SpecT) -> str:
        """The rendered text."""
        return self.render(spec)

    def place(self, subject: SubjectT, spec: SpecT, *, central: bool) -> Place:
        """Where the file of this spec stands; raises NoHome when no repository is known for it."""
        if self.beside is Beside.ENTITY:
            return _entity_place(subject)
        own_only = self.beside is Beside.TOP
        home = subject.central if central and not own_only else subject.own
        if home is None:
            wanted = "central repository is set" if central and not own_only else "repository of its own is known"
            raise NoHome(f"{subject.ref}: no {wanted}, so {self.name} has no place to land")
        return Place(home.root, _join(home, self.beside, self.path(subject, spec), central=central and not own_only))


def _entity_place(subject: Service | Team | Organisation) -> Place:
    place = subject.entity if isinstance(subject, Service) else None
    if place is None:
        raise NoHome(f"{subject.ref}: no catalog file is known that declares it")
    return place


def _join(home: Home, beside: Beside, path: str, *, central: bool) -> str:
    if beside is Beside.TOP:
        return path
    folder = f"{home.folder}/" if home.folder else ""
    ours = "nthlayer/" if beside is Beside.OURS and not central else ""
    return f"{folder}{ours}{path}"
