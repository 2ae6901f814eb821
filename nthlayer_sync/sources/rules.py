"""What Backstage refuses in an entity of the right outer form, and what it accepts but ignores."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import INPUT_PREFIX
from nthlayer_sync.sources import formats
from nthlayer_sync.sources.fields import API_VERSIONS, KINDS, TEMPLATE_VERSIONS, Field, stray_key, stray_relation
from nthlayer_sync.sources.shape import Envelope, Path, Problem, dotted, is_placeholder, list_of, mapping_of, short


def problems(entity: Envelope) -> list[Problem]:
    """All that is wrong with an entity; empty for most. It must be fast: it runs for every entity of a catalog."""
    found: list[Problem] = []
    _metadata(entity, found)
    kind = entity.kind.lower()
    fields = KINDS.get(kind)
    if fields is None:
        if not formats.is_kind(entity.kind):
            return found
        found.append(
            Problem(
                "entity-kind-foreign",
                f"{short(entity.kind)} is not one of Backstage's own kinds; it is taken as it is",
                ("kind",),
                short(entity.kind),
                tuple(KINDS),
                Severity.NOTE,
            )
        )
        return found
    versions = TEMPLATE_VERSIONS if kind == "template" else API_VERSIONS
    if entity.apiVersion not in versions:
        message = f"Backstage knows no {kind} of apiVersion {short(entity.apiVersion)}"
        found.append(Problem("entity-api-version", message, ("apiVersion",), short(entity.apiVersion), versions))
    if fields:
        _spec(kind, fields, entity, found)
    return found


def _metadata(entity: Envelope, found: list[Problem]) -> None:
    metadata = entity.metadata
    if not formats.is_api_version(entity.apiVersion):
        found.append(_format(("apiVersion",), entity.apiVersion, "[prefix/]version"))
    if not formats.is_kind(entity.kind):
        found.append(_format(("kind",), entity.kind, formats.KIND))
    if not formats.is_name(metadata.name):
        found.append(_format(("metadata", "name"), metadata.name, formats.NAME))
    if not formats.is_namespace(metadata.namespace):
        found.append(_format(("metadata", "namespace"), metadata.namespace, formats.NAMESPACE))
    if len(metadata.title) > formats.LONGEST_TEXT or len(metadata.description) > formats.LONGEST_TEXT:
        field = "title" if len(metadata.title) > formats.LONGEST_TEXT else "description"
        found.append(_too_long(("metadata", field), metadata.title or metadata.description))
    most = formats.MOST_ENTRIES
    annotations, labels, tags, links = metadata.annotations, metadata.labels, metadata.tags, metadata.links
    if len(annotations) > most or len(labels) > most or len(tags) > most or len(links) > most:
        for name, entries in (("annotations", annotations), ("labels", labels), ("tags", tags), ("links", links)):
            if len(entries) > most:
                found.append(_too_many(("metadata", name), len(entries), most))
        return
    for key, value in annotations.items():
        if not formats.is_key(key):
            found.append(_format(("metadata", "annotations", key), key, formats.KEY))
        if len(value) > formats.LONGEST_TEXT:
            found.append(_too_long(("metadata", "annotations", key), value))
    for key, value in labels.items():
        if not formats.is_key(key):
            found.append(_format(("metadata", "labels", key), key, formats.KEY))
        if value and not formats.is_name(value):
            found.append(_format(("metadata", "labels", key), value, formats.NAME))
        if key.startswith(INPUT_PREFIX):
            message = f"{short(key)} is a label here and has no effect; it is read as an annotation"
            found.append(Problem("entity-label-ours", message, ("metadata", "labels", key), severity=Severity.WARNING))
    for index, tag in enumerate(tags):
        if not formats.is_tag(tag):
            found.append(_format(("metadata", "tags", index), tag, formats.TAG))
    for index, link in enumerate(links):
        if not formats.is_url(link.url):
            found.append(_format(("metadata", "links", index, "url"), link.url, "an absolute URL"))
        if link.icon and not formats.is_name(link.icon):
            found.append(_format(("metadata", "links", index, "icon"), link.icon, formats.NAME))


def _spec(kind: str, fields: dict[str, Field], entity: Envelope, found: list[Problem]) -> None:
    spec = entity.spec
    for name, field in fields.items():
        if field.required and name not in spec:
            code = "spec-field-missing"
            found.append(Problem(code, f"spec.{name} is missing, so Backstage refuses the {kind}", ("spec",)))
    for key, value in spec.items():
        field = fields.get(key)
        if field is None:
            stray = stray_key(kind, key) or stray_relation(kind, key, value)
            if stray:
                found.append(stray)
        elif field.many:
            found.extend(_list(key, field, value))
        elif key == "profile":
            found.extend(_profile(value))
        elif not isinstance(value, str):
            if not is_placeholder(value):
                found.append(_wrong(("spec", key), value, "text"))
        elif not value:
            found.append(_wrong(("spec", key), None, "text"))
        elif field.reference and (fault := formats.reference_fault(value, field.target)):
            found.append(_reference(("spec", key), value, fault, field))


def _list(key: str, field: Field, value: object) -> Iterator[Problem]:
    path = ("spec", key)
    # Backstage refuses the entity; for one relation of the wrong form it is not worth losing the service.
    severity = Severity.WARNING if field.reference else Severity.ERROR
    items = list_of(value)
    if items is None:
        yield _wrong(path, value, "a list", severity)
        return
    if len(items) > formats.MOST_REFERENCES:
        yield _too_many(path, len(items), formats.MOST_REFERENCES)
        return
    for index, item in enumerate(items):
        if not isinstance(item, str) or not item:
            yield _wrong((*path, index), item, "text", severity)
        elif field.reference and (fault := formats.reference_fault(item, field.target)):
            yield _reference((*path, index), item, fault, field)


def _profile(value: object) -> Iterator[Problem]:
    profile = mapping_of(value)
    if profile is None:
        yield _wrong(("spec", "profile"), value, "a mapping")
        return
    for name in ("displayName", "email", "picture"):
        if name in profile and not (isinstance(profile[name], str) and profile[name]):
            yield _wrong(("spec", "profile", name), profile[name], "text")


def _format(path: Path, value: str, allowed: str) -> Problem:
    what = "placeholder that was never filled in" if formats.has_placeholder(value) else ""
    name = ".".join(str(part) for part in path[-2:])
    message = f"{short(name)} holds a {what}" if what else f"{short(name)} is not written as Backstage demands"
    return Problem(
        "entity-placeholder" if what else "entity-format", message, path, short(value) or "nothing", (allowed,)
    )


def _too_long(path: Path, value: str) -> Problem:
    message = f"{short(path[-1])} is longer than {formats.LONGEST_TEXT:,} characters"
    return Problem("entity-too-large", message, path, f"{len(value):,} characters")


def _too_many(path: Path, count: int, most: int) -> Problem:
    return Problem(
        "entity-too-large", f"{short(path[-1])} holds more than {most:,} entries", path, f"{count:,} entries"
    )


def _wrong(path: Path, value: object, allowed: str, severity: Severity = Severity.ERROR) -> Problem:
    message = f"{dotted(path)} is not {allowed}, so Backstage refuses the entity"
    found = short(value) if value not in (None, "") else "nothing"
    return Problem("spec-field-type", message, path, found, (allowed,), severity)


def _reference(path: Path, value: str, fault: str, field: Field) -> Problem:
    allowed = formats.REFERENCE if field.target else formats.REFERENCE.replace("[kind:]", "kind:")
    return Problem("spec-reference", f"{dotted(path)} {fault}", path, short(value), (allowed,), Severity.WARNING)
