"""What the answers of several resources are made of."""

from __future__ import annotations

import msgspec
from pydantic import BaseModel, ConfigDict

from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Place


class Shown(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Spot(Shown):
    """Where something stands: a repository or account, and a path or object in it."""

    root: str
    path: str

    @classmethod
    def of(cls, place: Place | None) -> Spot | None:
        """A place as it is answered; None for none."""
        return cls(root=place.root, path=place.path) if place and place.path else None


class Finding(Shown):
    """One thing that is wrong, or worth knowing."""

    code: str
    """What sort of finding it is; the same word for ever."""
    severity: Severity
    message: str
    entity: str
    """The entity it is about, empty where it is about none."""
    field: str
    file: str
    line: int
    """Counts from 1; 0 is unknown."""
    column: int
    found: str
    """What stands there, shortened."""
    allowed: tuple[str, ...]

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> Finding:
        """A diagnosis as it is answered."""
        return cls.model_validate(msgspec.structs.asdict(diagnosis))
