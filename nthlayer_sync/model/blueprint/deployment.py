"""How a new version of a service reaches its users."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator
from pydantic import ValidationInfo as Info

from nthlayer_sync.model.blueprint.section import Count, Flag, Section, Zone, vocabulary
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.units import Duration

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class WeeklyHours(Section):
    """The same hours on some days of the week."""

    days: tuple[Day, ...] = Field(min_length=1)
    """Days of the week."""
    hours: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["09:00-17:00"])
    """First and last minute of the day, as `09:00-17:00`; the end lies after the start."""
    timezone: Zone
    """Name in the IANA time zone database."""

    @property
    def opens(self) -> int:
        """Minutes after midnight at which it opens."""
        return int(self.hours[:2]) * 60 + int(self.hours[3:5])

    @property
    def closes(self) -> int:
        """Minutes after midnight at which it closes, at most 1440."""
        return int(self.hours[6:8]) * 60 + int(self.hours[9:])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("a window ends after it starts, on the same day")
        return self


class Window(WeeklyHours):
    """A time of the week. People write its name; the tier table says what it means."""

    name: str
    """What a blueprint calls it."""


def _named_window(value: Any, info: Info) -> Any:
    known = vocabulary(info, "windows")
    if known is None or not isinstance(value, str):
        return value
    if value not in known:
        raise NotationError("unknown window", allowed=tuple(known))
    return known[value]


NamedWindow = Annotated[Window, BeforeValidator(_named_window), WithJsonSchema({"type": "string"})]
"""A window by its name in the tier table."""


class Deployment(Section):
    """How a new version reaches its users."""

    strategy: Literal["rolling", "canary", "blue-green"]
    """How the new version takes over."""
    canary_percent: tuple[Annotated[int, Field(strict=True, ge=1, le=100)], ...] = Field(examples=[[10, 50, 100]])
    """Share of traffic on the new version at each step, rising to 100."""
    bake: Duration = Field(examples=["15minutes"])
    """How long each step is watched before the next."""
    windows: NamedWindow = Field(examples=["business-hours-only", "always"])
    """When deployments may happen: the name of a window in the tier table."""
    approvals: Count
    """How many people must approve a deployment to production."""
    checks: tuple[Literal["tests", "lint", "security-scan", "load-test"], ...]
    """What a pipeline must pass before it deploys."""
    rollback: Flag
    """Whether a failing version is taken back without asking."""

    @field_validator("canary_percent")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[-1] != 100 or list(value) != sorted(set(value)):
            raise NotationError("the steps rise and end at 100, such as [10, 50, 100]")
        return value
