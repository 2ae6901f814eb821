"""How a live object shows that it is ours: a mark that names the installation and the object's key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol, cast

WORD = "nthlayer-sync"
_MARK = re.compile(rf"{WORD}:([a-z0-9-]+):(\S+)")


def mark_of(instance: str, key: str) -> str:
    """The mark of one object; spaces in the key are written as `+`, which no key has."""
    return f"{WORD}:{instance}:{key.replace(' ', '+')}"


def read_mark(text: str) -> tuple[str, str] | None:
    """The installation and the key that a mark names; None where `text` is no mark."""
    found = _MARK.fullmatch(text)
    return (found[1], found[2].replace("+", " ")) if found else None


class Mark(Protocol):
    """Where the objects of one collection have room for a mark."""

    def put(self, body: dict[str, Any], mark: str) -> None:
        """Write it into what is sent."""
        ...

    def take(self, body: dict[str, Any]) -> str:
        """Take it out of what is live, which then is as people see it; "" when there is none."""
        ...


@dataclass(frozen=True)
class InText:
    """In the last line of a text that people read."""

    field: str = "description"

    def put(self, body: dict[str, Any], mark: str) -> None:
        """Behind the text, in brackets."""
        text = str(body.get(self.field) or "")
        body[self.field] = f"{text}\n\n[{mark}]" if text else f"[{mark}]"

    def take(self, body: dict[str, Any]) -> str:
        """The last line, where it is a mark."""
        text = body.get(self.field)
        if not isinstance(text, str):
            return ""
        before, _, last = text.rstrip().rpartition("\n")
        if not (last.startswith("[") and last.endswith("]") and read_mark(last[1:-1])):
            return ""
        body[self.field] = before.rstrip()
        return last[1:-1]


@dataclass(frozen=True)
class InTags:
    """As one of its tags or labels, which are a list of strings."""

    field: str = "tags"

    def put(self, body: dict[str, Any], mark: str) -> None:
        """The last tag."""
        body[self.field] = [*(body.get(self.field) or ()), mark]

    def take(self, body: dict[str, Any]) -> str:
        """The first tag that is a mark."""
        tags = body.get(self.field)
        if not isinstance(tags, list):
            return ""
        tags = cast("list[Any]", tags)
        marks = [tag for tag in tags if isinstance(tag, str) and read_mark(tag)]
        body[self.field] = [tag for tag in tags if tag not in marks]
        return marks[0] if marks else ""
