"""A plan as a file: for review, for another machine, for later.

The first line is the head, every further line the changes of one subject, all of it JSON. The last line is the digest
of those before it, so that a file which was edited, cut or mixed up is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from nthlayer_sync.errors import InputError
from nthlayer_sync.model.plan import Part, Plan

_encode = msgspec.json.encode
_plan = msgspec.json.Decoder(Plan)
_part = msgspec.json.Decoder(Part)


class _Seal:
    """The digest of a file's lines."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=16)

    def line(self, content: bytes) -> bytes:
        """Take in one line; gives it with its end."""
        line = content + b"\n"
        self._digest.update(line)
        return line

    def __str__(self) -> str:
        return self._digest.hexdigest()


async def write_plan(path: Path, plan: Plan, parts: AsyncIterator[Part]) -> None:
    """Write a plan file; it appears whole or not at all."""
    draft = path.with_name(path.name + ".part")
    try:
        seal = _Seal()
        with draft.open("wb") as file:
            file.write(seal.line(_encode(plan)))
            async for part in parts:
                file.write(seal.line(_encode(part)))
            file.write(f"{seal}\n".encode())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(f"the plan cannot be written to {path}: {error.strerror}") from error


async def read_plan(path: Path) -> tuple[Plan, AsyncIterator[Part]]:
    """A plan from its file; InputError when it is not one, or not the one that was written."""
    try:
        *lines, last = (await asyncio.to_thread(path.read_bytes)).removesuffix(b"\n").split(b"\n")
        plan = _plan.decode(lines[0])
        parts = [_part.decode(line) for line in lines[1:]]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except IndexError:
        raise InputError(f"{path} is no plan file: it has a single line, or none; `plan --out` writes one") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is no plan file ({error}); `plan --out` writes one") from error
    seal = _Seal()
    for line in lines:
        seal.line(line)
    if last.decode(errors="replace") != str(seal):
        raise InputError(f"{path} was changed after it was written, or is cut short; make it again with `plan --out`")

    async def stream() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    return plan, stream()
