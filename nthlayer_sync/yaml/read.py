"""Reads YAML from people and strangers: safely, quickly, with Backstage's reading of it (the core schema of YAML 1.2).

Aliases are refused because a few lines of them can stand for billions of values; tags, because they name the types of
some other program. Keys are always text, as in JSON.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamStartEvent,
)

from nthlayer_sync.errors import InputError
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.yaml.events import Limits, parse_events, place, span
from nthlayer_sync.yaml.scalars import plain_value
from nthlayer_sync.yaml.syntax import looks_like_template, shorten, templated
from nthlayer_sync.yaml.tree import first_of, locate

__all__ = ["Document", "Limits", "locate", "looks_like_template", "read_documents"]

_Container: TypeAlias = dict[str, object] | list[object]
_MOST_DIAGNOSES = 100
_MOST_TRACED = 3
_NO_KEY = "\0no key yet"  # NUL cannot stand in YAML text, and `is` compares anyway


class Document(msgspec.Struct, frozen=True):
    """One document of a file: its value (dict, list, str, int, float or bool), its place among all documents of the
    file (from 0, empty ones counted), and the line (from 1) where its value begins.
    """

    value: object
    index: int
    start_line: int


def read_documents(data: bytes, *, file: str, limits: Limits | None = None) -> tuple[list[Document], list[Diagnosis]]:
    """Every sound document in `data`, and what is wrong with the others; never raises. Empty documents are left out.

    `file` is only named in diagnoses. A syntax error ends the reading; the documents before it are kept.
    """
    reading = _Reading(data, file, limits or Limits())
    try:
        reading.read()
    except InputError as error:
        reading.diagnoses.extend(error.diagnoses)
    return reading.documents, reading.diagnoses


class _Reading:
    """One pass over one file."""

    def __init__(self, data: bytes, file: str, limits: Limits) -> None:
        self.data = data
        self.file = file
        self.limits = limits
        self.events = parse_events(data, file=file, limits=limits)
        self.documents: list[Document] = []
        self.diagnoses: list[Diagnosis] = []
        self.sound = True

    def read(self) -> None:
        index = -1
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                index, self.sound = index + 1, True
            elif not isinstance(event, StreamStartEvent | DocumentEndEvent):
                line, _ = place(event)
                value = self._value(event)
                if self.sound and value is not None:
                    self.documents.append(Document(value, index, line))

    def _value(self, event: Event) -> object:
        """The value that begins with `event`; takes its other events from the stream."""
        if not isinstance(event, CollectionStartEvent):
            return self._leaf(event)
        root = container = self._open(event)
        key = _NO_KEY
        outer: list[tuple[_Container, str, CollectionStartEvent]] = []  # with the event that opened what is inside
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                if not outer:
                    break
                container, key, opening = outer.pop()
                key = self._complex_key(opening) if key is _NO_KEY and isinstance(container, dict) else _NO_KEY
            elif isinstance(event, CollectionStartEvent):
                inner = self._open(event)
                if isinstance(container, list):
                    container.append(inner)
                elif key is not _NO_KEY:
                    container[key] = inner
                outer.append((container, key, event))
                container, key = inner, _NO_KEY
            elif isinstance(container, list):
                container.append(self._leaf(event))
            elif key is _NO_KEY:
                key = self._key(event, container)
            else:
                container[key] = self._leaf(event)
                key = _NO_KEY
        return root

    def _open(self, event: CollectionStartEvent) -> _Container:
        if event.tag is not None or event.anchor is not None:
            self._marked(event)
        return {} if isinstance(event, MappingStartEvent) else []

    def _leaf(self, event: Event) -> object:
        if not isinstance(event, ScalarEvent):
            self._alias(event)
            return None
        if event.tag is not None or event.anchor is not None:
            self._marked(event)
        text: str = event.value
        if len(text) > self.limits.scalar:
            self._wrong(
                event, "too-long", "the text is too long", f"{len(text)} characters", f"at most {self.limits.scalar}"
            )
        return plain_value(text) if event.implicit[0] else text

    def _key(self, event: Event, container: dict[str, object]) -> str:
        if not isinstance(event, ScalarEvent):
            self._alias(event)
            return ""
        if event.tag is not None or event.anchor is not None:
            self._marked(event)
        text: str = event.value
        if text in container:
            self._wrong(event, "duplicate-key", self._twice(event), text, "each key once")
        return text

    def _twice(self, event: ScalarEvent) -> str:
        """What to say of a key that stands there already; for the first ones only, since each costs a reading."""
        told = sum(diagnosis.code == "duplicate-key" for diagnosis in self.diagnoses)
        first = first_of(self.data, *place(event)) if told < _MOST_TRACED else 0
        return f"the key stands in line {first} already" if first else "the key stands here for the second time"

    def _complex_key(self, event: CollectionStartEvent) -> str:
        start, _ = span(event)
        if self.data.decode("utf-8-sig")[start - 1 : start + 1] == "{{":
            self.sound = False
            self._add(templated(self.file, *place(event), found="{{"))
        else:
            self._wrong(event, "key", "a list or mapping stands where a key is expected", "", "text")
        return ""

    def _alias(self, event: Event) -> None:
        self._wrong(
            event,
            "alias",
            "aliases are not read: they can make a small file huge",
            f"*{event.anchor if isinstance(event, AliasEvent) else ''}",
            "the value itself",
        )

    def _marked(self, event: CollectionStartEvent | ScalarEvent) -> None:
        if event.tag is not None:
            self._wrong(event, "tag", "tags are not read", event.tag, "a value without tag")
        else:
            self._wrong(event, "anchor", "anchors have no use here: aliases are not read", f"&{event.anchor}")

    def _wrong(self, event: Event, code: str, message: str, found: str = "", allowed: str = "") -> None:
        severity = Severity.WARNING if code == "anchor" else Severity.ERROR
        self.sound = self.sound and severity is not Severity.ERROR
        line, column = place(event)
        diagnosis = Diagnosis(
            code=code,
            message=message,
            severity=severity,
            file=self.file,
            line=line,
            column=column,
            found=shorten(found),
            allowed=(allowed,) if allowed else (),
        )
        self._add(diagnosis)

    def _add(self, diagnosis: Diagnosis) -> None:
        if len(self.diagnoses) >= _MOST_DIAGNOSES:
            raise InputError("", (diagnosis,))
        self.diagnoses.append(diagnosis)
