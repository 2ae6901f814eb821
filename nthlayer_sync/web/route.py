"""One thing that can be asked for over HTTP, and what its handler is given. The API is a table of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from aiohttp import web

    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.daemon.person import Person
    from nthlayer_sync.settings.serve import Role

T = TypeVar("T")
B = TypeVar("B", bound=BaseModel)

MOST = 500
"""Entries of one page of a list."""
LONGEST = 500
"""Characters of one placeholder's value."""


class Query(BaseModel):
    """Base of what can be asked behind the `?`; other parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(Query):
    """The parameters of every list."""

    cursor: str = Field(default="", max_length=1024, description="`next` of the page before; the first page without.")
    limit: int = Field(default=100, ge=1, le=MOST, description="Entries of a page.")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    next: str | None = Field(default=None, description="Cursor of the next page; null on the last.")


@dataclass(frozen=True)
class Encoded:
    """An answer that is bytes already, such as one that is kept between requests."""

    body: bytes
    media_type: str = "application/json"
    etag: str = ""
    """As `etags.of` gives it; made of the body where it is left out."""


Answer = BaseModel | Encoded | None
"""What a handler gives: None is an answer without a body."""


@dataclass(frozen=True)
class Context:
    """What a handler is given. Everything in it has been checked against the route."""

    daemon: Daemon
    person: Person
    request: web.Request
    """For what streams its answer, and for headers of its own."""
    path: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of the placeholders in the path; texts of up to `LONGEST` characters without NUL."""
    query: BaseModel | None = None
    body: BaseModel | None = None

    def asked(self, model: type[B]) -> B:
        """The query, as the route's `query`."""
        return _of(self.query, model)

    def sent(self, model: type[B]) -> B:
        """The body, as the route's `body`."""
        return _of(self.body, model)


Handler = Callable[[Context], "Awaitable[Answer | web.StreamResponse]"]
"""Answers one request. A `StreamResponse` goes out as it is: without ETag."""


@dataclass(frozen=True)
class Route:
    """One thing that can be asked for. The name of the handler is its operation's id: it has to be the only one."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    """With placeholders, each for one segment: `/api/v1/entities/{ref}`."""
    summary: str
    """One line for people; the handler's docstring says more."""
    answer: type[BaseModel] | None
    """The model of the answer's JSON; None where it has no body, or is no JSON."""
    handler: Handler
    tag: str
    role: Role | None = "viewer"
    """The least role that may ask; None lets everybody in, also without a login."""
    query: type[Query] | None = None
    body: type[BaseModel] | None = None
    status: int = 200
    media_type: str = "application/json"
    """Of the answer."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Request headers that the handler reads, each with what it is for."""

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__

    @property
    def has_etag(self) -> bool:
        """Whether its answers have an ETag: those to GET that come whole."""
        return self.method == "GET" and self.status == 200 and self.media_type != "text/event-stream"

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the placeholders in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


def _of(value: BaseModel | None, model: type[B]) -> B:
    if not isinstance(value, model):
        raise TypeError(f"the route takes no {model.__name__}")
    return value
