"""Reads catalog entities: one value, from YAML or JSON, to an `Entity` or to what keeps it from being one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import OUTPUT_PREFIX, Entity, Link, Place, Relation
from nthlayer_sync.model.ref import EntityRef, entity_ref, parse_ref
from nthlayer_sync.model.written import LINKS, own_keys
from nthlayer_sync.sources.fields import KINDS, Field
from nthlayer_sync.sources.formats import LONGEST_REFERENCE
from nthlayer_sync.sources.rules import problems
from nthlayer_sync.sources.shape import (
    ROOT_FIELDS,
    Envelope,
    Problem,
    WireRelation,
    list_of,
    mapping_of,
    misshapen,
    short,
)

_KUBERNETES = re.compile(r"v\d\w*|(?:[a-z]+|[a-z.-]+\.k8s\.io)/v\d\w*")
"""The API groups that Kubernetes itself owns; those of Backstage and of its users have a domain of their own."""
_VIEWED = re.compile(r"url:(https?://[^/]+/[^?#]+?)(?:/-)?/(?:blob|tree|raw|edit)/[^/]+/([^?#]+)")
_CANONICAL = re.compile(r"[a-z0-9]+:[a-z0-9-]+/[a-z0-9._-]+", re.ASCII)
"""A reference as the API writes it, which is most of them: it needs no resolving."""
_LONGEST_URL = 2_048
"""Characters: what every browser and server takes."""
_LONGEST_REF = 200
"""Characters: the longest reference that Backstage allows has 63 for each of its three parts."""


class Reading(NamedTuple):
    """What came of one document: an entity, unless a problem is an error; `ref` names it as far as it is known."""

    entity: Entity | None
    problems: tuple[Problem, ...] | list[Problem]
    ref: str

    @property
    def refused(self) -> bool:
        """Whether it was meant as an entity and could not be taken."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


_many = msgspec.json.Decoder(tuple[Envelope, ...])
_one = msgspec.json.Decoder(Envelope)
_pieces = msgspec.json.Decoder(tuple[msgspec.Raw, ...])


def read_value(value: object, place: Place | None = None, document: int = 0) -> Reading:
    """Read what one document holds; `place` and `document` say where it stands."""
    fields = mapping_of(value)
    if fields is None:
        return _foreign(f"holds {'nothing' if value is None else short(value)}")
    if reason := _not_for_us(fields):
        return _foreign(reason)
    try:
        return read_envelope(msgspec.convert(fields, Envelope), place, document)
    except msgspec.ValidationError as error:
        found = tuple(misshapen(fields)) or (Problem("entity-field-type", str(error)),)
        return Reading(None, found, _rough_ref(fields))


def read_array(data: bytes) -> Iterator[Reading]:
    """Read a JSON array of entities, or a single one, as the catalog API gives them.

    Raises msgspec.DecodeError when it is not JSON at all. One entity of the wrong form costs only itself.
    """
    if data.lstrip()[:1] != b"[":
        data = b"[" + data + b"]"
    try:
        envelopes = _many.decode(data)
    except msgspec.ValidationError:
        for piece in _pieces.decode(data):
            try:
                yield read_envelope(_one.decode(piece))
            except msgspec.ValidationError:
                yield read_value(msgspec.json.decode(piece))
        return
    yield from map(read_envelope, envelopes)


def read_envelope(envelope: Envelope, place: Place | None = None, document: int = 0) -> Reading:
    """Read an entity whose outer form is right."""
    metadata = envelope.metadata
    ref = entity_ref(envelope.kind, metadata.name, metadata.namespace)
    found = problems(envelope)
    if found and any(problem.severity is Severity.ERROR for problem in found):
        return Reading(None, found, short(ref, _LONGEST_REF))
    fields = KINDS.get(envelope.kind.lower())
    spec = _usable(envelope.spec, fields) if found and fields else envelope.spec
    annotations, links, labels = metadata.annotations, metadata.links, metadata.labels
    ours = [key for key in annotations if key.startswith(OUTPUT_PREFIX)]
    if ours:
        links = _own_links_left_out(links, annotations.get(LINKS, ""))
        ours = own_keys(annotations)
        annotations = {key: value for key, value in annotations.items() if key not in ours}
    entity = Entity(
        ref=ref,
        kind=envelope.kind,
        name=metadata.name,
        namespace=metadata.namespace,
        title=metadata.title,
        description=metadata.description,
        annotations=annotations,
        labels=labels,
        tags=metadata.tags,
        links=links,
        spec=spec,
        relations=None if envelope.relations is None else _relations(envelope.relations),
        place=place or _viewed_place(metadata.annotations),
        document=document,
        uid=metadata.uid,
    )
    return Reading(entity, found, ref)


def _viewed_place(annotations: dict[str, str]) -> Place | None:
    """Where the file of an entity stands that came from the catalog's API, by Backstage's own note of it."""
    location = annotations.get("backstage.io/managed-by-location", "")
    found = _VIEWED.fullmatch(location) if len(location) <= _LONGEST_URL else None
    return Place(found[1], found[2]) if found and ".." not in found[2] else None


def _own_links_left_out(links: tuple[Link, ...], ours: str) -> tuple[Link, ...]:
    urls = frozenset(ours.split())
    return tuple(link for link in links if link.url not in urls) if urls else links


def _relations(wire: Iterable[WireRelation]) -> tuple[Relation, ...]:
    return tuple([Relation(each.type, ref) for each in wire if (ref := _target(each.targetRef))])


def _target(text: str, kind: str = "") -> EntityRef | None:
    if _CANONICAL.fullmatch(text):
        return EntityRef(text)
    try:
        return parse_ref(text, kind=kind) if len(text) <= LONGEST_REFERENCE else None
    except ValueError:
        return None


def _usable(spec: dict[str, Any], fields: dict[str, Field]) -> dict[str, Any]:
    """The spec without relations that cannot be resolved, so that whoever reads it meets only references."""

    def fine(item: object, field: Field) -> bool:
        return isinstance(item, str) and _target(item, field.target) is not None

    usable = dict(spec)
    for key, field in fields.items():
        if not field.reference or key not in usable:
            continue
        value = usable[key]
        if field.many:
            usable[key] = [item for item in list_of(value) or () if fine(item, field)]
        elif not fine(value, field):
            del usable[key]
    return usable


def _not_for_us(document: dict[Any, Any]) -> str:
    """Why a mapping is no catalog entity at all, "" when it is meant as one."""
    version, kind = document.get("apiVersion"), document.get("kind")
    if version is None and kind is None:
        return f"has no apiVersion and no kind, but {_keys(document)}"
    if not isinstance(kind, str) or not isinstance(version, str):
        return ""
    if kind.lower() not in KINDS and (
        _KUBERNETES.fullmatch(version) or any(key not in ROOT_FIELDS for key in document)
    ):
        return f"is a {short(kind)} of {short(version)}"
    return ""


def _keys(document: dict[Any, Any]) -> str:
    return short(", ".join(str(key) for key in list(document)[:5])) or "nothing"


def _foreign(reason: str) -> Reading:
    message = f"no catalog entity: the document {reason}"
    return Reading(None, (Problem("document-foreign", message, severity=Severity.NOTE),), "")


def _rough_ref(document: dict[Any, Any]) -> str:
    fields = mapping_of(document.get("metadata"))
    if fields is None:
        return ""
    kind, name, namespace = document.get("kind"), fields.get("name"), fields.get("namespace", "default")
    if isinstance(kind, str) and isinstance(name, str) and isinstance(namespace, str):
        return short(entity_ref(kind, name, namespace), _LONGEST_REF)
    return ""
