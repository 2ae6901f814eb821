"""The one door to the YAML parser: the parse events of untrusted text, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from yaml import CSafeLoader, YAMLError
from yaml.events import CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, Event, StreamEndEvent

from nthlayer_sync.errors import InputError
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.yaml.syntax import broken, undecodable

_TAG_DIRECTIVE = re.compile(rb"^%TAG\b", re.MULTILINE)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a file is read at most; `scalar` is in characters. The parser's time and memory follow from these:
    the largest file takes about a second and 150 MB.
    """

    bytes: int = 5_000_000
    documents: int = 1_000
    nodes: int = 250_000
    depth: int = 64
    scalar: int = 256_000


def parse_events(data: bytes, *, file: str, limits: Limits) -> Iterator[Event]:
    """The events of all documents in `data`, without the stream's end.

    Raises InputError, possibly after some events, where `data` is not YAML or exceeds a limit.
    """
    text = _decode(data, file, limits)
    parser = CSafeLoader(data)
    depth = nodes = documents = 0
    try:
        while (event := parser.get_event()) is not None and not isinstance(event, StreamEndEvent):
            nodes += 1
            if isinstance(event, CollectionStartEvent):
                depth += 1
            elif isinstance(event, CollectionEndEvent):
                depth -= 1
            elif isinstance(event, DocumentStartEvent):
                documents += 1
            if depth > limits.depth or nodes > limits.nodes or documents > limits.documents:
                raise _refused(event, file, limits, depth=depth, documents=documents)
            yield event
    except YAMLError as error:
        raise failure(broken(text, file, error)) from None


def span(event: Event) -> tuple[int, int]:
    """Where the text of `event` begins and ends, in characters from 0, a byte order mark not counted."""
    assert event.start_mark is not None and event.end_mark is not None, "the parser marks every event"  # noqa: PT018
    return event.start_mark.index, event.end_mark.index


def place(event: Event) -> tuple[int, int]:
    """Line and column, from 1, where `event` begins."""
    assert event.start_mark is not None, "the parser marks every event"
    return event.start_mark.line + 1, event.start_mark.column + 1


def _decode(data: bytes, file: str, limits: Limits) -> str:
    if len(data) > limits.bytes:
        raise failure(
            Diagnosis(
                code="too-large",
                message="the file is too large",
                file=file,
                found=f"{len(data)} bytes",
                allowed=(f"at most {limits.bytes} bytes",),
            )
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise failure(undecodable(data, file, error)) from None
    if _TAG_DIRECTIVE.search(data):
        raise failure(
            Diagnosis(code="tag", message="%TAG directives are not read", file=file, allowed=("YAML without tags",))
        )
    return text


def _refused(event: Event, file: str, limits: Limits, *, depth: int, documents: int) -> InputError:
    """Why reading ends at `event`."""
    if depth > limits.depth:
        code, message, allowed = "too-deep", "values are nested too deeply", f"at most {limits.depth} levels"
    elif documents > limits.documents:
        code, message, allowed = "too-many", "the file has too many documents", f"at most {limits.documents} documents"
    else:
        code, message, allowed = "too-many", "the file has too many values", f"at most {limits.nodes} values"
    line, column = place(event)
    return failure(Diagnosis(code=code, message=message, file=file, line=line, column=column, allowed=(allowed,)))


def failure(diagnosis: Diagnosis) -> InputError:
    """The error that carries one diagnosis."""
    return InputError(str(diagnosis), (diagnosis,))
