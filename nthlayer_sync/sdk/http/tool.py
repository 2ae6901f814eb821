"""Asks one system: with manners, again where that helps and does no harm, and with failures that say what to do."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Protocol, runtime_checkable

import msgspec

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.http.breaker import Breaker
from nthlayer_sync.sdk.http.call import Answer, Call
from nthlayer_sync.sdk.http.errors import Conflict, Refused, Resting, Unsure
from nthlayer_sync.sdk.http.manners import Clock, Manners
from nthlayer_sync.sdk.http.pace import Pace
from nthlayer_sync.sdk.http.text import on_one_line, said, without
from nthlayer_sync.sdk.http.verdict import asked_delay, failure, is_limit
from nthlayer_sync.sdk.lease import check_lease
from nthlayer_sync.sdk.redact import redacted

Authorize = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives the headers that let a request in. It is called for each request; what it gives is neither kept nor logged.

When it has a method `forget`, that is called after a 401 or 403, so that it looks its secret up anew.
"""
Send = Callable[[str, str, Mapping[str, str], bytes | None, Manners], Awaitable[Answer]]
"""Sends method, address, headers and body within the bounds of the manners; see `line`."""


@runtime_checkable
class Renewable(Protocol):
    """An `Authorize` that remembers its secret for a while."""

    def forget(self) -> None:
        """Look the secret up anew at the next request."""
        ...


class Facts(msgspec.Struct, frozen=True):
    """How a tool stands: requests sent, those refused as too many, its present rate (a second) and its breaker."""

    requests: int
    limited: int
    rate: float
    breaker: Literal["closed", "open", "half-open"]
    budget: float
    """The present rate as a share of what the manners allow: 1 while the system refuses nothing."""


@dataclass(frozen=True)
class Reach:
    """What a tool needs of this process: a way to send, and a clock to wait by."""

    send: Send
    clock: Clock


class _Request(msgspec.Struct, frozen=True):
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


class Tool:
    """One system. Get one from `Web.tool`; it may be used by many tasks at once."""

    def __init__(self, name: str, url: str, authorize: Authorize, manners: Manners, reach: Reach) -> None:
        self.name = name
        self.url = url
        self._authorize = authorize
        self._manners = manners
        self._reach = reach
        self._slots = asyncio.Semaphore(manners.at_once)
        self._pace = Pace(manners, reach.clock)
        self._breaker = Breaker(manners.trip, manners.rest)
        self._requests = 0
        self._limited = 0

    @property
    def facts(self) -> Facts:
        """How the tool stands now."""
        state = self._breaker.state(self._reach.clock.now())
        usual = self._manners.rate
        budget = self._pace.rate / usual if usual < math.inf else 1.0
        return Facts(self._requests, self._limited, self._pace.rate, state, budget)

    async def ask(self, call: Call) -> Answer:
        """The answer to a call: 2xx, or 304 to one that came with `If-None-Match`. Everything else raises.

        A call that may be repeated is, up to `Manners.tries`; another one only when it was certainly not carried out.
        Unsure means that it may have been. A TemporaryError says in `delay` when to come again.
        """
        said_of = f"{self.name}: {call.method} {call.path[:200]}"
        if self._manners.read_only and not call.is_reading():
            raise PermanentError(f"{said_of}: only reading is allowed here")
        request = self._request(call)
        repeatable = call.may_repeat()
        try:
            return await self._insist(request, repeatable)
        except TemporaryError as error:
            # What may be repeated may be so later as well: nobody has to look first.
            kind = TemporaryError if repeatable and isinstance(error, Unsure) else type(error)
            raise _told(kind, said_of, error) from None
        except PermanentError as error:
            raise _told(type(error), said_of, error) from None

    def _request(self, call: Call) -> _Request:
        body, content_type = call.body()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        headers.update(call.headers)
        return _Request(call.method, self.url + call.target(), headers, body)

    async def _insist(self, request: _Request, repeatable: bool) -> Answer:
        refused = False
        attempt = 1
        while True:
            try:
                return await self._once(request)
            except Refused:
                # The secret may have been renewed since it was looked up; once is enough to find out.
                if refused:
                    raise
                refused = True
                if isinstance(self._authorize, Renewable):
                    self._authorize.forget()
            except Resting:
                raise
            except TemporaryError as error:
                certain = repeatable or not isinstance(error, Unsure)
                if not certain or attempt >= self._manners.tries or error.delay > self._manners.longest_wait:
                    raise
                # Full jitter: many callers that failed together do not come back together.
                await self._reach.clock.sleep(error.delay + _jitter(self._manners.pause * 2 ** (attempt - 1)))
                attempt += 1

    async def _once(self, request: _Request) -> Answer:
        self._check_breaker()
        async with self._slots:
            self._check_breaker()
            sent = await self._pace.turn()
            credentials = await self._authorize()
            self._check_breaker()
            answer = await self._send(request, credentials)
        if answer.status < 300 or (answer.status == 304 and "If-None-Match" in request.headers):
            self._pace.accepted()
            return answer
        delay = asked_delay(answer.headers)
        if is_limit(answer):
            self._limited += 1
            delay = delay or _jitter(self._manners.pause)
            self._pace.refused(sent, delay + _jitter(self._manners.pause))
        text = without(said(answer.headers, answer.body), credentials)
        error = failure(
            answer, f"HTTP {answer.status} {_phrase(answer.status)}: {on_one_line(text)}".rstrip(": "), delay
        )
        if isinstance(error, Conflict):
            error.body = answer.body
        raise error

    async def _send(self, request: _Request, credentials: Mapping[str, str]) -> Answer:
        if request.method not in ("GET", "HEAD"):
            check_lease()  # it may have waited for its turn, or the whole process may have stood still
        self._requests += 1
        self._breaker.went()
        headers = {**request.headers, **credentials}
        try:
            answer = await self._reach.send(request.method, request.url, headers, request.body, self._manners)
        except TemporaryError:
            self._breaker.failed(self._reach.clock.now())
            raise
        except BaseException:
            self._breaker.cancelled()
            raise
        if answer.status >= 500:
            self._breaker.failed(self._reach.clock.now())
        else:
            self._breaker.succeeded()
        return answer

    def _check_breaker(self) -> None:
        if wait := self._breaker.wait(self._reach.clock.now()):
            raise Resting(f"it failed too often in a row; it is tried again in {wait:.0f} s", delay=wait)


def _told(kind: type[Failure], said_of: str, error: Failure) -> Failure:
    """The error with what was asked in front of its text, and all else that it carries."""
    told = kind(redacted(f"{said_of}: {error}"))
    told.__dict__ |= error.__dict__
    return told


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _jitter(mean: float) -> float:
    return random.uniform(0, 2 * mean)  # noqa: S311
