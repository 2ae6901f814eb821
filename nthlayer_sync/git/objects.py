"""Git's objects as bytes: their names, trees read and written, a pack of them, and reading many from the mirror.

Formats: `gitformat-pack` and the "Git Objects" chapter of the Git book. Only SHA-1 repositories.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha1
from typing import NamedTuple

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git.process import Command, Git, MirrorDamaged

LARGEST = 16 << 20
"""Bytes of the largest file that is read into memory; generated files and catalogs are far smaller."""
TREE_MODE = b"40000"
FILE_MODE = b"100644"
_PACK_NUMBERS = {"commit": 1, "tree": 2, "blob": 3}


class Entry(NamedTuple):
    """One line of a tree: its mode as Git writes it and the 20 bytes of the object's name."""

    mode: bytes
    name: bytes

    @property
    def is_file(self) -> bool:
        """A regular file, executable or not; symbolic links and submodules are not files."""
        return self.mode.startswith(b"100")


Tree = dict[bytes, Entry]
"""The entries of one folder, by name."""


def object_name(kind: str, data: bytes) -> bytes:
    """The 20 bytes by which Git knows this content."""
    return sha1(b"%b %d\0%b" % (kind.encode(), len(data), data), usedforsecurity=False).digest()


def blob_sha(data: bytes) -> str:
    """The SHA-1 (40 hexadecimal digits) that `git hash-object` gives for a file with these bytes."""
    return object_name("blob", data).hex()


def parse_tree(data: bytes) -> Tree:
    """The entries of a tree object."""
    entries: Tree = {}
    start, end = 0, len(data)
    while start < end:
        space = data.index(b" ", start)
        zero = data.index(b"\0", space)
        entries[data[space + 1 : zero]] = Entry(data[start:space], data[zero + 1 : zero + 21])
        start = zero + 21
    return entries


def write_tree(tree: Tree) -> bytes:
    """The bytes of a tree object; a folder sorts as if its name ended in a slash, as Git demands."""
    rows = sorted((name + b"/" if entry.mode == TREE_MODE else name, name, entry) for name, entry in tree.items())
    return b"".join(b"%b %b\0%b" % (entry.mode, name, entry.name) for _, name, entry in rows)


def pack(objects: Sequence[tuple[str, bytes]]) -> bytes:
    """A pack file of whole objects, given as (kind, content)."""
    parts = [b"PACK\0\0\0\2", len(objects).to_bytes(4, "big")]
    for kind, data in objects:
        size, head = len(data) >> 4, _PACK_NUMBERS[kind] << 4 | len(data) & 15
        header = bytearray()
        while size:
            header.append(head | 0x80)
            head, size = size & 0x7F, size >> 7
        header.append(head)
        parts += bytes(header), zlib.compress(data)
    body = b"".join(parts)
    return body + sha1(body, usedforsecurity=False).digest()


class Reader:
    """Reads objects of the mirror through one running `git cat-file --batch`."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._buffer = bytearray()
        self._start = 0

    async def read(self, shas: Sequence[str], kind: str) -> dict[str, bytes]:
        """The contents by name; each must be of this kind, a blob not larger than `LARGEST` bytes."""
        found: dict[str, bytes] = {}

        async def collect() -> None:
            for sha in shas:
                found[sha] = await self._next(sha, kind)

        questions = ("".join(f"{sha}\n" for sha in shas[at : at + 1000]).encode() for at in range(0, len(shas), 1000))
        await asyncio.gather(self._command.feed(questions), collect())
        return found

    async def _next(self, sha: str, kind: str) -> bytes:
        while (newline := self._buffer.find(b"\n", self._start)) < 0:
            await self._fill()
        words = self._buffer[self._start : newline].decode().split(" ")
        if words[-1] in ("missing", "ambiguous"):
            raise MirrorDamaged(f"the mirror lacks the {kind} {sha}", delay=1.0)
        size = int(words[2])
        if words[1] != kind or (kind == "blob" and size > LARGEST):
            raise PermanentError(f"{sha} is a {words[1]} of {size} bytes; expected a {kind} of at most {LARGEST} bytes")
        self._start = newline + 1
        while len(self._buffer) <= self._start + size:
            await self._fill()
        data = bytes(self._buffer[self._start : self._start + size])
        self._start += size + 1
        return data

    async def _fill(self) -> None:
        del self._buffer[: self._start]
        self._start = 0
        chunk = await self._command.read()
        if not chunk:
            raise MirrorDamaged("git cat-file ended early", delay=1.0)
        self._buffer += chunk


@asynccontextmanager
async def reader(git: Git) -> AsyncGenerator[Reader]:
    """A `Reader` for the length of the block."""
    async with git.start("cat-file", "--batch") as command:
        yield Reader(command)
        await command.finish()
