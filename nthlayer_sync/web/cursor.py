"""Where the next page of a list begins: opaque to clients, and a bad one is refused."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from nthlayer_sync.web.problem import Refusal, refused_value

T = TypeVar("T")

VERSION = 1
"""Goes up when the meaning of cursors changes; those of before are refused."""


def after(of: str, last: object) -> str:
    """The cursor of what follows `last` in the list `of`. It is no secret, and gives no right to anything."""
    return urlsafe_b64encode(msgspec.json.encode((VERSION, of, last))).decode().rstrip("=")


def read(of: str, cursor: str, shape: type[T]) -> T | None:
    """What `after` was given; None for "", the first page. A cursor of another list or time is a Refusal."""
    if not cursor:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        version, list_, last = msgspec.json.decode(text, type=tuple[int, str, shape])
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        raise _refused() from None
    if (version, list_) != (VERSION, of) or b"\\u0000" in text:  # no store takes NUL in a text
        raise _refused()
    return last


def _refused() -> Refusal:
    return refused_value("query", "cursor", "this is no cursor of this list; begin again without one")
