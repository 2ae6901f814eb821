"""Reads what people write about one entity: the blueprint file next to it, and its annotations.

A blueprint file is one YAML document:

    service:
      name: checkout        # optional; must then be the entity's name
      tier: 1
      observability:
        slo: {availability: 99.95, latency_p99: 200ms}

An annotation holds one value: `nthlayer.dev/tier: "1"`, `nthlayer.dev/observability.slo.availability: "99.95"`,
`nthlayer.dev/deployment.canary_percent: "[10, 50, 100]"`. Lists and maps are written as YAML in one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec
from pydantic import BaseModel, Field

from nthlayer_sync.blueprint.check import Path, Problem, did_you_mean, fields_at, place, problems
from nthlayer_sync.blueprint.layer import Layer, Values, as_map, overlay
from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.blueprint.section import Row
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import INPUT_PREFIX
from nthlayer_sync.yaml.read import read_documents

DEFAULT_FILE = "nthlayer.yaml"
"""Name of the blueprint file in the folder of an entity's catalog file."""
IGNORE = f"{INPUT_PREFIX}ignore"
"""Annotation that keeps an entity out: nothing is generated for it, and what there is stays as it is."""
PAUSED = f"{INPUT_PREFIX}paused"
"""Annotation that stops every write for an entity while it stands; its value says why."""
FILE = f"{INPUT_PREFIX}blueprint"
"""Annotation that names the blueprint file, relative to the entity's catalog file."""
FILE_NAME = r"(?!.*\.\.)[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\.ya?ml"
"""Regular expression of its value: it leads nowhere but down."""
LONGEST_ANNOTATION = 4000
"""Characters; what is longer belongs into a blueprint file."""


class ServiceBlueprint(Blueprint):
    """A blueprint as it stands under `service:` in a file."""

    name: str | None = Field(default=None, examples=["checkout"])
    """Name of the entity it is for; guards against a file in the wrong folder."""


class BlueprintDocument(Row):
    """The file next to an entity's catalog file that says what the service asks for."""

    service: ServiceBlueprint
    """What the service asks for."""


def read_blueprint(data: bytes, *, file: str, name: str, tiers: Tiers) -> Layer:
    """What the blueprint file of the entity `name` says; nothing when it is not readable, with the reason."""
    origin = f"file {file}"
    documents, diagnoses = read_documents(data, file=file)
    if any(diagnosis.severity is Severity.ERROR for diagnosis in diagnoses):
        return Layer(origin, {}, tuple(diagnoses))
    written = as_map(documents[0].value) if len(documents) == 1 else None
    if written is None:
        message = "a blueprint file is one YAML document with the key service"
        return Layer(origin, {}, (Diagnosis(code="blueprint-shape", message=message, file=file),))
    # A null takes away what the layers below say; alone it says nothing.
    found = problems(BlueprintDocument, overlay({}, written), context=tiers.vocabulary, partial=True)
    values = as_map(written.get("service")) or {}
    found += _wrong_name(values, name)
    if "service" not in written:
        message = "the key service is missing; everything stands below it"
        found.append(Problem((), Diagnosis(code="missing-value", message=message, allowed=("service",))))
    values = {key: value for key, value in values.items() if key != "name"}
    placed = tuple(place(problem, data, file, document=documents[0].index) for problem in found)
    return Layer(origin, values, (*diagnoses, *placed))


def _wrong_name(values: Values, name: str) -> list[Problem]:
    found = values.get("name")
    if not isinstance(found, str) or found.lower() == name.lower():
        return []
    message = f"this blueprint is for another entity than {name}, which it belongs to by its place"
    diagnosis = Diagnosis(code="blueprint-name", message=message, field="service.name", found=found, allowed=(name,))
    return [Problem(("service", "name"), diagnosis)]


def is_ignored(annotations: Mapping[str, str]) -> bool:
    """Whether people took the entity out with `nthlayer.dev/ignore: "true"`."""
    return annotations.get(IGNORE) == "true"


