"""What a set of files does to a tree: the new objects, worked out without a work tree, an index or a process.

`git fast-import` could apply paths to a tree too, but it searches a folder from its start for each path: with 10,000
folders beside each other that costs more than everything else together.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git.objects import FILE_MODE, TREE_MODE, Entry, Reader, Tree, object_name, parse_tree, write_tree
from nthlayer_sync.git.paths import check_path

EMPTY_TREE = object_name("tree", b"").hex()


class Blocked(PermanentError):
    """Something stands at `path`, or on the way to it, that is no file of ours to replace."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path

    def stops(self, path: str) -> bool:
        """Whether it keeps this path from being written."""
        return path == self.path or path.startswith(f"{self.path}/")


@dataclass(slots=True)
class Change:
    """The objects that a commit needs beyond those that exist; `tree` is the name of its root."""

    tree: str
    trees: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    blobs: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    """By name, like `trees`, in an order that puts like beside like, so that deltas are small."""


async def folders(reader: Reader, tree: str, paths: Iterable[str]) -> dict[str, Tree]:
    """The folders of the tree that lie on the way to the paths, by path; those that do not exist are left out."""
    found: dict[str, Tree] = {"": parse_tree((await reader.read([tree], "tree"))[tree]) if tree else {}}
    ancestors = await asyncio.to_thread(_ancestors, paths)
    for _, level in groupby(sorted(ancestors, key=_depth), key=_depth):
        wanted: dict[str, str] = {}
        for folder in level:
            parent, _, name = folder.rpartition("/")
            entry = found[parent].get(raw(name)) if parent in found else None
            if folder and entry and entry.mode == TREE_MODE:
                wanted[folder] = entry.name.hex()
        contents = await reader.read(sorted(set(wanted.values())), "tree")
        found |= await asyncio.to_thread(_parse, wanted, contents)
    return found


def change(tree: str, existing: Mapping[str, Tree], files: Mapping[str, bytes | None]) -> Change:
    """Write (bytes) and delete (None) files; `existing` is what `folders` gave for this tree and these paths.

    Files keep the mode they have. What would lead through, or replace, a symbolic link, a submodule, or a folder that
    holds other files, is refused with a `PermanentError`; deleting what is not there is not an error.
    """
    result = Change(tree)
    fresh: list[tuple[str, str, bytes, bytes]] = []
    written, deleted = _by_folder(files)
    below: defaultdict[str, dict[bytes, bytes | None]] = defaultdict(dict)
    for folder in sorted(_ancestors(files), key=_depth, reverse=True):
        before = existing.get(folder, {})
        after = dict(before)
        for name in deleted.get(folder, ()):
            if _file_at(after, folder, name, "deleted"):
                del after[raw(name)]
        for name, subtree in below.pop(folder, {}).items():
            _put_folder(after, folder, name, subtree)
        for name, data in written.get(folder, ()):
            entry, blob = _file_at(after, folder, name, "written"), object_name("blob", data)
            after[raw(name)] = Entry(entry.mode if entry else FILE_MODE, blob)
            if not entry or entry.name != blob:
                fresh.append((name, folder, blob, data))
        if after != before:
            content = write_tree(after)
            own = object_name("tree", content)
            if after or not folder:
                result.trees[own] = content
            if folder:
                parent, _, last = folder.rpartition("/")
                below[parent][raw(last)] = own if after else None
            else:
                result.tree = own.hex()
    result.blobs = {blob: data for _, _, blob, data in sorted(fresh)}
    return result


def _parse(wanted: Mapping[str, str], contents: Mapping[str, bytes]) -> dict[str, Tree]:
    return {folder: parse_tree(contents[sha]) for folder, sha in wanted.items()}


def raw(name: str) -> bytes:
    """The bytes that a path or a part of it has in a tree."""
    return name.encode("utf-8", "surrogateescape")


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _ancestors(paths: Iterable[str]) -> set[str]:
    seen = {""}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder not in seen:
            seen.add(folder)
            folder = folder.rpartition("/")[0]
    return seen


def _by_folder(
    files: Mapping[str, bytes | None],
) -> tuple[dict[str, list[tuple[str, bytes]]], dict[str, list[str]]]:
    written: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
    deleted: defaultdict[str, list[str]] = defaultdict(list)
    for path, data in files.items():
        check_path(path)
        folder, _, name = path.rpartition("/")
        if data is None:
            deleted[folder].append(name)
        else:
            written[folder].append((name, data))
    return written, deleted


def _file_at(tree: Tree, folder: str, name: str, verb: str) -> Entry | None:
    entry = tree.get(raw(name))
    if entry and not entry.is_file:
        path = _shown(folder, raw(name))
        raise Blocked(f"{path} cannot be {verb}: the repository has {_what(entry)} there", path)
    return entry


def _put_folder(tree: Tree, folder: str, name: bytes, subtree: bytes | None) -> None:
    entry = tree.get(name)
    if subtree is None:
        if entry and entry.mode == TREE_MODE:
            del tree[name]
        return
    if entry and entry.mode != TREE_MODE:
        path = _shown(folder, name)
        raise Blocked(f"{path}/ cannot hold files: the repository has {_what(entry)} there", path)
    tree[name] = Entry(TREE_MODE, subtree)


def _shown(folder: str, name: bytes) -> str:
    return ascii(f"{folder}/{name.decode(errors='replace')}".lstrip("/"))[1:-1]


def _what(entry: Entry) -> str:
    kinds = {TREE_MODE: "a folder", b"120000": "a symbolic link", b"160000": "a submodule"}
    return kinds.get(entry.mode, "a file")
