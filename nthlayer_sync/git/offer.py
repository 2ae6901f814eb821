"""What a commit of ours offered that was never merged: read from the commit itself, since the branch may be gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.git.process import Git

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Offer:
    """One file as an offer found it and as it would have left it: blob SHAs, None for no file."""

    before: str | None
    after: str | None


async def offered(git: Git, hold: int, commit: str, ref: str, base: str) -> dict[str, Offer]:
    """The files that `commit` changes in the `base` it was made for; the remote keeps it under `ref`, as code hosts do.

    Nothing where the commit can no longer be had, or has no history in common with the base.
    """
    if not await _exists(git, commit):
        await _fetch(git, hold, ref)
    if not (await _exists(git, commit) and await _exists(git, base)):
        return {}
    _, common = await git.ask("merge-base", base, commit)
    if not common:
        return {}
    options = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff")
    return parse_offer(await git.run("diff-tree", *options, common.decode().strip(), commit, "--"))


def parse_offer(output: bytes) -> dict[str, Offer]:
    """The rows of `git diff-tree --raw -z`; symbolic links and submodules are no files."""
    # Pairs of ":<old mode> <new mode> <old> <new> <status>" and the path.
    fields = output.split(b"\0")
    found: dict[str, Offer] = {}
    for row, path in zip(fields[::2], fields[1::2], strict=False):
        modes_and_names = row[1:].split(b" ")
        before, after = (
            name.decode() if mode.startswith(b"100") else None
            for mode, name in zip(modes_and_names[:2], modes_and_names[2:4], strict=True)
        )
        if before or after:
            found[path.decode(errors="surrogateescape")] = Offer(before, after)
    return found


def after(offers: Mapping[str, Offer]) -> dict[str, str | None]:
    """The files as the offers would leave them."""
    return {path: offer.after for path, offer in offers.items()}


async def _exists(git: Git, commit: str) -> bool:
    if not _COMMIT.fullmatch(commit):
        return False
    return (await git.ask("rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}"))[0]


async def _fetch(git: Git, hold: int, ref: str) -> None:
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
    try:
        await git.run("fetch", *options, "--", git.address.url, ref, hold=hold)
    except TemporaryError as error:
        if "couldn't find remote ref" not in str(error):
            raise
