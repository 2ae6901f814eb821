"""Writes a change as one commit into the mirror and pushes it, forward only.

Nothing refers to the new objects before the push, so a crash on the way leaves some garbage in the mirror and the old
tip on the remote; the remote moves its branch as a whole, or not at all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git.address import redact
from nthlayer_sync.git.change import Change
from nthlayer_sync.git.objects import object_name, pack
from nthlayer_sync.git.process import Git

_FEW = 500
"""Up to so many new files a pack without deltas is quicker to make than it is to start one more process."""
_MANY = 20_000
"""From so many new files on, two processes make the deltas."""
_CHUNK = 1 << 20
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock|failed to update ref|incorrect old value|already exists"
    r"|reference .*(changed|is at)|remote ref updated",
    re.IGNORECASE,
)
_CRUD = re.compile(r"[<>\x00-\x1f\x7f]")


class BranchMoved(TemporaryError):
    """Somebody else pushed to our branch."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit, and when."""

    name: str
    email: str
    when: datetime

    def line(self) -> bytes:
        """As it stands in a commit; characters that would end a field are left out, as Git itself does."""
        name, email = (_CRUD.sub("", part).strip() for part in (self.name, self.email))
        return f"{name} <{email}> {int(self.when.timestamp())} +0000".encode(errors="replace")


def commit_object(tree: str, parents: Sequence[str], signature: Signature, message: str) -> bytes:
    """The bytes of a commit; author and committer are the same."""
    lines = [f"tree {tree}".encode(), *(f"parent {parent}".encode() for parent in parents)]
    lines += [b"author " + signature.line(), b"committer " + signature.line(), b""]
    return b"\n".join(lines) + b"\n" + message.replace("\0", "").rstrip().encode(errors="replace") + b"\n"


async def write(git: Git, hold: int, change: Change, commit: bytes) -> str:
    """Put the objects of the change and the commit into the mirror; gives the commit's name."""
    frame = [("commit", commit), *(("tree", content) for content in change.trees.values())]
    blobs = list(change.blobs.values())
    if len(blobs) <= _FEW:
        frame += [("blob", data) for data in blobs]
        blobs = []
    half = len(blobs) if len(blobs) < _MANY else len(blobs) // 2
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_index(git, hold, frame))
            for part in filter(None, (blobs[:half], blobs[half:])):
                group.create_task(_import(git, hold, part))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return object_name("commit", commit).hex()


async def _index(git: Git, hold: int, frame: Sequence[tuple[str, bytes]]) -> None:
    await git.run("index-pack", "--stdin", stdin=await asyncio.to_thread(pack, frame), hold=hold)


async def _import(git: Git, hold: int, blobs: Iterable[bytes]) -> None:
    async with git.start("fast-import", "--quiet", "--done", hold=hold) as command:
        await command.finish(_stream(blobs))


def _stream(blobs: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for data in blobs:
        gathered += b"blob\ndata %d\n" % len(data), data, b"\n"
        size += len(data)
        if size >= _CHUNK:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join([*gathered, b"done\n"])


async def push(git: Git, branch: str, commit: str) -> None:
    """Move the remote's branch forward to the commit; never anywhere but forward.

    A branch that has moved is a `TemporaryError`, a refusal by the remote (a hook, a protection rule) a
    `PermanentError` with what the remote said.
    """
    options = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--no-signed")
    refspec = f"{commit}:refs/heads/{branch}"
    async with git.start("push", *options, "--", git.address.url, refspec, fine=(0, 1)) as command:
        output = (await command.finish()).decode(errors="replace")
    if command.code == 0:
        return
    answer = next((line.split("\t")[-1] for line in output.splitlines() if line.startswith("!")), "")
    if _MOVED.search(answer):
        raise BranchMoved(f"{git.address.url}: the branch {branch!r} has moved since the plan, plan again", delay=1.0)
    if not answer.startswith("[remote rejected]") or "unpacker" in answer:
        raise git.failure("push", command)
    said = " ".join(line.removeprefix("remote:").strip() for line in command.stderr.splitlines() if "remote:" in line)
    raise PermanentError(f"{git.address.url} refuses a commit on {branch!r}: {redact(f'{answer} {said}')}")
