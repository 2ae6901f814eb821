"""Cortex.io: a workflow of the organisation's own calls us, with a body of its own making.

https://docs.cortex.io/streamline/workflows/blocks/using-request-signing-with-workflow-blocks: `x-cortex-signature-256`
is the HMAC with SHA-256 of `<milliseconds>.<body>`, with the time from `x-cortex-timestamp` and the workspace's request
signing secret. `x-cortex-signature` (SHA-1) and the signature of the time alone prove too little: we do not read them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.hook import Asks, Delivery, Hook
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.schemes import Check, Headers, any_same, in_base64, in_window, mac

_SIGNATURE = re.compile(r"(?:sha256=)?([0-9a-f]{64}|[A-Za-z0-9+/]{43}=)")
"""In hexadecimal or base64: the page does not say which."""


class _Cortex:
    """A signature over time and body."""

    def check(self, secret: str) -> None:
        """Any text will do."""

    def plausible(self, headers: Headers, now: float) -> bool:
        """Whether there is a time in the window and a signature."""
        timely = in_window(headers.get("x-cortex-timestamp", ""), now, unit=0.001)
        return timely and _SIGNATURE.fullmatch(headers.get("x-cortex-signature-256", "")) is not None

    def admit(self, headers: Headers, secrets: Sequence[str]) -> Check | None:
        """The check of the body."""
        found = _SIGNATURE.fullmatch(headers["x-cortex-signature-256"])
        given = found[1] if found else ""
        before = f"{headers['x-cortex-timestamp']}.".encode()

        def check(body: bytes) -> bool:
            made = [mac(secret.encode(), before, body) for secret in secrets]
            return any_same([given], [form for each in made for form in (each.hex(), in_base64(each))])

        return check

    def id(self, headers: Headers, body: bytes) -> str:
        """The digest of all that is signed: there is no id."""
        return sha256(headers["x-cortex-timestamp"].encode() + b"." + body).hexdigest()


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    return Asks({Topic.LOOK: landscape.of_type("cortex")})


HOOK = Hook("cortex", _Cortex(), _asks)
