"""What a tool does wrong on purpose: rules that say which requests, and what then happens."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias, cast

import msgspec

Normalisation: TypeAlias = Literal["reverse", "sort", "lower", "upper", "strip", "collapse", "float", "text", "default"]
"""What a server may do to a value that it stores: order of a list, letter case, white space, form of a number."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule: the requests it matches, and what happens to them.

    Attributes:
        method: Glob for the method.
        path: Glob for the path, as the client sent it without the query.
        first: The matching request with which it begins (1 is the next one).
        times: How many requests it is for; 0 is all from `first` on.
        commit: Whether the request takes effect before the answer goes wrong.
        delay: Seconds to wait: after the effect with `commit`, before it without.
        reset: Break the connection instead of answering.
        cut: Announce the whole answer, send half and close.
        status: Answer with this status instead of the tool's own.
        body: Answer with this instead: text goes out as HTML, anything else as JSON. Meant together with `status`.
        retry_after: The `Retry-After` header of that answer.
        field: The field that `drop` and `normalise` are about, at any depth of the request's body.
        drop: Ignore `field` of what is written, and say nothing.
        normalise: Store `field` in another form.
        value: The value that `normalise: default` gives a missing or empty field of the object.
        wipe: Empty this collection first.
    """

    method: str = "*"
    path: str = "*"
    first: int = 1
    times: int = 1
    commit: bool = False
    delay: float = 0.0
    reset: bool = False
    cut: bool = False
    status: int = 0
    body: Any = None
    retry_after: str = ""
    field: str = ""
    drop: bool = False
    normalise: Normalisation | Literal[""] = ""
    value: Any = None
    wipe: str = ""

    @property
    def answers(self) -> bool:
        """Whether it takes the place of the tool's own answer."""
        return bool(self.status) or self.reset


class Faults:
    """The rules of one tool, and how often each was met."""

    def __init__(self) -> None:
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, *faults: Fault) -> None:
        """Add rules; the first one that applies to a request and answers is the one that does."""
        self._rules += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Remove every rule."""
        self._rules.clear()

    def all(self) -> list[Fault]:
        """The rules, in order."""
        return [fault for fault, _ in self._rules]

    def met(self, method: str, path: str) -> list[Fault]:
        """The rules that apply to this request; it is counted."""
        met: list[Fault] = []
        for fault, seen in self._rules:
            if fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path):
                seen[0] += 1
                past = seen[0] - fault.first
                if past >= 0 and (not fault.times or past < fault.times):
                    met.append(fault)
        return met


def rewritten(body: Any, fault: Fault) -> Any:
    """What the server takes for the request's body under this fault."""
    if fault.drop:
        return _changed(body, fault.field, _dropped)
    if fault.normalise == "default":
        return _defaulted(body, fault)
    return _changed(body, fault.field, _NORMALISE[fault.normalise]) if fault.normalise else body


def _changed(body: Any, field: str, change: Callable[[Any], Any]) -> Any:
    if isinstance(body, list):
        return [_changed(each, field, change) for each in cast(list[Any], body)]
    if not isinstance(body, dict):
        return body
    result: dict[str, Any] = {}
    for name, value in cast(dict[str, Any], body).items():
        if name != field:
            result[name] = _changed(value, field, change)
        elif change is not _dropped:
            result[name] = change(value)
    return result


def _defaulted(body: Any, fault: Fault) -> Any:
    if not isinstance(body, dict):
        return body
    item = cast(dict[str, Any], body)
    if len(item) == 1:
        name, value = next(iter(item.items()))
        if isinstance(value, dict):
            return {name: _defaulted(value, fault)}
    return item if item.get(fault.field) else {**item, fault.field: fault.value}


def _dropped(value: Any) -> Any:
    raise NotImplementedError


def _text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if isinstance(value, list):
            return [apply(each) for each in cast(list[Any], value)]
        return change(value) if isinstance(value, str) else value

    return apply


def _list(change: Callable[[list[Any]], list[Any]]) -> Callable[[Any], Any]:
    return lambda value: change(cast(list[Any], value)) if isinstance(value, list) else value


def _number(change: Callable[[float], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_NORMALISE: dict[str, Callable[[Any], Any]] = {
    "reverse": _list(lambda values: values[::-1]),
    "sort": _list(lambda values: sorted(values, key=str)),
    "lower": _text(str.lower),
    "upper": _text(str.upper),
    "strip": _text(str.strip),
    "collapse": _text(lambda text: " ".join(text.split())),
    "float": _number(float),
    "text": _number(str),
}
