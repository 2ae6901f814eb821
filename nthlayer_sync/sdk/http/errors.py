"""What can come instead of an answer, and what it says about whether the request was carried out."""

from __future__ import annotations

from nthlayer_sync.errors import PermanentError, TemporaryError


class NotThere(PermanentError):
    """404, 410: there is no such thing."""


class Conflict(PermanentError):
    """409, 412: the thing exists already, or is no longer as the request expects it."""

    body: bytes = b""
    """What the system said, for callers that know how to read it."""


class Refused(PermanentError):
    """401, 403: the credentials are missing, wrong or too weak."""


class BadRequest(PermanentError):
    """400, 413, 414, 422: the system does not accept the request as it is."""


class TooLarge(PermanentError):
    """The answer has more bytes than are read."""


class Unsure(TemporaryError):
    """The request may or may not have been carried out: look before asking again."""


class Resting(TemporaryError):
    """The system has failed too often in a row and is left alone for now; nothing was sent."""
