"""What one vendor's stand-in consists of: collections, routes, who may call, how it refuses."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias, cast
from urllib.parse import unquote

from nthlayer_sync.sandbox.collection import Collection, Item, Shape, Touched
from nthlayer_sync.sandbox.faults import Faults
from nthlayer_sync.sandbox.ids import IdMaker, uuid
from nthlayer_sync.sandbox.references import References


@dataclass(slots=True)
class Call:
    """One request, as handlers see it.

    Attributes:
        method: The method.
        path: The path, percent-encoded as it came.
        params: The parts of the path that the route names, decoded.
        query: The query, every value of a name.
        headers: The headers, looked up whatever their case.
        body: The decoded JSON or form; None when there was none.
    """

    method: str
    path: str
    params: dict[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any = None

    def asked(self, name: str, default: str = "") -> str:
        """The first value of a name in the query."""
        values = self.query.get(name)
        return values[0] if values else default

    def fields(self) -> Item:
        """The body as an object; empty when it is none."""
        body: Any = self.body
        return cast(Item, body) if isinstance(body, dict) else {}

    def number(self, name: str, default: int) -> int:
        """A whole number in the query; the default for anything that is none."""
        value = self.asked(name)
        return int(value) if value.isdecimal() and len(value) < 10 else default


@dataclass(slots=True)
class Reply:
    """An answer: `body` goes out as JSON, bytes as they are, None as nothing."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the tool's own answer to it, as they went over the wire.

    Attributes:
        tool: Whose it is.
        method: The method.
        path: The path, percent-encoded, without the query.
        query: The query as it came.
        headers: The request's headers.
        body: The request's body.
        reply: The answer, with its body encoded.
    """

    tool: Tool
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    reply: Reply


class Limit(NamedTuple):
    """So many requests a second (0 is no limit), `burst` of them at once; requests with the same `key` share it."""

    key: str
    rate: float
    burst: float


class RefusalError(Exception):
    """A request that the tool refuses; `reply` is how it says so."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


Handler: TypeAlias = Callable[[Call], Reply]


@dataclass(slots=True)
class _Branch:
    named: dict[str, _Branch] = field(default_factory=dict[str, "_Branch"])
    any: _Branch | None = None
    handlers: dict[str, tuple[Handler, tuple[str, ...]]] = field(
        default_factory=dict[str, tuple[Handler, tuple[str, ...]]]
    )


class Tool:
    """A vendor's stand-in. A subclass declares the vendor; `serve` in it makes the resources.

    Attributes:
        name: What it is called in settings and in the ledger.
        host: The vendor's own base address, which `url` takes the place of.
        base: The path that the base address of the vendor's clients ends in.
        token: The secret that it accepts.
        forms: Whether bodies may come as forms.
        etags: Whether reads carry an `ETag` and `If-None-Match` is answered.
    """

    name = ""
    host = ""
    base = ""
    token = ""
    forms = False
    etags = False

    def __init__(self, seed: str, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.now = now
        self.port = 0
        self.rate = 0.0
        """Requests a second that are answered; 0 is no limit."""
        self.faults = Faults()
        self.watch: Callable[[Exchange], None] | None = None
        """Is told of every request and answer, but for answers that a fault made up."""
        self.collections: dict[str, Collection] = {}
        self.references = References()
        self.touched: list[Touched] = []
        """What the request in hand has changed so far."""
        self._routes = _Branch()
        self._lag = 0.0
        self.serve()

    # What a vendor declares.

    def serve(self) -> None:
        """Make the collections and routes."""
        raise NotImplementedError

    def seed_people(self) -> None:
        """Fill in the sample organisation, as far as the tool knows people and teams."""

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """Whether the caller may call at all."""
        return headers.get("Authorization") == f"Bearer {self.token}"

    def refused(self, status: int, *messages: str) -> Reply:
        """The vendor's error shape."""
        return Reply(status, {"message": "; ".join(messages)})

    def unauthorised(self) -> Reply:
        """The answer to a caller without the right secret."""
        return self.refused(401, "Unauthorized")

    def limited(self, wait: int) -> Reply:
        """The answer to a caller that is too fast; `wait` is in seconds."""
        reply = self.refused(429, "Too Many Requests")
        reply.headers["Retry-After"] = str(wait)
        return reply

    def ids(self, name: str) -> IdMaker:
        """The form of ids, for collections that have no form of their own."""
        return uuid(f"{self.seed}/{self.name}/{name}")

    def limit(self, path: str) -> Limit:
        """The limit that a request falls under."""
        return Limit("", self.rate, max(self.rate, 1.0))

    def is_write(self, method: str, path: str) -> bool:
        """Whether a request means to change something."""
        return method not in ("GET", "HEAD", "OPTIONS")

    # What every tool has.

    @property
    def url(self) -> str:
        """The base address, as the vendor's clients take it."""
        return f"http://127.0.0.1:{self.port}{self.base}"

    @property
    def lag(self) -> float:
        """Seconds until what was created shows in lists."""
        return self._lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._lag = seconds
        for collection in self.collections.values():
            collection.lag = seconds

    def collection(self, shape: Shape) -> Collection:
        """A new collection of this tool."""
        made = Collection(shape, self.clock, self.touched.append)
        made.lag = self._lag
        self.collections[shape.name] = made
        return made

    def route(self, method: str, path: str, handler: Handler) -> None:
        """Answer a method and path with `handler`; `{name}` in the path stands for one part."""
        branch = self._routes
        names: list[str] = []
        for part in path.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                branch.any = branch.any or _Branch()
                branch = branch.any
            else:
                branch = branch.named.setdefault(part, _Branch())
        branch.handlers[method] = (handler, tuple(names))

    def matched(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """The handler of a request and what its path names; None when there is none."""
        parts = [unquote(part) if "%" in part else part for part in path.strip("/").split("/")]
        found = self._matched(self._routes, parts, 0, method, [])
        if found is None:
            return None
        (handler, names), values = found
        return handler, dict(zip(names, values, strict=True))

    def _matched(
        self, branch: _Branch, parts: list[str], at: int, method: str, values: list[str]
    ) -> tuple[tuple[Handler, tuple[str, ...]], list[str]] | None:
        if at == len(parts):
            found = branch.handlers.get(method)
            return (found, values) if found else None
        named = branch.named.get(parts[at])
        if named is not None and (found := self._matched(named, parts, at + 1, method, values)):
            return found
        if branch.any is not None and parts[at]:
            return self._matched(branch.any, parts, at + 1, method, [*values, parts[at]])
        return None

    def refuse(self, status: int, *messages: str) -> RefusalError:
        """The error to raise for a request that is refused."""
        return RefusalError(self.refused(status, *messages))

    def time(self) -> str:
        """The time now, as most vendors write it."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def snapshot(self) -> dict[str, list[Item]]:
        """Every object, by collection."""
        return {name: list(collection.everything()) for name, collection in self.collections.items()}

    def wipe(self, collection: str = "") -> None:
        """Forget every object of one collection, or of all."""
        for name in [collection] if collection else self.collections:
            self.collections[name].clear()
        if not collection:
            self.references.clear()

    def settings(self) -> dict[str, Any]:
        """What to write in settings to use this tool, secrets included; see `kept_apart`."""
        return {"url": self.url, "token": self.token}


def basic(headers: Mapping[str, str], token: str) -> bool:
    """Whether HTTP basic authentication names any user and this password."""
    scheme, _, coded = headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(coded).decode().partition(":")
    except ValueError:
        return False
    return scheme == "Basic" and bool(user) and password == token
