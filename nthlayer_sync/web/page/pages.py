"""What happens to a request for a page before and after its view."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nthlayer_sync.daemon.person import Person
from nthlayer_sync.web.auth.door import NOBODY, TOKEN
from nthlayer_sync.web.endpoint import Endpoint
from nthlayer_sync.web.page import session
from nthlayer_sync.web.page.view import View, see, shown
from nthlayer_sync.web.problem import Refusal, refusal_of
from nthlayer_sync.web.route import Route

if TYPE_CHECKING:
    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.web.auth.door import Door

WORDS = {
    400: "That does not work",
    403: "You may not do this",
    404: "There is nothing here",
    405: "That does not work",
    409: "Not as things stand",
    421: "Wrong name",
    422: "That does not fit",
    429: "Too many tries",
    500: "Something went wrong here",
    503: "Not just now",
}
"""Titles of errors for people."""
LOGIN = "/login"


class Pages:
    """Adds views to an application, and shows its refusals to browsers as pages."""

    def __init__(self, app: web.Application, daemon: Daemon, door: Door) -> None:
        self._app = app
        self._daemon = daemon
        self._door = door
        self._own: set[Handler] = set()
        app.middlewares.append(self._middleware())

    def add(self, route: Route) -> None:
        """A view, or what a form is sent to."""
        endpoint = Endpoint(route, self._daemon, self._door)

        async def answer(request: web.Request) -> web.StreamResponse:
            request[TOKEN] = session.token_of(request)
            if request.method == "POST":
                session.check_origin(request, self._daemon.settings.serve.url)
            elif "" in request.query.values():
                # Forms send fields that nobody filled in: an address without them is shorter, and says the same.
                asked = [(name, value) for name, value in request.query.items() if value]
                return see(request, str(request.rel_url.with_query(asked)))
            return await endpoint.answer(request)

        self._own.add(answer)
        self._app.router.add_route(route.method, route.path, answer)
        if route.method == "GET" and route.media_type == "text/html":
            self._app.router.add_head(route.path, answer)

    def _middleware(self) -> Middleware:
        @web.middleware
        async def pages(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except Exception as error:
                is_page = request.match_info.handler in self._own
                if not (is_page or _is_lost_browser(request)) or _is_redirection(error):
                    raise
                return await self._refused(request, refusal_of(error))

        return pages

    async def _refused(self, request: web.Request, refusal: Refusal) -> web.Response:
        from_elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
        if from_elsewhere and request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate":
            # Somebody followed a link from another site: the browser kept his cookie back, and where nobody logs in
            # such requests are refused. Asked for by a page of ours it is the same as typed in by hand.
            return shown(request, NOBODY, View("again", "One moment", {}))
        if refusal.status == 401 and request.method == "GET":
            response = see(request, f"{LOGIN}?next={quote(request.rel_url.raw_path_qs, safe='')}")
            session.drop_token(response)
            return response
        values = {"status": refusal.status, "detail": refusal.detail, "errors": refusal.errors}
        title = WORDS.get(refusal.status) or HTTPStatus(refusal.status).phrase
        response = shown(request, await self._who(request), View("error", title, values, refusal.status))
        for name, value in refusal.headers.items():
            response.headers[name] = value
        return response

    async def _who(self, request: web.Request) -> Person:
        """Who asks, for the head of a page that says what went wrong."""
        try:
            request[TOKEN] = session.token_of(request)
            return await self._door.admit(request)
        except Exception:
            return NOBODY


def _is_lost_browser(request: web.Request) -> bool:
    """Whether somebody typed an address that is none: programs get a problem as JSON."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    return wants_page and request.match_info.http_exception is not None and not request.path.startswith("/api/")


def _is_redirection(error: Exception) -> bool:
    return isinstance(error, web.HTTPException) and error.status < 400
