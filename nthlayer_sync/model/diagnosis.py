"""What is wrong with something a person wrote, and where."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a diagnosis matters: an error stops the thing it names, a warning and a note stop nothing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding: a stable `code`, a sentence for people, and the place as exactly as it is known.

    `line` and `column` count from 1; 0 means unknown. `field` is a dotted path inside the entity or document.
    `found` is what stands there (shortened), `allowed` what could stand there instead.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    file: str = ""
    line: int = 0
    column: int = 0
    entity: str = ""
    field: str = ""
    found: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """`file:line:column` as far as known."""
        if not self.file:
            return self.entity
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        where = "" if not self.file and self.message.startswith(f"{self.entity} ") else self.where
        parts = [f"{where}: " if where else "", self.message]
        if self.found:
            parts.append(f" (found {self.found!r})")
        if self.allowed and not self._allowed_is_said:
            parts.append(f"; allowed: {', '.join(self.allowed)}")
        return "".join(parts)

    @property
    def _allowed_is_said(self) -> bool:
        """Whether the message itself names the one thing that is allowed."""
        return len(self.allowed) == 1 and f" {self.allowed[0]} " in f" {self.message.replace(',', ' ')} "
