"""A kind of config that lands as one live object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Organisation, Service, Team
from nthlayer_sync.sdk.kind import Kind, SpecT, SubjectT
from nthlayer_sync.sdk.rest.account import Account
from nthlayer_sync.sdk.rest.collection import Collection, Json


def label(subject: Service | Team | Organisation | EntityRef) -> str:
    """What an object of a subject is called: its name, behind its namespace where that is not the default one."""
    ref = subject if isinstance(subject, str) else subject.ref
    namespace, _, name = ref.partition(":")[2].rpartition("/")
    return name if namespace in ("", "default") else f"{namespace}/{name}"


_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> str:
    """JSON that is the same for a spec and for its fields in any order."""
    return _encode(value).decode()


@dataclass(frozen=True)
class RestKind(Kind[SubjectT, SpecT]):
    """A kind whose configs are objects of one collection.

    `key` names the object; it is unique in the collection, and made of letters, digits, `-_./+@` and single
    spaces.
    `encode` gives what we manage of the object in the vendor's shape, for a spec; the object as it is live (None where
    there is none yet) is at hand for what has to survive. `decode` is the way back: the spec's own shape as JSON, with
    what the vendor adds and normalises taken out. `needs` are other collections that either of them looks names up in.
    """

    collection: Collection = field(kw_only=True)
    key: Callable[[SubjectT, SpecT], str] = field(kw_only=True)
    encode: Callable[[SpecT, Account, Json | None], Json] = field(kw_only=True)
    decode: Callable[[Json, Account], Any] = field(kw_only=True)
    needs: tuple[Collection, ...] = field(default=(), kw_only=True)
    renews: tuple[str, ...] = field(default=(), kw_only=True)
    """Flags in what `decode` gives that become false with time alone; people have changed nothing then."""
    foresee: Callable[[SpecT, Account, Json | None, int], str] | None = field(default=None, kw_only=True)
    """What follows from the object in the next weeks, in text, once it is as it should be: who is on call when."""

    def content(self, spec: SpecT) -> str:
        """The spec as canonical JSON: what `decode` gives of an object that is as it should be."""
        return canonical(spec)
