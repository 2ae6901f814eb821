"""What can come instead of an answer, and what it says about whether the request was carried out."""

from __future__ import annotations

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError


class Answered(Failure):
    """What an answer of the system stands for."""

    status: int = 0
    """Its HTTP status; 0 where no answer came."""


class NotThere(Answered, PermanentError):
    """404, 410: there is no such thing."""


class Conflict(Answered, PermanentError):
    """409, 412: the thing exists already, or is no longer as the request expects it."""

    body: bytes = b""
    """What the system said, for callers that know how to read it."""


class Refused(Answered, PermanentError):
    """401, 403: the credentials are missing, wrong or too weak."""


class BadRequest(Answered, PermanentError):
    """400, 413, 414, 422: the system does not accept the request as it is."""


class TooLarge(PermanentError):
    """The answer has more bytes than are read."""


class Unsure(Answered, TemporaryError):
    """The request may or may not have been carried out: look before asking again."""


class Resting(TemporaryError):
    """The system has failed too often in a row and is left alone for now; nothing was sent."""
