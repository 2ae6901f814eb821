"""How a service uses databases and queues."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nthlayer_sync.model.blueprint.queues import Queues
from nthlayer_sync.model.blueprint.section import Count, Section, Span
from nthlayer_sync.model.notation import NotationError


def _role(value: str) -> str:
    if len(value.encode(errors="replace")) > 63 or not value.isprintable():
        raise NotationError("must be a name of at most 63 bytes, without control characters")
    if value in ("public", "none") or value.startswith("pg_"):
        raise NotationError("is a name that PostgreSQL keeps for itself")
    return value


RoleName = Annotated[str, Field(min_length=1, examples=["reporting"]), AfterValidator(_role)]
"""A role that exists already. Limits: https://www.postgresql.org/docs/current/sql-syntax-lexical.html."""
SchemaName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$", examples=["public"])]
"""A schema whose name needs no quotes."""


class Roles(Section):
    """What the service may do in its PostgreSQL databases, and how much of them it may use."""

    access: Literal["read-write", "read-only"]
    """Whether it changes data, or only reads."""
    search_path: SchemaName
    """The schema that its tables are in; it exists already."""
    statement_timeout: Span = Field(examples=["30s"])
    """How long one statement may run."""
    idle_timeout: Span = Field(examples=["1minute"])
    """How long a transaction may stand open with nothing to do."""
    connections: Annotated[Count, Field(ge=1, le=10_000)]
    """How many sessions it may have at the same time, all its copies together."""
    readers: tuple[RoleName, ...] = Field(examples=[["reporting"]])
    """Roles of other services and of people that may read its data."""
    migrators: tuple[RoleName, ...] = Field(examples=[["payments_pipeline"]])
    """Roles that may act as the owner, to change its tables."""


class Data(Section):
    """How the service uses databases and queues."""

    postgresql: Roles
    """What it may do in its PostgreSQL databases, and how much of them it may use."""
    queues: Queues
    """Queues that it reads from."""
