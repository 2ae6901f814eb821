"""One system that tells us of changes: how it proves itself, and what its deliveries mean for the work set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from nthlayer_sync.model.run import Event
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.schemes import Headers, Scheme
from nthlayer_sync.web.problem import Refusal

T = TypeVar("T")

LONGEST = 200
"""Characters of a value from outside in the text of an event."""


@dataclass(frozen=True)
class Delivery:
    """What was sent, once it is proven; `at` is when it came, in seconds since 1970."""

    headers: Headers
    body: bytes
    at: float

    def read(self, shape: type[T]) -> T:
        """The body, of which only what `shape` names is looked at; Refusal where it has another shape."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except msgspec.ValidationError as error:
            raise Refusal(400, f"the body does not fit: {error}") from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise Refusal(400, "the body is not JSON, or too deep to be read") from None


@dataclass(frozen=True)
class Asks:
    """What a delivery means: what is to be looked at, by topic, and what is to be told."""

    keys: Mapping[Topic, Collection[str]] = field(default_factory=dict[Topic, Collection[str]])
    events: tuple[Event, ...] = ()


NOTHING = Asks()


@dataclass(frozen=True)
class Hook:
    """One system, by its name in the settings and in the address."""

    name: str
    scheme: Scheme
    asks: Callable[[Delivery, Landscape], Asks]
    """What a delivery means; raises Refusal where its body has another shape than it should."""


def quoted(text: str) -> str:
    """A value from outside as part of a sentence: short, and on one line."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: 2 * LONGEST]).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
