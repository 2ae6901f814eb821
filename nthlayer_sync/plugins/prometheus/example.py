"""Example values for a label matcher, for tests: one that it takes and one that it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.units import Matcher

USUAL = ("200", "500", "OK", "error", "success", "failure", "true", "false", "0", "1", "13", "other")
"""Values that labels of requests often have."""
_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": " ", "S": "a"}


def examples(matcher: Matcher) -> tuple[str, str]:
    """A label value that `matcher` takes and one that it does not; PermanentError when none is found."""
    known = [*USUAL, *_near(matcher.value)]
    taken = next((value for value in known if value and takes(matcher, value)), None)
    refused = next((value for value in (*USUAL, matcher.value + "x") if not takes(matcher, value)), None)
    if taken is None or refused is None:
        raise PermanentError(f"observability.metrics.errors: no example of a value is found for {matcher}")
    return taken, refused


def takes(matcher: Matcher, value: str) -> bool:
    """Whether a label of this value is matched; regular expressions match whole values."""
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) == (matcher.operator == "=")
    return bool(re.fullmatch(matcher.value, value, re.DOTALL)) == (matcher.operator == "=~")


def _near(pattern: str) -> Iterator[str]:
    """The pattern itself, and texts that its alternatives are likely to match."""
    yield pattern
    for alternative in re.split(r"[|]", pattern.replace("(?:", "(").replace("(?i)", "")):
        text = re.sub(r"\\([dwsDWS])", lambda found: _CLASSES[found[1]], alternative)
        text = re.sub(r"\[\^[^\]]*\]", "~", text)
        text = re.sub(r"\[(.)[^\]]*\]", r"\1", text)
        text = re.sub(r"(?<!\\)([.])", "0", text)
        text = re.sub(r"(.)\{(\d+)[^}]*\}", lambda found: found[1] * int(found[2]), text)
        yield re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)[()?*+^$]", "", text))
