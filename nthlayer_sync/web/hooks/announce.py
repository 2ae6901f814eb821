"""Tells Backstage what is new on its entities: the other way round of `backstage`, signed with the same secret."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import msgspec

from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.http import Call, Manners, Tool, Web
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.settings import BackstageSettings, Settings
from nthlayer_sync.web.hooks.keys import several
from nthlayer_sync.web.hooks.schemes import Standard

PATH = "/api/events/http/nthlayer"
"""Where our module for Backstage's backend listens."""
BATCH = 1000
"""Entities told of at once: Backstage takes 5 MB."""
MANNERS = Manners(rate=20, burst=20, at_once=2, timeout=5, tries=2, pause=0.2, longest_wait=1, largest_answer=64 << 10)


class Announcement:
    """Every Backstage that is read as a source is told."""

    def __init__(self, settings: Settings, web: Web, secrets: Secrets) -> None:
        urls = dict.fromkeys(each.url for each in settings.sources if isinstance(each, BackstageSettings))
        self._secret = settings.serve.webhooks.backstage
        self._secrets = secrets
        self._tools = [web.tool("Backstage", url, manners=MANNERS) for url in urls] if self._secret else []

    def __bool__(self) -> bool:
        return bool(self._tools)

    async def tell(self, refs: Sequence[EntityRef], etag: str) -> None:
        """Tell of entities, and the ETag of what is to stand on them. TemporaryError where it did not get through."""
        assert self._secret
        secret, *_ = several(await self._secrets.value(self._secret))
        for tool in self._tools:
            for first in range(0, len(refs), BATCH):
                await _send(tool, secret, {"entityRefs": refs[first : first + BATCH], "etag": etag})


async def _send(tool: Tool, secret: str, told: object) -> None:
    body = msgspec.json.encode(told)
    headers = Standard.signed(secret, body, uuid.uuid4().hex, time.time())
    # To be told twice does no harm.
    await tool.ask(
        Call(method="POST", path=PATH, data=body, content_type="application/json", headers=headers, safe=True)
    )
