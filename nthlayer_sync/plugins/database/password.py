"""Passwords as PostgreSQL stores them, so that no statement and no log of the server ever holds one."""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256

from nthlayer_sync.errors import PermanentError

_ROUNDS = 4096
"""PostgreSQL's own default, `scram_iterations`."""


def verifier(password: str) -> str:
    """What stands in `pg_authid.rolpassword`. RFC 5802, 3; RFC 7677; PostgreSQL's `scram_build_secret`.

    PermanentError for a password that is not printable ASCII: SASLprep would change it.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise PermanentError("a password must be printable ASCII, and not empty")
    salt = os.urandom(16)
    key = pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    client, server = (hmac.digest(key, word, "sha256") for word in (b"Client Key", b"Server Key"))
    salted, stored, served = (b64encode(part).decode() for part in (salt, sha256(client).digest(), server))
    return f"SCRAM-SHA-256${_ROUNDS}:{salted}${stored}:{served}"
