"""Which queues a service has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nthlayer_sync.model.blueprint.section import Count, Section, Span

QueueName = Annotated[str, Field(max_length=31, pattern=r"^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$", examples=["orders"])]
"""What one queue of the service is called."""


class Queues(Section):
    """Queues that the service reads from, and what becomes of messages that nobody can handle."""

    names: tuple[QueueName, ...] = Field(examples=[["orders", "refunds"]])
    """What they are called; the name of the service goes before it."""
    retention: Span = Field(examples=["4days"])
    """How long a message waits to be read."""
    visibility: Span = Field(examples=["30s"])
    """How long a reader has for a message before another one gets it."""
    attempts: Annotated[Count, Field(ge=1, le=1000)]
    """How often a message is given out before it goes to the dead letters."""
    dead_letters: Span = Field(examples=["14days"])
    """How long dead letters are kept."""
