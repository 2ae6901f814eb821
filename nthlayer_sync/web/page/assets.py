"""Style, script and icon of the pages. Their addresses change with their content, so that browsers keep them for good."""

from __future__ import annotations

import hashlib
from importlib import resources

from aiohttp import web

from nthlayer_sync.web.auth.door import Door

MEDIA_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
"""The files of the folder `static`, and what they are."""

_CONTENTS = {name: (resources.files("nthlayer_sync.web") / "static" / name).read_bytes() for name in MEDIA_TYPES}

ADDRESSES = {
    name.partition(".")[2]: f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"
    for name, content in _CONTENTS.items()
}
"""Where each stands, by its suffix."""


def install(app: web.Application, door: Door) -> None:
    """Serve them to everybody: they tell nothing."""
    for name, content in _CONTENTS.items():
        app.router.add_get(ADDRESSES[name.partition(".")[2]], _file(content, MEDIA_TYPES[name]))


def _file(content: bytes, media_type: str):  # noqa: ANN202
    async def file(request: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=content, content_type=media_type, charset="utf-8", headers=headers)

    return file
