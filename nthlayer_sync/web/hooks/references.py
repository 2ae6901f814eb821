"""References to entities in what comes from outside."""

from __future__ import annotations

from nthlayer_sync.model.ref import EntityRef, parse_ref

LONGEST = 320
"""Characters of a reference: kind, namespace and name have at most 63 in Backstage, and other catalogs allow more."""


def reference(text: str, kind: str = "") -> EntityRef | None:
    """The reference that is written in `text`, which need not name its `kind`; None where it is none."""
    if len(text) > LONGEST or not text.isprintable() or any(map(str.isspace, text)):
        return None
    try:
        return parse_ref(text, kind=kind)
    except ValueError:
        return None
