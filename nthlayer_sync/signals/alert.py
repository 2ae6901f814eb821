"""What an alert is, before any vendor's notation."""

from __future__ import annotations

from typing import Literal

import msgspec

from nthlayer_sync.model.ref import EntityRef

Unit = Literal["", "share", "seconds", "per second", "count"]
"""How the value of an expression is read; "" when it says nothing."""


class Query(msgspec.Struct, frozen=True):
    """A question to ask Prometheus first, and the PromQL that answers it."""

    title: str
    expr: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert: when it fires, and what a person needs who is told. All texts are plain and unescaped.

    `name` is the same for alerts that ask for the same steps (the rows of one burn table); `labels` tell them apart and
    come on top of the service's own. `about` is the dependency it concerns, None for the service itself.
    """

    name: str
    expr: str
    hold: int = 0
    """How long `expr` must give a value before the alert fires, in milliseconds."""
    severity: Literal["page", "ticket"]
    labels: dict[str, str] = {}
    unit: Unit = ""
    """How the value of `expr` is read."""
    summary: str
    """One sentence."""
    meaning: str
    """What it says about the service and its users."""
    look: tuple[Query, ...] = ()
    """What to look at first."""
    causes: tuple[str, ...] = ()
    """What is likely behind it, most likely first."""
    remedy: tuple[str, ...] = ()
    """Steps that help, in order."""
    about: EntityRef | None = None
    runbook: str = ""
    """Page that says what to do; "" is the service's generated runbook."""
