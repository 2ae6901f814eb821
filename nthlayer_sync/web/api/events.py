"""Events as they happen, as a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).

They are read from the store, so any replica tells those of all, and a client goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from aiohttp import web
from pydantic import Field

from nthlayer_sync.model.run import Event
from nthlayer_sync.web.api.asked import LARGEST
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.problem import Refusal, refused_value
from nthlayer_sync.web.route import Context, Query, Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon

LISTENERS = 100
"""Clients that may listen at a time."""
POLL = 0.5
"""Seconds between looks for new events."""
BATCH = 500
"""Events that are read at once."""
HEARTBEAT = 15.0
"""Seconds of silence after which something is sent, so that a proxy keeps the connection and a dead one is noticed."""
BACK = 2000
"""Milliseconds after which a client that lost its connection comes back."""

STOPPING = web.AppKey("stopping", asyncio.Event)
"""Set when the server stops; streams end then."""

_listening: WeakKeyDictionary[Daemon, int] = WeakKeyDictionary()


def install(app: web.Application) -> None:
    """End streams when the server stops: it would wait for them otherwise."""
    app[STOPPING] = asyncio.Event()

    async def stop(app: web.Application) -> None:
        app[STOPPING].set()

    app.on_shutdown.append(stop)


class EventsAsked(Query):
    """Where to begin."""

    after: int | None = Field(
        default=None, ge=0, le=LARGEST,
        description="Begin behind the event of this number; with those that come from now on without.",
    )  # fmt: skip


class EventShown(Shown):
    """Something that happened; the stream gives its number and its name beside it."""

    at: float
    """Seconds since 1970."""
    entity: str | None
    run: str | None
    text: str
    """One sentence for people."""


async def stream_events(context: Context) -> web.StreamResponse:
    """Events as they happen, the oldest first. Who sends `Last-Event-ID` misses none that is still kept."""
    daemon, request = context.daemon, context.request
    after = await _beginning(context)
    if _listening.get(daemon, 0) >= LISTENERS:
        raise Refusal(503, f"{LISTENERS} clients listen already", headers={"Retry-After": "10"})
    _listening[daemon] = _listening.get(daemon, 0) + 1
    try:
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        await response.write(f"retry: {BACK}\n\n".encode())
        await _tail(daemon, response, after, request.app[STOPPING])
        return response
    finally:
        _listening[daemon] -= 1


async def _tail(daemon: Daemon, response: web.StreamResponse, after: int, stopping: asyncio.Event) -> None:
    """Send events until the server stops or the client leaves."""
    silent = 0.0
    while not stopping.is_set():
        found = await daemon.store.events(after, BATCH)
        try:
            if found:
                after, silent = found[-1].number, 0.0
                await response.write(b"".join(map(_line, found)))
            elif silent >= HEARTBEAT:
                silent = 0.0
                await response.write(b": still here\n\n")
        except ConnectionError:
            return
        if len(found) < BATCH:
            silent += POLL
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), POLL)


async def _beginning(context: Context) -> int:
    """The number of the last event that the client has."""
    last = context.request.headers.get("Last-Event-ID", "")
    if last:
        if not re.fullmatch(r"[0-9]{1,16}", last) or int(last) > LARGEST:
            raise refused_value("header", "Last-Event-ID", "this is no number of an event")
        return int(last)
    asked = context.asked(EventsAsked).after
    if asked is not None:
        return asked
    newest = await context.daemon.store.events(-1, 1)
    return newest[-1].number if newest else 0


def _line(event: Event) -> bytes:
    shown = EventShown(at=event.at, entity=event.subject, run=event.run or None, text=event.text)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", event.name)  # a line break would begin a field
    return f"id: {event.number}\nevent: {name}\ndata: {shown.model_dump_json()}\n\n".encode()


_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back otherwise
}

ROUTES = (
    Route("GET", "/api/v1/events", "Events as they happen", None, stream_events, "events", query=EventsAsked,
          media_type="text/event-stream", headers={"Last-Event-ID": "Go on behind this event."}),
)  # fmt: skip
