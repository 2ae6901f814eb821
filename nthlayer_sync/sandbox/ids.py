"""Identifiers as vendors make them: looking random, the same for the same seed and count."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TypeAlias
from uuid import UUID

IdMaker: TypeAlias = Callable[[int], str]

UPPER = digits + ascii_uppercase
LOWER = digits + ascii_lowercase
HEXADECIMAL = "0123456789abcdef"


def token(alphabet: str, length: int, prefix: str = "", seed: str = "") -> IdMaker:
    """`length` letters of `alphabet`, which never repeat: the count times a number that shares no factor with all."""
    size = len(alphabet) ** length
    start = int.from_bytes(hashlib.sha256(f"{seed}{prefix}".encode()).digest()[:16])

    def make(count: int) -> str:
        # A prime larger than every alphabet's size is coprime to all its powers.
        value = (start + count * 2_305_843_009_213_693_951) % size
        letters: list[str] = []
        for _ in range(length):
            value, letter = divmod(value, len(alphabet))
            letters.append(alphabet[letter])
        return prefix + "".join(letters)

    return make


def number(first: int = 1) -> IdMaker:
    """Whole numbers from `first` on."""
    return lambda count: str(first + count)


def uuid(seed: str = "") -> IdMaker:
    """Random-looking UUIDs of version 4."""

    def make(count: int) -> str:
        return str(UUID(bytes=hashlib.sha256(f"{seed}/{count}".encode()).digest()[:16], version=4))

    return make