def read_annotations(annotations: Mapping[str, str], tiers: Tiers) -> tuple[Layer, ...]:
    """What the annotations of an entity say, a layer for each; a diagnosis has the annotation's key as its field."""
    ours = sorted(key for key in annotations if key.startswith(INPUT_PREFIX))
    return tuple([_read(key, annotations[key][: LONGEST_ANNOTATION + 1], tiers) for key in ours])


@lru_cache(maxsize=4096)
def _read(key: str, text: str, tiers: Tiers) -> Layer:
    special, values = _SPECIAL.get(key), Values()
    wrong = special(text) if special else unknown_annotation(key)
    if not special and not wrong:
        values, wrong = annotation(key, text, Blueprint, tiers.vocabulary)
    return Layer(f"annotation {key}", values, (wrong,) if wrong else ())


def unknown_annotation(key: str, also: tuple[str, ...] = ()) -> Diagnosis | None:
    """What is wrong with the key of one of our annotations; `also` is what may be said of this sort of entity alone."""
    names = (*fields_at(Blueprint, ()), *(special.removeprefix(INPUT_PREFIX) for special in _SPECIAL), *also)
    first = key.removeprefix(INPUT_PREFIX).partition(".")[0]
    if first in names:
        return None
    message = f"unknown annotation{did_you_mean(first, names)}"
    return Diagnosis(code="annotation-unknown", message=f"{key}: {message}", field=key, found=first, allowed=names)


def annotation(
    key: str, text: str, model: type[BaseModel], context: Mapping[str, Any]
) -> tuple[Values, Diagnosis | None]:
    """What an annotation says in the terms of `model`, and what is wrong with it."""
    if len(text) > LONGEST_ANNOTATION:
        message = f"longer than {LONGEST_ANNOTATION} characters; a blueprint file has room for it"
        return {}, _refused(key, message, "")
    dotted = key.removeprefix(INPUT_PREFIX)
    wrong: Diagnosis | None = None
    for reading in _readings(text):
        values = _nested(tuple(dotted.split(".")), reading)
        found = problems(model, overlay({}, values), context=context, partial=True)
        if not found:
            return values, None
        wrong = found[0].diagnosis
    return {}, wrong and _about(wrong, key)


def _ignore(text: str) -> Diagnosis | None:
    return None if text in ("true", "false") else _refused(IGNORE, "neither true nor false", text, ("true", "false"))


def _file(text: str) -> Diagnosis | None:
    return None if re.fullmatch(FILE_NAME, text) else _refused(FILE, "no path of a YAML file below this one", text)


def _paused(text: str) -> Diagnosis | None:
    return None if text.strip() else _refused(PAUSED, "says no reason; take it away to go on", text)


_SPECIAL: Mapping[str, Callable[[str], Diagnosis | None]] = {FILE: _file, IGNORE: _ignore, PAUSED: _paused}
"""Annotations that are no part of a blueprint, with what checks their text."""


def _about(wrong: Diagnosis, key: str) -> Diagnosis:
    """The diagnosis with the annotation's key in place of the path that the key names."""
    path, message = wrong.field, wrong.message.removeprefix(f"{wrong.field}: ")
    dotted = key.removeprefix(INPUT_PREFIX)
    below = f"{path.removeprefix(f'{dotted}.')}: " if path.startswith(f"{dotted}.") else ""
    return msgspec.structs.replace(wrong, field=key, message=f"{key}: {below}{message}")


def _refused(key: str, message: str, found: str, allowed: tuple[str, ...] = ()) -> Diagnosis:
    return Diagnosis(code="annotation-value", message=f"{key}: {message}", field=key, found=found[:60], allowed=allowed)


def _readings(text: str) -> Iterator[Any]:
    """What a text may stand for, in this order: nothing; itself (the channel "123" is no number); the YAML in it."""
    if text.strip() in ("null", "~"):
        yield None
        return
    yield text
    documents, diagnoses = read_documents(text.encode(), file="")
    if len(documents) == 1 and not diagnoses and not isinstance(documents[0].value, str):
        yield documents[0].value


def _nested(path: Path, value: Any) -> Values:
    for step in reversed(path):
        value = {step: value}
    return cast("Values", value)
