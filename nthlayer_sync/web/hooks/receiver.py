"""What happens to a delivery: it proves itself, is read, becomes asks of the work set, and is answered."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import msgspec
from aiohttp import web

from nthlayer_sync.daemon.telemetry.metrics import Metrics
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.settings import Settings
from nthlayer_sync.web.hooks.brake import Brake
from nthlayer_sync.web.hooks.hook import Asks, Delivery, Hook
from nthlayer_sync.web.hooks.keys import Keys
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.schemes import WINDOW, Check
from nthlayer_sync.web.problem import Refusal, answer

P = ParamSpec("P")
T = TypeVar("T")

LARGEST = 1 << 20
"""Bytes of a body."""
HELD = 32 << 20
"""Bytes of all bodies that are here and not answered yet."""
BODY_TIMEOUT = 10.0
"""Seconds in which a body has to be here: so long GitHub, GitLab and PagerDuty wait for the answer."""
ON_THREAD = 64 << 10
"""Bytes from which on a body is checked and read on a thread: it takes a tenth of a millisecond and more."""
MOST_KEYS = 1000
"""Keys that one delivery asks for; what tells of more is answered by looking at every source."""
KEPT = 3 * 86400.0
"""Seconds that a delivery is remembered, to be taken once only: so long GitHub can be told to send one again."""
ASKING = 60.0
"""Seconds that it is remembered while it is being asked for: after a crash in between it may come again."""
REMEMBERED = 10_000
"""Deliveries that are remembered here too, so that repeating them costs the store nothing."""
ROOTS = 60.0
"""Seconds after which the roots are looked up again."""
FORGED = Refusal(
    401,
    f"this is not proven to come from there: no signature or token, a wrong one, or a time {WINDOW:g} s off",
    headers={"WWW-Authenticate": "Signature"},
)
TOO_LARGE = Refusal(413, f"a delivery has at most {LARGEST:,} bytes")
TOO_MUCH = Refusal(503, "too much comes in at once", headers={"Retry-After": "5"})
TOO_SLOW = Refusal(408, f"the body was not here within {BODY_TIMEOUT:g} s")
VERDICTS = {202: "accepted", 200: "repeated", 401: "forged", 429: "shed"}
"""What is counted, by how a delivery is answered; everything else is `refused`."""


@dataclass
class Receiver:
    """Takes the deliveries of every hook that has a secret. `clock` gives seconds since 1970."""

    settings: Settings
    store: SharedStore
    hooks: Mapping[str, tuple[Hook, str]]
    """By the name in the address: the hook, and where its secret is."""
    keys: Keys
    metrics: Metrics
    brake: Brake = field(default_factory=Brake)
    clock: Callable[[], float] = time.time
    _held: int = 0
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    _roots: tuple[float, Collection[str]] = (0.0, ())

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one delivery: 202 with how much is asked for, 200 where it came before, or why it is refused."""
        hook, ref = self.hooks.get(request.match_info["system"], (None, ""))
        if hook is None:
            raise Refusal(404, "there is no such hook, or the settings name no secret for it in serve.webhooks")
        verdict = "refused"
        try:
            response = await self._answer(hook, ref, request)
            verdict = VERDICTS.get(response.status, verdict)
            return response
        finally:
            self.metrics.webhook(hook.name, verdict)

    async def _answer(self, hook: Hook, ref: str, request: web.Request) -> web.Response:
        now = self.clock()
        if not hook.scheme.plausible(request.headers, now):
            return await self._refused(FORGED)
        if (request.content_length or 0) > LARGEST:
            return await self._refused(TOO_LARGE)
        check = hook.scheme.admit(request.headers, await self.keys.of(hook, ref))
        if check is None:
            return await self._refused(FORGED)
        answered = await self._read(hook, check, request, now)
        # What was read is let go of before the brake, which may keep many waiting.
        return await self._refused(answered, request.content.total_bytes) if isinstance(answered, Refusal) else answered

    async def _read(self, hook: Hook, check: Check, request: web.Request, now: float) -> web.Response | Refusal:
        """Read the body, check it, and take the delivery."""
        pieces = bytearray()
        try:
            if refusal := await self._receive(request, pieces):
                return refusal
            body = bytes(pieces)
            if not await _run(len(body), check, body):
                return FORGED
            return await self._take(hook, Delivery(request.headers, body, now))
        finally:
            self._held -= len(pieces)

    async def _receive(self, request: web.Request, body: bytearray) -> Refusal | None:
        """Read the body, of which each piece counts as held, or tell why not."""
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                async for piece in request.content.iter_any():
                    body += piece
                    self._held += len(piece)
                    if len(body) > LARGEST:
                        return TOO_LARGE
                    if self._held > HELD:
                        return TOO_MUCH
        except TimeoutError:
            return TOO_SLOW
        return None

    async def _take(self, hook: Hook, delivery: Delivery) -> web.Response:
        """Ask for what a proven delivery means, once."""
        key = f"{hook.name} {hook.scheme.id(delivery.headers, delivery.body)}"
        if key in self._seen:
            return await self._repeated()
        if delivery.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(415, "a delivery has to be application/json; the hook's settings may offer to choose it")
        landscape = Landscape(self.settings, await self._known_roots())
        asks = bounded(await _run(len(delivery.body), hook.asks, delivery, landscape), landscape)
        count = sum(map(len, asks.keys.values()))
        if count or asks.events:
            if not await self._ask(key, asks, f"webhook {hook.name}", delivery.at):
                return await self._repeated()
            self._remember(key)
        return _answered(202, count)

    async def _ask(self, key: str, asks: Asks, why: str, now: float) -> bool:
        """Ask, and remember that it was done; False where it was done before."""
        if not await self.store.pin("seen", key, b"", now + ASKING, replace=False):
            return False
        try:
            for topic, keys in asks.keys.items():
                if keys:
                    await self.store.work.ask(topic, keys, why)
            if asks.events:
                await self.store.record(asks.events)
            await self.store.pin("seen", key, b"", now + KEPT)
        except BaseException:  # a sender that gave up on us as well: it will send it again
            await self.store.unpin("seen", [key])
            raise
        return True

    async def _known_roots(self) -> Collection[str]:
        """The roots in which something is applied, as they were within the last minute."""
        since, roots = self._roots
        if not since or self.clock() - since > ROOTS:
            roots = tuple(await self.store.roots())
            self._roots = (self.clock(), roots)
        return roots

    def _remember(self, key: str) -> None:
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    async def _repeated(self) -> web.Response:
        """No error, for an honest sender also repeats what it believes to be lost."""
        return _answered(200, 0) if await self.brake.hold() else _too_many()

    async def _refused(self, refusal: Refusal, received: int = 0) -> web.Response:
        return answer(refusal) if await self.brake.hold(received) else _too_many()


def bounded(asks: Asks, landscape: Landscape) -> Asks:
    """The same, or a look at everything where there is more than one delivery may ask for."""
    if sum(map(len, asks.keys.values())) <= MOST_KEYS:
        return asks
    return Asks({Topic.LOOK: landscape.everything()}, asks.events)


async def _run(size: int, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `do` gives, made on a thread where so many bytes would keep everybody else waiting."""
    return await asyncio.to_thread(do, *args, **kwargs) if size >= ON_THREAD else do(*args, **kwargs)


def _answered(status: int, asked: int) -> web.Response:
    body = msgspec.json.encode({"asked": asked})
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _too_many() -> web.Response:
    response = answer(Refusal(429, "too many deliveries are refused at the moment", headers={"Retry-After": "5"}))
    response.force_close()
    return response
