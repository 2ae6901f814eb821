"""What is asked of every signed token (RFC 7519, with the advice of RFC 8725)."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Any, TypeVar

import jwt
import msgspec

from nthlayer_sync.web.auth.keys import ALGORITHMS, BadToken, Keys

LEEWAY = 60
"""Seconds that clocks may be apart."""
LONGEST_NAME = 200
"""Characters of a name in a token."""

S = TypeVar("S", bound=msgspec.Struct)


class Header(msgspec.Struct, frozen=True):
    """What a token says of itself; nobody has vouched for it."""

    alg: str
    kid: str = ""
    typ: str = ""


class Claims(msgspec.Struct, frozen=True):
    """Who a token says it is from and for; nobody has vouched for it."""

    iss: str = ""
    sub: str = ""


def header_of(token: str) -> Header:
    """The header of a token, unchecked; BadToken where it is none."""
    return _part(token, 0, Header)


def claims_of(token: str) -> Claims:
    """The claims of a token, unchecked: enough to find who can check it."""
    return _part(token, 1, Claims)


async def verified(
    token: str, keys: Keys, *, audience: str | None, issuer: str | None = None, require: Sequence[str] = ()
) -> dict[str, Any]:
    """The claims of a token, signed by one of the keys and valid now; BadToken says what is wrong.

    None for the audience or the issuer leaves it unchecked: the sort of token has none, or the keys are proof enough.
    """
    header = header_of(token)
    if header.alg not in ALGORITHMS:
        raise BadToken(f"only tokens signed with {', '.join(ALGORITHMS)} are accepted")
    key = await keys.find(header.kid)
    try:
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={
                "require": ["exp", "sub", *require],
                "verify_aud": audience is not None,
                "strict_aud": False,
                "enforce_minimum_key_length": True,
            },
        )
    except jwt.ExpiredSignatureError:
        raise BadToken("the token has expired") from None
    except jwt.ImmatureSignatureError:
        raise BadToken("the token is not valid yet") from None
    except jwt.InvalidAudienceError:
        raise BadToken("the token is for somebody else") from None
    except jwt.InvalidIssuerError:
        raise BadToken("the token is from somebody else") from None
    except jwt.MissingRequiredClaimError as error:
        raise BadToken(f"the token lacks the claim {error.claim}") from None
    except (jwt.PyJWTError, ValueError, OverflowError, TypeError):
        raise BadToken("the token's signature is not valid") from None


def name_in(claims: dict[str, Any], claim: str) -> str:
    """A name that a token gives; BadToken where it is no name."""
    name = claims.get(claim)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadToken(f"the token's claim {claim} is no name")
    return name


def names_in(claims: dict[str, Any], claim: str) -> tuple[str, ...]:
    """The names that a token lists; what is no list of texts is none."""
    names = claims.get(claim)
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()  # pyright: ignore[reportUnknownVariableType] - JSON


def _part(token: str, index: int, shape: type[S]) -> S:
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError
        part = parts[index].encode("ascii")
        return msgspec.json.decode(urlsafe_b64decode(part + b"=" * (-len(part) % 4)), type=shape)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise BadToken("the token is none that is known here") from None
