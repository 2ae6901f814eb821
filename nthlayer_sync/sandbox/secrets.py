"""The secrets among the settings of a tool, which open nothing but the sandbox, and never stand in settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

_NAMES = frozenset({"api_key", "application_key", "token"})


def kept_apart(settings: Mapping[str, Any], keep: Callable[[str, str], str]) -> dict[str, Any]:
    """The settings with what `keep` says in place of each secret; it gets the name of the setting and the secret."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found[name] = kept_apart(cast("dict[str, Any]", value), keep)
        else:
            found[name] = keep(name, value) if name in _NAMES else value
    return found
