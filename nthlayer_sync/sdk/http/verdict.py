"""What a status other than 2xx means: which failure it is, and when to come again (RFC 9110, 15 and 10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.http.call import Answer
from nthlayer_sync.sdk.http.errors import Answered, BadRequest, Conflict, NotThere, Refused, Unsure

LONGEST_DELAY = 3600.0
"""Seconds: a system that asks to be left alone for longer is asked again after that."""
_MEANINGS: Mapping[int, type[PermanentError]] = {
    400: BadRequest,
    401: Refused,
    403: Refused,
    404: NotThere,
    409: Conflict,
    410: NotThere,
    412: Conflict,
    413: BadRequest,
    414: BadRequest,
    422: BadRequest,
}
_WAITS = ("Retry-After", "RateLimit-Reset", "X-RateLimit-Reset")
_EPOCH = 1e8
"""Seconds: from here on a number is a moment, counted from 1970, and no delay."""


def is_limit(answer: Answer) -> bool:
    """Whether the system says that we ask too often; GitHub says so with 403."""
    headers = answer.headers
    return answer.status == 429 or (
        answer.status == 403 and ("Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0")
    )


def failure(answer: Answer, text: str, delay: float) -> Failure:
    """The failure that an answer stands for, with `text`; `delay` is for those that may pass."""
    status = answer.status
    if is_limit(answer) or status == 425 or (status == 503 and "Retry-After" in answer.headers):
        return TemporaryError(text, delay=delay)
    if 300 <= status < 400:
        return PermanentError(f"{text}; redirects are not followed: give the final address in the settings")
    unsure = status >= 500 or status == 408
    error = Unsure(text, delay=delay) if unsure else _MEANINGS.get(status, PermanentError)(text)
    if isinstance(error, Answered):
        error.status = status
    return error


def asked_delay(headers: Mapping[str, str]) -> float:
    """Seconds that the answer asks to wait, no more than `LONGEST_DELAY`; 0 when it asks for nothing sensible."""
    for name in _WAITS:
        if text := headers.get(name, "").strip():
            return min(max(_delay(text, headers), 0.0), LONGEST_DELAY)
    return 0.0


def _delay(text: str, headers: Mapping[str, str]) -> float:
    now = _moment(headers.get("Date", "")) or datetime.now(UTC).timestamp()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        number = float(text[:20])
        # 1e9 as a delay is as absurd as it is as a moment: both are in the past, and then nothing is asked for.
        return number - now if number > _EPOCH else number
    moment = _moment(text)
    return moment - now if moment else 0.0


def _moment(text: str) -> float | None:
    """A date by its server's clock, so that ours need not agree with it."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
