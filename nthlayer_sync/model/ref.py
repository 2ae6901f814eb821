"""Entity references as Backstage writes them: `kind:namespace/name`, compared without regard to case."""

from __future__ import annotations

import re
from typing import NamedTuple, NewType

EntityRef = NewType("EntityRef", str)
"""A full reference in canonical (lower-case) form, such as `component:default/payments`."""

DEFAULT_NAMESPACE = "default"

# https://github.com/backstage/backstage/blob/master/packages/catalog-model/src/entity/ref.ts
_REFERENCE = re.compile(r"^(?:([^:/]+):)?(?:([^:/]+)/)?([^:/]+)$")


class RefParts(NamedTuple):
    """The three parts of a reference."""

    kind: str
    namespace: str
    name: str


def entity_ref(kind: str, name: str, namespace: str = DEFAULT_NAMESPACE) -> EntityRef:
    """The canonical reference of an entity."""
    return EntityRef(f"{kind}:{namespace}/{name}".lower())


def parse_ref(text: str, *, kind: str = "", namespace: str = DEFAULT_NAMESPACE) -> EntityRef:
    """Resolve `text` as Backstage does: what it leaves out comes from `kind` and `namespace`.

    Raises ValueError when it is no reference, or names no kind where none is implied.
    """
    found = _REFERENCE.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not an entity reference; write [kind:][namespace/]name")
    named = found[1] or kind
    if not named:
        raise ValueError(f"{text!r} names no kind; write kind:namespace/name")
    return entity_ref(named, found[3], found[2] or namespace)


def ref_parts(ref: EntityRef) -> RefParts:
    """The parts of a canonical reference."""
    kind, _, rest = ref.partition(":")
    namespace, _, name = rest.partition("/")
    return RefParts(kind, namespace, name)


def ref_name(ref: EntityRef) -> str:
    """The name in a canonical reference."""
    return ref.rpartition("/")[2]
