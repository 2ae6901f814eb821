"""Senders of deliveries, which sign as the vendors do, and the hooks as they see them."""

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.state.sqlite import SqliteStore
from nthlayer_sync.web.hooks import HOOKS

NOW = 1_800_000_000.0
PLAIN = "It's a Secret to Everybody"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRETS = {name: STANDARD if name in ("backstage", "deploy") else PLAIN for name in HOOKS} | {
    "alertmanager": "alertmanager-token-0123456789",
    "gitlab": "gitlab-token-0123456789",
}
AUTHOR = "nthlayer-sync@acme.example"

SETTINGS = {
    "organisation": "acme",
    "sources": [
        {"type": "git", "name": "catalog", "url": "https://github.com/acme/Catalog.git"},
        {"type": "git", "name": "gitlab-catalog", "url": "git@gitlab.com:acme/platform/catalog.git"},
        {"type": "backstage", "name": "portal", "url": "https://backstage.acme.example"},
        {"type": "directory", "name": "checkout", "path": ".", "files": ["own/*.yaml"]},
        {"type": "cortex", "name": "idp"},
    ],
    "landing": {
        "author": f"nthlayer-sync <{AUTHOR}>",
        "instead_of": {"https://mirror.example/": "https://github.com/"},
    },
}


@dataclass
class Clock:
    """A clock that stands where it is put."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """The hooks as senders see them."""

    url: str
    store: SqliteStore
    clock: Clock
    files: Path
    session: ClientSession
    metrics: Metrics
    past: list[int] = field(default_factory=list)

    async def post(self, system: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """What a delivery is answered."""
        given = {"Content-Type": "application/json", **headers}
        async with self.session.post(f"{self.url}/hooks/{system}", headers=given, data=io.BytesIO(body)) as answer:
            self.past.append(answer.status)
            return answer.status, await answer.json(content_type=None)

    async def send(self, system: str, event: object, **more: str) -> tuple[int, Any]:
        """What a delivery is answered that is signed as it should be; `more` are headers, with `_` for `-`."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = signed(system, body, self.clock.now) | {name.replace("_", "-"): value for name, value in more.items()}
        return await self.post(system, headers, body)

    async def asked(self) -> dict[str, set[str]]:
        """What the work set holds, taken out of it."""
        found: dict[str, set[str]] = {}
        for topic in Topic:
            claims = await self.store.work.claim(topic, "test", 100_000, 60.0)
            if claims:
                found[topic.value] = {claim.key for claim in claims}
            await self.store.work.finish(claims)
        return found

    async def untouched(self) -> bool:
        """Whether nothing was asked for, told or remembered."""
        return not (await self.asked() or await self.store.events(0) or await self.store.notes("seen"))

    def secret(self, system: str, text: str) -> None:
        """Put another secret in place."""
        (self.files / system).write_text(text)


def signed(system: str, body: bytes, now: float = NOW, secret: str = "", number: str = "") -> dict[str, str]:
    """The headers with which each vendor proves a body."""
    secret = secret or SECRETS[system]
    hexadecimal = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    match system:
        case "github":
            return {"X-Hub-Signature-256": f"sha256={hexadecimal}", "X-GitHub-Delivery": number or "1"}
        case "gitlab" if not secret.startswith("whsec_"):
            return {"X-Gitlab-Token": secret}
        case "pagerduty":
            return {"X-PagerDuty-Signature": f"v1={hexadecimal}"}
        case "alertmanager":
            return {"Authorization": f"Bearer {secret}"}
        case "cortex":
            time = str(round(now * 1000))
            made = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
            return {"x-cortex-timestamp": time, "x-cortex-signature-256": made}
        case _:
            name = number or hashlib.sha256(body).hexdigest()[:20]
            key = base64.b64decode(secret.removeprefix("whsec_"))
            made = hmac.new(key, f"{name}.{round(now)}.".encode() + body, hashlib.sha256).digest()
            signature = f"v1,{base64.b64encode(made).decode()}"
            return {"webhook-id": name, "webhook-timestamp": str(round(now)), "webhook-signature": signature}
