"""Logging in with a token, and out again; and light or dark."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from nthlayer_sync.engine.log import log
from nthlayer_sync.web.auth.door import NOBODY, TOKEN, Door
from nthlayer_sync.web.page import session
from nthlayer_sync.web.page.view import View, see, sent, show, shown
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Query, Route


class LoginAsked(Query):
    """Where to go then."""

    next: str = Field(default="/", max_length=4000)


class Login:
    """Asks the door who has a token."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def show_login(self, context: Context) -> web.Response:
        """The form."""
        if self._door.open:
            return see(context.request, "/")
        return show(context, "login", "Log in", next=context.asked(LoginAsked).next, trouble="")

    async def log_in(self, context: Context) -> web.Response:
        """Check the token, and have the browser keep it."""
        request, fields = context.request, await sent(context)
        token, next = fields.get("token", "").strip(), fields.get("next", "/")
        if len(token) > session.LONGEST_TOKEN:
            return _again(request, next, "this token is too long for a cookie: have a proxy send it as a header")
        request[TOKEN] = token
        try:
            person = await self._door.admit(request)
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            return _again(request, next, refusal.detail if token else "a token is needed")
        log().info("login.made", person=person.name)
        response = see(request, next)
        session.keep_token(request, response, token)
        session.tell(request, response, "login")
        return response


async def log_out(context: Context) -> web.Response:
    """Have the browser forget the token."""
    await sent(context)
    response = see(context.request, "/login")
    session.drop_token(response)
    session.tell(context.request, response, "logout")
    return response


async def change_theme(context: Context) -> web.Response:
    """Light, dark, or as the browser has it."""
    fields = await sent(context)
    response = see(context.request, fields.get("back", "/"))
    session.keep_theme(context.request, response, fields.get("theme", ""))
    return response


def _again(request: web.Request, next: str, trouble: str) -> web.Response:
    return shown(request, NOBODY, View("login", "Log in", {"next": next, "trouble": trouble}, 401))


def routes(door: Door) -> tuple[Route, ...]:
    """The form, and what it and the head of every page send."""
    login = Login(door)
    return (
        Route("GET", "/login", "Log in", None, login.show_login, "page", role=None, query=LoginAsked,
              media_type="text/html"),
        Route("POST", "/login", "Log in", None, login.log_in, "page", role=None),
        Route("POST", "/logout", "Log out", None, log_out, "page"),
        Route("POST", "/theme", "Light or dark", None, change_theme, "page"),
    )  # fmt: skip
