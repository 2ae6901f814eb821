"""What the tests of on-call plugins share: teams of the sandbox's people, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nthlayer_sync.model.service import Team
from nthlayer_sync.sdk.testing import team_from

CHANGES = (
    ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2027, 3, 28, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 3, 14, tzinfo=UTC)),
)
"""Days on which clocks are put back or forward."""


class Clock:
    """The time of day, for the target and for the sandbox."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def crew(
    *names: str, holidays: Mapping[str, str] | None = None, timezone: str = "Europe/Berlin", **blueprint: Any
) -> Team:
    """A team of people who have an account in the sandbox."""
    people: Sequence[dict[str, Any]] = [
        {
            "ref": f"user:default/{name}",
            "name": name.title(),
            "email": f"{name}@example.com",
            "timezone": timezone,
            "holidays": (holidays or {}).get(name, ""),
            "badges": ["team-lead"] if name == names[0] else [],
        }
        for name in names
    ]
    contact = {"ref": "group:default/payments-team", "name": "payments-team", "people": people}
    on_call = {"follow_the_sun": {"enabled": False}, **blueprint.pop("on_call", {})}
    return team_from({"contact": contact, "blueprint": {"incident": {"on_call": on_call, **blueprint}}})
