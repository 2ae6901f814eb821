"""The words that decide what happens after a failure.

    Failure
    ├── TemporaryError      try again later: the network, a moved branch, a locked file
    └── PermanentError      trying again cannot help: a person has to change something
        └── InputError      what a person wrote is wrong; carries its diagnoses

Anything else that is raised is a bug: it stops the one config it happened in, and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nthlayer_sync.model.diagnosis import Diagnosis


class Failure(Exception):
    """Something outside the program's control went wrong."""

    def __str__(self) -> str:
        return super().__str__() or (self.__doc__ or "").splitlines()[0]


class TemporaryError(Failure):
    """The operation may succeed when tried again after `delay` seconds."""

    def __init__(self, message: str = "", *, delay: float = 60.0) -> None:
        super().__init__(message)
        self.delay = delay


class PermanentError(Failure):
    """The operation cannot succeed until a person changes something."""


class InputError(PermanentError):
    """What a person wrote cannot be used."""

    def __init__(self, message: str = "", diagnoses: tuple[Diagnosis, ...] = ()) -> None:
        super().__init__(message)
        self.diagnoses = diagnoses
