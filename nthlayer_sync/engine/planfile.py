"""A plan as a file: for review, for another machine, for later.

The first line is the head, every further line the changes of one subject, all of it JSON. The checksum covers every change,
so that a file which was edited, cut or mixed up is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from nthlayer_sync.engine.plan import Checksum
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.plan import Part, Plan

_encode = msgspec.json.encode
_plan = msgspec.json.Decoder(Plan)
_part = msgspec.json.Decoder(Part)


async def write_plan(path: Path, plan: Plan, parts: AsyncIterator[Part]) -> None:
    """Write a plan file; it appears whole or not at all."""
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as file:
            file.write(_encode(plan) + b"\n")
            async for part in parts:
                file.write(_encode(part) + b"\n")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(f"the plan cannot be written to {path}: {error.strerror}") from error


async def read_plan(path: Path) -> tuple[Plan, AsyncIterator[Part]]:
    """A plan from its file; InputError when it is not one, or not the one that was written."""
    try:
        lines = (await asyncio.to_thread(path.read_bytes)).splitlines()
        plan = _plan.decode(lines[0])
        parts = [_part.decode(line) for line in lines[1:]]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, IndexError) as error:
        raise InputError(f"{path} is no plan file: {error}") from error
    checksum = Checksum()
    for part in parts:
        checksum.add(part)
    if str(checksum) != plan.checksum:
        raise InputError(f"{path} was changed after it was written: its checksum is {checksum}, not {plan.checksum}")

    async def stream() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    return plan, stream()
