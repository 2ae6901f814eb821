"""Style, script and icon of the pages. Their addresses change with their content: browsers keep them for good."""

from __future__ import annotations

import hashlib
from importlib import resources

from aiohttp import web
from aiohttp.typedefs import Handler

MEDIA_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
"""The files of the folder `static`, and what they are."""

_CONTENTS = {name: (resources.files("nthlayer_sync.web") / "static" / name).read_bytes() for name in MEDIA_TYPES}

ADDRESSES = {
    name.partition(".")[2]: f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"
    for name, content in _CONTENTS.items()
}
"""Where each stands, by its suffix."""


def install(app: web.Application) -> None:
    """Serve them to everybody: they tell nothing."""
    for name, content in _CONTENTS.items():
        app.router.add_get(f"/static/{{digest}}/{name}", _serving(name, content))


def _serving(name: str, content: bytes) -> Handler:
    async def serve(request: web.Request) -> web.Response:
        # A page of a replica with another version asks for another address; it gets what there is, and not for good.
        is_current = request.path == ADDRESSES[name.partition(".")[2]]
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if is_current else "no-store"}
        return web.Response(body=content, content_type=MEDIA_TYPES[name], charset="utf-8", headers=headers)

    return serve
