"""Who may come in where nobody is named: programs of this machine, and pages that the daemon itself has sent.

A page from elsewhere runs in a browser of this machine too. It is told by what the browser adds: the name by which it
reached us (DNS rebinding gives a foreign one) and the page that it comes from.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from nthlayer_sync.web.problem import Refusal


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address; names but `localhost` may lead anywhere."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_is_local(request: web.Request) -> None:
    """Raise a Refusal where the request was made by a page from elsewhere, or under a foreign name."""
    host = _hostname(f"//{request.headers.get('Host', '')}")
    if not is_loopback(host):
        raise Refusal(421, "without `serve.access` this answers only as localhost, 127.0.0.1 or [::1]")
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"{request.scheme}://{request.headers['Host']}".lower():
        raise Refusal(403, "without `serve.access` pages of other sites may not ask for anything here")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise Refusal(403, "without `serve.access` pages of other sites may not ask for anything here")


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
