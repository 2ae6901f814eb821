"""A real server that vouches for people as Backstage and OpenID providers do: it publishes keys, and tokens are signed
with them.
"""

import base64
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""One for all tests: making them takes long."""


@dataclass
class Key:
    """A signing key."""

    kid: str
    algorithm: str = "ES256"
    private: Any = None

    def __post_init__(self) -> None:
        makers = {
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "RS256": lambda: _RSA,
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self.private = self.private or makers[self.algorithm]()

    @property
    def public(self) -> bytes:
        """As PEM, the way an attacker would find it."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)

    def jwk(self) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        published = json.loads(algorithm.to_jwk(self.private.public_key()))
        return {**published, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, typ: str | None, /, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that is valid for an hour, unless its claims say otherwise; None leaves a claim out."""
        now = int(time.time())
        whole = {"iat": now, "exp": now + 3600, **claims}
        payload = {name: value for name, value in whole.items() if value is not None}
        own = {"kid": self.kid, "typ": typ, **(headers or {})}
        return jwt.encode(payload, self.private, self.algorithm, {k: v for k, v in own.items() if v is not None})


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token made by hand."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature)))


@dataclass
class Provider:
    """Serves what is published, and counts what is asked for."""

    pages: dict[str, Any] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    down: bool = False
    url: str = ""
    seen: list[str] = field(default_factory=list)
    """Authorization headers that came."""

    def publish(self, path: str, *keys: Key) -> None:
        self.pages[path] = {"keys": [key.jwk() for key in keys]}

    async def handle(self, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        self.seen.append(request.headers.get("Authorization", ""))
        if self.down:
            return web.json_response({}, status=500)
        page = self.pages.get(request.path)
        return web.json_response(page) if page is not None else web.json_response({}, status=404)
