"""What a browser keeps for us: the token of who logged in, the secret of its forms, light or dark, what was just done.

The login is the token itself, which is checked anew with every page: one that is taken back is out at once, any replica
knows it, and nothing of it is stored here. Only pages take it: the API wants its header.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from aiohttp import web

from nthlayer_sync.web.problem import Refusal

LOGIN, FORM, THEME, DONE = (f"nthlayer-sync-{name}" for name in ("login", "form", "theme", "done"))
"""Names of cookies."""
LOGGED_IN = 8 * 3600
"""Seconds for which a login holds: a working day."""
REMEMBERED = 365 * 86400
"""Seconds for which light or dark is remembered."""
TOLD = 30
"""Seconds in which the page that follows tells what was done."""
LONGEST_TOKEN = 2800
"""Characters of a token: browsers keep cookies of up to 4096 bytes (RFC 6265, 6.1), and in base64 it is longer."""
THEMES = ("light", "dark")
CSRF = "csrf"
"""Name of the field of every form that proves that the form is ours."""


def token_of(request: web.Request) -> str:
    """The token that the browser logged in with, "" without one."""
    try:
        kept = request.cookies.get(LOGIN, "")
        return urlsafe_b64decode(kept + "=" * (-len(kept) % 4)).decode()
    except ValueError:
        return ""


def keep_token(request: web.Request, response: web.Response, token: str) -> None:
    """Log the browser in, and give its forms a new secret."""
    kept = urlsafe_b64encode(token.encode()).decode().rstrip("=")
    _keep(request, response, LOGIN, kept, LOGGED_IN)
    _keep(request, response, FORM, secrets.token_urlsafe(32), None)


def drop_token(response: web.Response) -> None:
    """Log the browser out."""
    for name in (LOGIN, FORM):
        response.del_cookie(name, path="/", httponly=True, samesite="Strict")


def theme_of(request: web.Request) -> str:
    """`light` or `dark`, "" where the browser decides."""
    kept = request.cookies.get(THEME, "")
    return kept if kept in THEMES else ""


def keep_theme(request: web.Request, response: web.Response, theme: str) -> None:
    """Remember light or dark."""
    _keep(request, response, THEME, theme, REMEMBERED)


def tell(request: web.Request, response: web.Response, command: str) -> None:
    """Have the next page say what was done."""
    _keep(request, response, DONE, command, TOLD)


def form_secret(request: web.Request) -> str:
    """The secret of the browser's forms; a new one where it has none yet."""
    return request.cookies.get(FORM, "") or secrets.token_urlsafe(32)


def keep_form_secret(request: web.Request, response: web.Response, secret: str) -> None:
    """Have the browser keep the secret of its forms, if it does not yet."""
    if request.cookies.get(FORM) != secret:
        _keep(request, response, FORM, secret, None)


def csrf_of(secret: str, name: str) -> str:
    """What a form carries: made of the browser's secret, and good for one person only."""
    return hmac.digest(secret.encode(), f"form of {name}".encode(), hashlib.sha256).hex()


def check_form(request: web.Request, sent: str, name: str) -> None:
    """Raise a Refusal where a form is none that we gave to this browser and this person."""
    secret = request.cookies.get(FORM, "")
    expected = csrf_of(secret, name).encode()
    if not secret or not hmac.compare_digest(expected, sent.encode(errors="replace")):
        raise Refusal(403, "this form is too old, or none of ours; go back, load the page again and repeat it")


def check_origin(request: web.Request, url: str) -> None:
    """Raise a Refusal where a form was sent by a page of another site; `url` is where people reach us, if that is set.

    Every browser says with a form where it comes from. Behind a proxy the scheme may be another, so hosts are compared.
    """
    own = {request.headers.get("Host", "").lower(), urlsplit(url).netloc.lower()}
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        host = urlsplit(origin).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    if not host or host.lower() not in own:
        raise Refusal(403, "forms are taken only from our own pages")


def _keep(request: web.Request, response: web.Response, name: str, value: str, seconds: int | None) -> None:
    headers = request.headers
    outside = headers.get("X-Forwarded-Proto", "") == "https" or headers.get("Origin", "").startswith("https://")
    response.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="Strict", secure=request.secure or outside
    )
