"""A desired operational config, and the same as the live system has it."""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides the content of one config; each kind subclasses it.

    A spec is small: it holds what the content depends on, and the content is made from it when it is shown or written.
    """


class ConfigId(msgspec.Struct, frozen=True, order=True):
    """The identity of a config: its kind, the subject it belongs to and, where a subject has several, a name."""

    kind: str
    subject: EntityRef
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}#{self.name}" if self.name else f"{self.kind} {self.subject}"


class Config(msgspec.Struct, frozen=True):
    """One desired config: who owns it, what it says, where it lands, and the digest of all that decides its content."""

    id: ConfigId
    owner: EntityRef | None
    spec: Spec
    place: Place
    digest: str


class Declined(msgspec.Struct, frozen=True):
    """The managed part as it was proposed and people declined it, None where it was to go; nothing moved since."""

    content: str | None
    reason: str


class Observed(msgspec.Struct, frozen=True):
    """What is live where a config lands, reduced to the part we manage.

    `revision` changes whenever the live object does; `content` is the managed part in the form that `Kind.content`
    gives, None when the object is there but holds nothing of ours; `marked` says whether it bears our mark. `remote` is
    the vendor's own id of a live object, "" for files.
    """

    id: ConfigId
    place: Place
    revision: str
    content: str | None
    marked: bool
    trouble: str = ""
    """Why the managed part cannot be told, such as damaged markers."""
    remote: str = ""
    declined: Declined | None = None
    renewed: str = ""
    """`content` once what time alone has undone is done again, "" where nothing has run out: cover of holidays."""
