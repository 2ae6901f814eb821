"""The effective tree: what is live as soon as an open change of ours is merged."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from nthlayer_sync.git.change import EMPTY_TREE, change, folders, raw
from nthlayer_sync.git.commit import Signature, commit_object, write
from nthlayer_sync.git.objects import reader
from nthlayer_sync.git.process import Git


@dataclass(frozen=True, slots=True)
class Tips:
    """Where the remote stands: commits of both branches ("" when absent), and what a commit of ours would build on."""

    base_name: str
    base: str
    branch: str
    tree: str
    """The effective tree, "" when the repository is empty."""
    parents: tuple[str, ...]
    """Of our next commit; the first makes its push a fast-forward. None for the first commit of all."""
    unrelated: bool = False
    """The two branches share no history, so a merge of ours would not mean anything."""
    base_tree: str = ""
    """The base's own tree, "" when it has no files."""
    conflicts: frozenset[str] = frozenset()
    """Files in which the two branches do not go together; the effective tree has them as the base does."""


async def compare(git: Git, hold: int, base_name: str, base: tuple[str, str], branch: tuple[str, str]) -> Tips:
    """The effective tree of base and branch, each given as (commit, tree), and the parents of a commit upon it."""
    tips = await _compare(git, hold, base_name, base, branch)
    return replace(tips, base_tree=real(base[1]))


async def _compare(git: Git, hold: int, base_name: str, base: tuple[str, str], branch: tuple[str, str]) -> Tips:
    (base_tip, base_tree), (tip, tree) = base, branch
    if not tip:
        return Tips(base_name, base_tip, "", real(base_tree), (base_tip,) if base_tip else ())
    if not base_tip:
        return Tips(base_name, "", tip, real(tree), (tip,))
    _, common = await git.ask("merge-base", "--all", base_tip, tip)
    ancestors = common.decode().split()
    if base_tip in ancestors:
        return Tips(base_name, base_tip, tip, real(tree), (tip,))
    if tip in ancestors:
        return Tips(base_name, base_tip, tip, real(base_tree), (base_tip,))
    if not ancestors:
        return Tips(base_name, base_tip, tip, real(base_tree), (tip, base_tip), unrelated=True)
    # A squash merge needs no case of its own: merging what is there already gives the tree of the base.
    clean, output = await git.ask("merge-tree", "--write-tree", "--no-messages", "-z", base_tip, tip)
    merged, *rows = output.rstrip(b"\0").split(b"\0")
    tree, conflicts = merged.decode(), frozenset[str]()
    if not clean:
        # Rows are "100644 <40 digits> <stage>\tpath".
        conflicts = frozenset(row.partition(b"\t")[2].decode(errors="surrogateescape") for row in rows)
        tree = await _as_in_base(git, hold, tree, base_tree, conflicts)
    return Tips(base_name, base_tip, tip, real(tree), (tip, base_tip), conflicts=conflicts)


async def _as_in_base(git: Git, hold: int, merged: str, base: str, paths: Collection[str]) -> str:
    """The merged tree, with these files as they are in the base."""
    async with reader(git) as objects:
        known = await folders(objects, real(base), paths)
        entries = {path: known.get(path.rpartition("/")[0], {}).get(raw(path.rpartition("/")[2])) for path in paths}
        names = {path: entry.name.hex() for path, entry in entries.items() if entry and entry.is_file}
        contents = await objects.read(sorted(set(names.values())), "blob")
        existing = await folders(objects, merged, paths)
    files = {path: contents[names[path]] if path in names else None for path in paths}
    wanted = await asyncio.to_thread(change, merged, existing, files)
    # A commit that nobody refers to: it is how a set of objects is put into the mirror.
    keeper = Signature("nthlayer-sync", "nthlayer-sync@localhost", datetime.fromtimestamp(0, UTC))
    await write(git, hold, wanted, commit_object(wanted.tree, (), keeper, "effective tree"))
    return wanted.tree


def real(tree: str) -> str:
    """The name of a tree in our terms, where "" is the one without files."""
    return "" if tree == EMPTY_TREE else tree
