"""How a view is shown, and how what a form sends back is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy
from pydantic import BaseModel

from nthlayer_sync import __version__
from nthlayer_sync.daemon.person import Person
from nthlayer_sync.web import etags, html
from nthlayer_sync.web.auth.door import LOCAL, NOBODY
from nthlayer_sync.web.page import assets, session
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Query

HEADERS = {"Referrer-Policy": "same-origin"}
"""With the stricter policy of the API a browser would not say where a form comes from."""
SECTIONS = {
    "/": "Overview",
    "/entities": "Entities",
    "/waiting": "Waiting",
    "/runs": "Runs",
    "/plans": "Plans",
    "/graph": "Graph",
    "/conflicts": "Findings",
    "/sources": "Sources",
}
"""What stands in the head of every page."""
DONE = {
    "sync": "Asked for: the sources are read as soon as a replica comes to it.",
    "audit": "Asked for: every live system is looked at for drift.",
    "reconcile": "Asked for: it is looked at as soon as a replica comes to it.",
    "pause": "Paused: nothing is written until it is resumed.",
    "resume": "Resumed: what had to wait is looked at again.",
    "approve": "Approved: it is written as soon as a replica comes to it.",
    "consent": "Agreed: what the guard held is looked at again.",
    "go-on": "The wave goes on.",
    "undo": "Undone. What it touched is paused, so that it does not come back by itself.",
    "login": "You are logged in.",
    "logout": "You are logged out.",
}
"""What the next page says of what was just done."""


@dataclass(frozen=True)
class View:
    """What is shown: the template's name, the title, and what it is filled in with."""

    template: str
    title: str
    values: Mapping[str, Any]
    status: int = 200


def asking(context: Context, query: Query | None = None, body: BaseModel | None = None, **path: str) -> Context:
    """The context of a question to the API in the name of the same person."""
    return replace(context, query=query, body=body, path=path or context.path)


def show(context: Context, template: str, title: str, **values: Any) -> web.Response:
    """A view as a page."""
    return shown(context.request, context.person, View(template, title, values))


def shown(request: web.Request, person: Person, view: View) -> web.Response:
    """A view as a page for a person; NOBODY for who has not said who he is."""
    secret = session.form_secret(request)
    done = DONE.get(request.cookies.get(session.DONE, ""), "")
    body = html.page(
        f"page/{view.template}.html.j2",
        title=view.title,
        path=request.path,
        here=local(request.rel_url.raw_path_qs),
        person=person,
        local=person is LOCAL,
        known=person is not NOBODY,
        sections=SECTIONS,
        csrf=session.csrf_of(secret, person.name),
        theme=session.theme_of(request),
        done=done,
        assets=assets.ADDRESSES,
        version=__version__,
        **view.values,
    )
    response = web.Response(body=body, status=view.status, content_type="text/html", charset="utf-8", headers=HEADERS)
    if view.status == 200:
        response = etags.conditional(request, response)
        response.headers.update(HEADERS)
    else:
        response.headers["Cache-Control"] = "no-store"
    session.keep_form_secret(request, response, secret)
    if done:
        response.del_cookie(session.DONE, path="/")
    return response


def see(request: web.Request, address: str) -> web.Response:
    """Send the browser to another page of ours."""
    return web.Response(status=303, headers={"Location": local(address), "Cache-Control": "no-store", **HEADERS})


def local(address: str) -> str:
    """An address on this site; the overview for anything that could lead elsewhere."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_path and address.isascii() and address.isprintable() else "/"


async def sent(context: Context) -> MultiDictProxy[str]:
    """The fields of a form of ours. A Refusal for any other."""
    request = context.request
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(415, "a form is sent as application/x-www-form-urlencoded")
    fields = await request.post()
    texts = MultiDictProxy[str](fields)  # type: ignore[arg-type]
    session.check_form(request, texts.get(session.CSRF, ""), context.person.name)
    if any("\0" in value for value in texts.values()):
        raise Refusal(422, "NUL is no character of a text here")
    return texts
