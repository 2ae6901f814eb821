"""why: where a generated value comes from.

Nothing is recorded while generating. Each input of a service is nudged, one at a time, and its config is generated
again: the leaves of the content that move come from that input. It works for plugins that we never saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, cast

import msgspec
from pydantic import ValidationError

from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.nudge import nudges
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.service import Contact, Neighbour, Service, Team
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.yaml.read import read_documents

# Inputs that are not the blueprint's, and where people say them.
_ENTITY_FIELDS = {
    "name": "metadata.name",
    "namespace": "metadata.namespace",
    "title": "metadata.title",
    "description": "metadata.description",
    "type": "spec.type",
    "lifecycle": "spec.lifecycle",
    "language": "labels, tags or manifests",
    "owner": "spec.owner and the group behind it",
    "system": "spec.system",
    "depends_on": "spec.dependsOn and spec.consumesApis",
    "dependents": "dependsOn of other entities",
    "further": "dependsOn of other entities",
    "links": "metadata.links",
    "annotations": "metadata.annotations",
    "tags": "metadata.tags",
    "labels": "metadata.labels",
    "own": "the repository of the catalog file",
    "facts": "the repository's own content",
}

EXISTS = "(exists)"
"""The path under which it says what a config exists for."""


class Reason(msgspec.Struct, frozen=True, order=True):
    """One input that a value depends on: what it is called, what it says, and who said it."""

    input: str
    value: str
    origin: str


class Explanation(msgspec.Struct, frozen=True):
    """One leaf of a config's content and the inputs it depends on; none when the kind itself fixes it."""

    path: str
    value: str
    reasons: tuple[Reason, ...]


def why(
    subject: Service | Team, kind: str, generator: Generator, tiers: Tiers, origins: Mapping[str, str]
) -> dict[ConfigId, list[Explanation]]:
    """Explain every leaf of every config of one kind.

    Leaves are dotted paths in YAML and JSON, `line N` elsewhere. PermanentError when the subject has no such config.
    """
    before = _contents(subject, kind, generator)
    if not before:
        raise PermanentError(f"{subject.ref} has no {kind}")
    moved: dict[tuple[ConfigId, str], set[Reason]] = {}
    for reason, nudged in (*_blueprint_nudges(subject, tiers, origins), *_field_nudges(subject)):
        try:
            after = _contents(nudged, kind, generator)
        except PermanentError:
            continue  # nudged to something the kind refuses: another nudge will tell
        for id, leaves in before.items():
            if id not in after:
                moved.setdefault((id, EXISTS), set()).add(reason)
                continue
            others = after[id]
            for path, value in leaves.items():
                if others.get(path) != value:
                    moved.setdefault((id, path), set()).add(reason)
    explained: dict[ConfigId, list[Explanation]] = {}
    for id, leaves in before.items():
        rows = {EXISTS: "yes", **leaves} if (id, EXISTS) in moved else leaves
        explained[id] = [
            Explanation(path, value, tuple(sorted(moved.get((id, path), ())))) for path, value in rows.items()
        ]
    return explained


def _contents(subject: Service | Team, kind: str, generator: Generator) -> dict[ConfigId, dict[str, str]]:
    """The leaves of each config of one kind."""
    known = generator.kinds.get(kind)
    if known is None:
        raise PermanentError(f"there is no kind {kind!r} among those that are on: {', '.join(sorted(generator.kinds))}")
    made = generator.generate(subject)
    if kind in made.failed:
        raise PermanentError(made.failed[kind])
    return {
        config.id: leaves(known.content(config.spec), config.place.path if isinstance(known, FileKind) else "x.json")
        for config in made.configs
        if config.id.kind == kind
    }


def leaves(content: str, path: str) -> dict[str, str]:
    """The values of a content by their dotted paths, by line where the file at `path` is neither YAML nor JSON."""
    suffix = PurePosixPath(path).suffix
    if suffix in (".yaml", ".yml", ".json"):
        documents, diagnoses = read_documents(content.encode(), file=path)
        if not diagnoses:
            many = len(documents) > 1
            return {key: text for d in documents for key, text in _walk(d.value, f"[{d.index}]" if many else "")}
    return {f"line {number}": line for number, line in enumerate(content.splitlines(), 1) if line.strip()}


def _walk(value: object, above: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in cast("dict[object, object]", value).items():
            yield from _walk(inner, f"{above}.{key}" if above else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(cast("list[object]", value)):
            yield from _walk(inner, f"{above}[{index}]")
    else:
        yield above, str(cast("object", value))


def _blueprint_nudges(
    subject: Service | Team, tiers: Tiers, origins: Mapping[str, str]
) -> Iterator[tuple[Reason, Service | Team]]:
    values = subject.blueprint.model_dump(mode="json")
    for path in _paths(values):
        value = _get(values, path)
        candidates = [*nudges(value)]
        for candidate in candidates:
            nudged = msgspec.json.decode(msgspec.json.encode(values))
            _set(nudged, path, candidate)
            try:
                blueprint = Blueprint.model_validate(nudged, context=tiers.vocabulary)
            except ValidationError as error:
                candidates += [word for word in _expected(error, tiers) if word != value and word not in candidates]
                continue
            name = ".".join(path)
            reason = Reason(name, _text(value), origin_of(name, origins))
            yield (
                reason,
                msgspec.structs.replace(
                    # What is remembered by digest must not be taken for another subject's, nudged likewise.
                    subject,
                    blueprint=blueprint,
                    blueprint_digest=f"{subject.blueprint_digest} nudged {name} {candidate}",
                ),
            )


def _expected(error: ValidationError, tiers: Tiers) -> Iterator[str]:
    """The words that could stand where a word was refused."""
    yield from (*tiers.windows, *tiers.table.tiers)
    for detail in error.errors(include_url=False):
        yield from re.findall(r"'([^']+)'", str(detail.get("ctx", {}).get("expected", "")))


def _field_nudges(subject: Service | Team) -> Iterator[tuple[Reason, Service | Team]]:
    if not isinstance(subject, Service):
        return
    where = subject.entity.path if subject.entity else subject.ref
    for field, written in _ENTITY_FIELDS.items():
        value = getattr(subject, field)
        change = _field_change(value)
        if change is not None:
            reason = Reason(f"entity {field}", _text(value), f"{written} ({where})")
            yield reason, msgspec.structs.replace(subject, **{field: change(value)})


def _field_change(value: object) -> Callable[[Any], Any] | None:
    """How to say something else where `value` stands; None where there is nothing to say otherwise."""
    if isinstance(value, str) and value:
        return lambda text: f"{text}x"
    if isinstance(value, tuple) and value:
        return lambda full: ()
    if isinstance(value, dict) and value:
        return lambda full: {}
    if isinstance(value, msgspec.Struct):
        return lambda struct: None
    return None


def _paths(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _paths(cast("Mapping[str, Any]", value), (*above, key))
        else:
            yield (*above, key)


def origin_of(path: str, origins: Mapping[str, str]) -> str:
    """Who said it: the layer of the leaf, or of the list or map that it stands in; a default nobody wrote otherwise."""
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return "default"


def _get(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values[key]
    return values


def _set(values: Any, path: tuple[str, ...], value: object) -> None:
    for key in path[:-1]:
        values = values[key]
    values[path[-1]] = value


def _text(value: object) -> str:
    if isinstance(value, Contact):
        value = value.ref
    elif isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    elif isinstance(value, tuple) and all(isinstance(item, Neighbour) for item in cast("tuple[object, ...]", value)):
        value = ", ".join(item.ref for item in cast("tuple[Neighbour, ...]", value))
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
