"""What a system says, made fit for a message."""

from __future__ import annotations

from collections.abc import Mapping

from nthlayer_sync.sdk.redact import REMOVED, SHORTEST

LONGEST = 300
"""Characters of what a system says."""


def on_one_line(text: str, limit: int = LONGEST) -> str:
    """The text without control characters, and not endless."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 4]).split())
    return f"{text[:limit]}…" if len(text) > limit else text


def said(headers: Mapping[str, str], body: bytes) -> str:
    """What the body of a refusal says; "" when that is a page for a browser."""
    return "" if "html" in headers.get("Content-Type", "") else body.decode(errors="replace")


def without(text: str, credentials: Mapping[str, str]) -> str:
    """The text with the value of every credential taken out, with and without what stands before it, such as Bearer."""
    values = {part for value in credentials.values() for part in (value, value.rpartition(" ")[2])}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, REMOVED)
    return text
