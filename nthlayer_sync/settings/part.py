"""What all parts of the settings file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """One map of the settings file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
