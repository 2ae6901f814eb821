"""How vendors prove that a delivery is theirs: signatures over the bytes of the body, and tokens.

What is compared with a secret, or made of one, is compared in constant time. A delivery proves itself in two steps, so
that what is forged costs little: `plausible` looks at the headers alone, `admit` knows the secrets, and gives the check
of the body only where there may be something to check.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

from nthlayer_sync.errors import PermanentError

WINDOW = 300.0
"""Seconds that a signed time may lie before or after our clock, as the libraries of Standard Webhooks have it.

It covers the way here and clocks that differ; a delivery that is sent again later is signed again with a later time.
"""
MOST_SIGNATURES = 8
"""Signatures of one delivery: there are several while a secret is replaced by another."""

Headers = Mapping[str, str]
Check = Callable[[bytes], bool]
"""Whether a body is the one that was signed."""

_HEX = re.compile(r"[0-9a-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{43}=")
_BEARER = re.compile(r"[Bb]earer ([!-~]{1,512})")
_TOKEN = re.compile(r"[!-~]([ -~]{0,510}[!-~])?")
_ID = re.compile(r"[!-\-/-~]{1,256}")
"""What is printable, but no full stop: that parts the id from the time in what is signed."""
_TIME = re.compile(r"[0-9]{1,16}")


class Scheme(Protocol):
    """One way of proof. `secrets` are those that hold now: several while one is replaced by another."""

    def check(self, secret: str) -> None:
        """Raise PermanentError, without the secret, where it cannot be one."""
        ...

    def plausible(self, headers: Headers, now: float) -> bool:
        """Whether the headers look as those of a delivery do, at a time (seconds since 1970)."""
        ...

    def admit(self, headers: Headers, secrets: Sequence[str]) -> Check | None:
        """The check of the body; None where the headers alone prove that it is forged. Only for what is plausible."""
        ...

    def id(self, headers: Headers, body: bytes) -> str:
        """What this delivery has in common only with its own repetitions, by what is proven of it."""
        ...


class Signed:
    """An HMAC of the body in hexadecimal, as `<prefix><64 digits>`, or several such with commas between them.

    No time is signed, and no id: a delivery is told by its body.
    """

    def __init__(self, header: str, prefix: str) -> None:
        self._header = header
        self._prefix = prefix

    def check(self, secret: str) -> None:
        """Any text will do."""

    def plausible(self, headers: Headers, now: float) -> bool:
        """Whether there is a signature."""
        return bool(self._signatures(headers))

    def admit(self, headers: Headers, secrets: Sequence[str]) -> Check | None:
        """The check of the body."""
        given = self._signatures(headers)
        return lambda body: any_same(given, (mac(secret.encode(), body).hex() for secret in secrets))

    def id(self, headers: Headers, body: bytes) -> str:
        """The digest of the body."""
        return sha256(body).hexdigest()

    def _signatures(self, headers: Headers) -> list[str]:
        given = [each.strip() for each in headers.get(self._header, "").split(",", MOST_SIGNATURES)[:MOST_SIGNATURES]]
        known = [each.removeprefix(self._prefix) for each in given if each.startswith(self._prefix)]
        return [each for each in known if _HEX.fullmatch(each)]


class Standard:
    """Standard Webhooks: `v1,<base64>` of the HMAC of `<id>.<seconds>.<body>`, several with spaces between them.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the secret is base64,
    with `whsec_` before it; the id is the same when a delivery is sent again.
    """

    def check(self, secret: str) -> None:
        """It has to be base64, of at least 16 bytes."""
        if len(_key(secret)) < 16:
            raise PermanentError("it has to be `whsec_` and at least 16 bytes in base64, better 32")

    def plausible(self, headers: Headers, now: float) -> bool:
        """Whether there is an id, a time in the window and a signature."""
        timely = in_window(headers.get("webhook-timestamp", ""), now)
        return timely and bool(_ID.fullmatch(headers.get("webhook-id", ""))) and bool(self._signatures(headers))

    def admit(self, headers: Headers, secrets: Sequence[str]) -> Check | None:
        """The check of the body."""
        given = self._signatures(headers)
        before = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()

        def check(body: bytes) -> bool:
            return any_same(given, (in_base64(mac(_key(secret), before, body)) for secret in secrets))

        return check

    def id(self, headers: Headers, body: bytes) -> str:
        """The signed id, by its digest: it may have 256 characters."""
        return sha256(headers["webhook-id"].encode()).hexdigest()

    @staticmethod
    def signed(secret: str, body: bytes, id: str, now: float) -> dict[str, str]:
        """The headers with which a body is sent, at a time (seconds since 1970)."""
        before = f"{id}.{int(now)}."
        signature = in_base64(mac(_key(secret), before.encode(), body))
        return {"webhook-id": id, "webhook-timestamp": str(int(now)), "webhook-signature": f"v1,{signature}"}

    def _signatures(self, headers: Headers) -> list[str]:
        given = headers.get("webhook-signature", "").split(" ", MOST_SIGNATURES)[:MOST_SIGNATURES]
        known = [each.removeprefix("v1,") for each in given if each.startswith("v1,")]
        return [each for each in known if _BASE64.fullmatch(each)]


class Token:
    """The secret itself in a header. Whoever reads one delivery can make others, so it wants TLS on all of the way."""

    def __init__(self, header: str, *, bearer: bool = False) -> None:
        self._header = header
        self._form = _BEARER if bearer else _TOKEN

    def check(self, secret: str) -> None:
        """Any text will do."""

    def plausible(self, headers: Headers, now: float) -> bool:
        """Whether there is a token."""
        return self._form.fullmatch(headers.get(self._header, "")) is not None

    def admit(self, headers: Headers, secrets: Sequence[str]) -> Check | None:
        """Nothing is left to check once the token is right."""
        found = self._form.fullmatch(headers[self._header])
        given = (found[1] if self._form is _BEARER else found[0]) if found else ""
        return _any_body if any_same([given], secrets) else None

    def id(self, headers: Headers, body: bytes) -> str:
        """The digest of the body."""
        return sha256(body).hexdigest()


def any_same(given: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether one of the given is wanted. All are compared, so that it takes as long wherever it is found."""
    forms = [each.encode() for each in wanted]
    return sum(hmac.compare_digest(each.encode(), form) for each in given for form in forms) > 0


def in_window(text: str, now: float, unit: float = 1.0) -> bool:
    """Whether a time is written in `text`, in units of so many seconds since 1970, and lies in the window."""
    return _TIME.fullmatch(text) is not None and abs(int(text) * unit - now) <= WINDOW


def mac(key: bytes, *parts: bytes) -> bytes:
    """The HMAC with SHA-256 of some bytes."""
    made = hmac.new(key, digestmod=sha256)
    for part in parts:
        made.update(part)
    return made.digest()


def in_base64(data: bytes) -> str:
    """The text that stands for bytes."""
    return base64.b64encode(data).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return b""


def _any_body(_: bytes) -> bool:
    return True
