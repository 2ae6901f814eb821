"""What Slack's methods have in common."""

from __future__ import annotations

from typing import Any, cast

from nthlayer_sync.sandbox.tool import Call

TEAM = "T0SANDBOX1"


BOT = "U0SANDBOX1"


def argument(call: Call, name: str) -> str:
    """An argument, in the body or in the query, as text."""
    value: Any = call.fields().get(name, call.asked(name))
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, cast(list[Any], value))) if isinstance(value, list) else str(value)


def listed(text: str) -> list[str]:
    """The parts of a list in one argument."""
    return [part for part in text.split(",") if part]
