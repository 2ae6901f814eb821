"""Where a repository lives: which addresses are allowed, and how secrets stay out of what is shown.

Credentials that stand in an address are taken out of it and handed to Git as a header in its environment: they are
neither in the list of processes, nor in the mirror's configuration, nor in a message.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from nthlayer_sync.errors import PermanentError

_SCP = re.compile(r"(?:(?P<user>[A-Za-z0-9_][\w.+-]*)@)?(?P<host>[A-Za-z0-9_][\w.-]*):(?!:)(?P<path>[^-:][^:]*)")
_HOST = re.compile(r"[A-Za-z0-9_][\w.-]*|[0-9a-f:]+", re.ASCII)
_USERINFO = re.compile(r"(?<=://)[^/\s@]*@")
_UNPRINTABLE = re.compile(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Address:
    """An address that passed the checks: `url` holds no secret and may be shown and stored."""

    url: str
    protocol: str
    secret: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Configuration of Git that logs in, by key."""


def read_address(url: str, protocols: Collection[str]) -> Address:
    """Check an address written by a person and separate its credentials.

    `protocols` are names that Git knows: `https`, `ssh`, `http`, `file`. Anything else, above all Git's helper syntax
    `name::address` which starts a program, is a `PermanentError`.
    """
    if not url or "\n" in url or _UNPRINTABLE.search(url) or url.startswith("-") or "::" in url.partition("/")[0]:
        raise PermanentError(f"the repository address {redact(url)!r} is not one that Git may be given")
    address = _with_scheme(url) if "://" in url else _without_scheme(url)
    if address.protocol not in protocols:
        allowed = ", ".join(sorted(protocols))
        raise PermanentError(
            f"{address.url}: the protocol {address.protocol!r} is not allowed here; allowed: {allowed}"
        )
    return address


def redact(text: str) -> str:
    """Text fit for a message or a log: no credentials of addresses, no control characters, not endless."""
    return _UNPRINTABLE.sub(" ", _USERINFO.sub("", text)).strip()[:2000]


def _with_scheme(url: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise PermanentError(f"the repository address {redact(url)!r} cannot be read") from None
    if parts.scheme == "file":
        if host or not parts.path.startswith("/"):
            raise PermanentError(f"{redact(url)}: a file address has three slashes: file:///folder/repository.git")
        return Address(url, "file")
    if not _HOST.fullmatch(host) or parts.query or parts.fragment or parts.path.startswith("/-"):
        raise PermanentError(f"the repository address {redact(url)!r} is not one that Git may be given")
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    if parts.scheme == "ssh":
        user = unquote(parts.username or "")
        if user and not re.fullmatch(r"[A-Za-z0-9_][\w.+-]*", user):
            raise PermanentError(f"{redact(url)}: the user name is not one that ssh may be given")
        return Address(f"ssh://{user}{'@' * bool(user)}{place}{parts.path}", "ssh")
    clean = f"{parts.scheme}://{place}{parts.path}"
    if parts.username is None:
        return Address(clean, parts.scheme)
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    header = "Authorization: Basic " + base64.b64encode(login).decode()
    return Address(clean, parts.scheme, {f"http.{parts.scheme}://{place}/.extraHeader": header})


def _without_scheme(url: str) -> Address:
    if (scp := _SCP.fullmatch(url)) and "/" not in scp["host"]:
        return Address(url, "ssh")
    if ":" in url.partition("/")[0]:
        raise PermanentError(f"the repository address {redact(url)!r} cannot be read")
    return Address(os.path.abspath(url), "file")
