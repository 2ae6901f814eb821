"""What several resources can be asked for, and how it is found."""

from __future__ import annotations

import re

from pydantic import Field

from nthlayer_sync.graph.subjects import Held
from nthlayer_sync.model.ref import EntityRef, parse_ref
from nthlayer_sync.model.service import Subject
from nthlayer_sync.web import cursor
from nthlayer_sync.web.problem import Refusal, refused_value
from nthlayer_sync.web.route import Context, Paging

LONGEST_REF = 260
"""Characters of a reference: Backstage allows 63 for the kind, the namespace and the name."""
LARGEST = 2**53 - 1
"""The largest number that every client reads exactly (RFC 8259, 6)."""

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class AboutEntity(Paging):
    """Asks for a list, or for what of it is about one entity."""

    entity: str = Field(default="", max_length=LONGEST_REF, description="Only what is about this entity.")


def entity_in_path(context: Context) -> EntityRef:
    """The entity that the path names. 404 where no source shows it."""
    return known(context, context.path["ref"])


def known(context: Context, text: str) -> EntityRef:
    """The entity, or the organisation, that `text` refers to. 404 where no source shows it."""
    graph = context.daemon.engine.graph
    try:
        ref = parse_ref(text)
    except ValueError:
        ref = EntityRef("")
    if ref not in graph.entities and ref != graph.organisation:
        raise Refusal(404, f"no source shows {text[:LONGEST_REF]}")
    return ref


def subject_in_path(context: Context) -> Subject:
    """The subject that the path names. 404 where it is none, 409 where it is held for what is wrong with it."""
    ref = entity_in_path(context)
    found = context.daemon.engine.subjects.get(ref)
    if found is None:
        raise Refusal(404, f"{ref} is not managed: it is a component without a tier, or no service or team")
    if isinstance(found, Held):
        raise Refusal(409, f"{ref} is held: {'; '.join(d.message for d in found.diagnoses)}")
    return found


def ref_asked(name: str, text: str) -> EntityRef | None:
    """A reference among the parameters; None where it is left out."""
    if not text:
        return None
    try:
        return parse_ref(text)
    except ValueError as error:
        raise refused_value("query", name, str(error)) from None


def id_in_path(context: Context, what: str) -> str:
    """The id that the path names, checked before the store is asked for it."""
    id = context.path["id"]
    if not _ID.fullmatch(id):
        raise Refusal(404, f"there is no such {what}")
    return id


def number(of: str, asked: Paging) -> int:
    """A number that the store gave, as it comes back in the cursor; 0 on the first page."""
    found = cursor.read(of, asked.cursor, int) or 0
    if not 0 <= found <= LARGEST:
        raise refused_value("query", "cursor", "this is no cursor of this list; begin again without one")
    return found
