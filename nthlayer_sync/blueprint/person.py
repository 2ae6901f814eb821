"""Reads what the annotations of a User say about the person: `nthlayer.dev/timezone`, `holidays` and `badges`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from nthlayer_sync.blueprint.document import annotation, unknown_annotation
from nthlayer_sync.blueprint.layer import Values, overlay
from nthlayer_sync.model.blueprint.incident import Badge, Calendar
from nthlayer_sync.model.blueprint.section import Section, Zone
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.entity import INPUT_PREFIX


class PersonAnnotations(Section):
    """What a User says beside what any entity may say."""

    timezone: Zone = ""
    """Where the person lives: name in the IANA time zone database."""
    holidays: Calendar = ""
    """Public holidays on which the person is not on call: country, or country and part, in ISO 3166 codes."""
    badges: tuple[Badge, ...] = Field(default=(), max_length=50, examples=[["incident-commander"]])
    """Trainings that the person has passed."""


NAMES = tuple(PersonAnnotations.model_fields)
KEYS = frozenset(INPUT_PREFIX + name for name in NAMES)
"""The annotations that only a User has."""


def read_person(annotations: Mapping[str, str]) -> tuple[PersonAnnotations, list[Diagnosis]]:
    """What is said about a person, and what is wrong with it: that is then left out."""
    values, found = Values(), list[Diagnosis]()
    for key in sorted(annotations):
        if not key.startswith(INPUT_PREFIX):
            continue
        if key.removeprefix(INPUT_PREFIX).partition(".")[0] in NAMES:
            said, wrong = annotation(key, annotations[key], PersonAnnotations, {})
            values = overlay(values, said)
            found += [wrong] if wrong else []
        elif wrong := unknown_annotation(key, also=NAMES):
            found.append(wrong)
    return PersonAnnotations.model_validate(values), found
