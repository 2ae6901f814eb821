"""Pauses: who said that nothing is written for an entity, or at all, and why."""

from __future__ import annotations

from nthlayer_sync.blueprint.document import PAUSED
from nthlayer_sync.daemon.policies import Note
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.web.api.shown import Shown


class PauseShown(Shown):
    """A pause that holds."""

    entity: str
    """`*` where it holds for everything."""
    by: str
    """Who said so; the annotation where it stands in the catalog."""
    at: float | None
    """When, in seconds since 1970; null where the catalog says it."""
    reason: str

    @classmethod
    def by_annotation(cls, ref: EntityRef, reason: str) -> PauseShown:
        """A pause that stands in the catalog."""
        return cls(entity=ref, by=PAUSED, at=None, reason=reason[:1000])

    @classmethod
    def by_person(cls, entity: str, note: Note) -> PauseShown:
        """A pause that somebody asked for here."""
        return cls(entity=entity, by=note.by, at=note.at, reason=note.reason)
