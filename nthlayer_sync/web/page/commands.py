"""What the buttons do: the same as the commands of the API, sent by a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import get_origin

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError

from nthlayer_sync.web.api import commands as api
from nthlayer_sync.web.api.events import EventsAsked, stream_events
from nthlayer_sync.web.api.runs import RunShown
from nthlayer_sync.web.page import session
from nthlayer_sync.web.page.view import asking, see, sent
from nthlayer_sync.web.problem import Refusal, invalid
from nthlayer_sync.web.route import Context, Route


@dataclass(frozen=True)
class Command:
    """What is sent, and who takes it."""

    body: type[BaseModel]
    take: Callable[[Context], Awaitable[object]]


class GoOn(BaseModel):
    """Nothing but the wish."""


async def go_on(context: Context) -> None:
    """Let a wave go on that failures stopped."""
    await context.daemon.desk.go_on(context.person)


COMMANDS: Mapping[str, Command] = {
    "sync": Command(api.Sync, api.ask_sync),
    "audit": Command(api.Audit, api.ask_audit),
    "reconcile": Command(api.Reconcile, api.ask_reconcile),
    "pause": Command(api.Pause, api.pause),
    "resume": Command(api.Resume, api.resume),
    "approve": Command(api.Approve, api.approve),
    "consent": Command(api.Consent, api.consent),
    "undo": Command(api.Undo, api.undo),
    "go-on": Command(GoOn, go_on),
}


async def do(context: Context) -> web.Response:
    """Do what a button says, and go back to where it stood."""
    name = context.path["command"]
    command = COMMANDS.get(name)
    if command is None:
        raise Refusal(404, "there is no such command")
    fields = await sent(context)
    done = await command.take(asking(context, body=_read(fields, command.body)))
    is_run = isinstance(done, RunShown)
    response = see(context.request, f"/runs/{done.id}" if is_run else fields.get("back", "/"))
    session.tell(context.request, response, name)
    return response


def _read(fields: MultiMapping[str], model: type[BaseModel]) -> BaseModel:
    """The fields of a form as a body: those that can have several values are lists."""
    values: dict[str, str | list[str]] = {}
    for name, field in model.model_fields.items():
        if name in fields:
            values[name] = fields.getall(name) if get_origin(field.annotation) is tuple else fields[name]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid("body", error) from None


async def watch(context: Context) -> web.StreamResponse:
    """The events of the API, for the browser of who is logged in: the API itself takes no cookie."""
    return await stream_events(context)


ROUTES = (
    Route("POST", "/do/{command}", "Do something", None, do, "page"),
    Route("GET", "/events", "Events as they happen", None, watch, "page", query=EventsAsked,
          media_type="text/event-stream"),
)  # fmt: skip
