"""One remote repository: what is on it, and the one way to change it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git import mirror as mirrors
from nthlayer_sync.git.address import read_address
from nthlayer_sync.git.change import EMPTY_TREE, Change, change, folders, raw
from nthlayer_sync.git.commit import BranchMoved, Signature, commit_object, push, write
from nthlayer_sync.git.effective import Tips, real
from nthlayer_sync.git.objects import reader
from nthlayer_sync.git.offer import Offer, after, offered, parse_offer
from nthlayer_sync.git.paths import check_branch
from nthlayer_sync.git.process import Git, MirrorDamaged

if TYPE_CHECKING:
    from nthlayer_sync.git.history import Author, CommitInfo

REMOTE_PROTOCOLS = ("https", "ssh")


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit came to: the branch's tip (or the base's, "" when there is none) and the effective tree."""

    sha: str
    tree: str
    made: bool
    """False when everything was there already."""


class Repository:
    """A remote seen through a local bare mirror; our commits go to the stable `branch`, which starts from `base`.

    `base` None is the remote's default branch. `protocols` are those an address may use; add `file` for repositories
    on this machine. `timeout` (seconds) holds for each Git command. Every method that needs to know where the remote
    stands fetches when nothing was fetched yet; after that only `fetch` looks again.

    Failures are `TemporaryError` (network, time, a moved branch) or `PermanentError` (address, login, refusal).
    """

    def __init__(
        self,
        url: str,
        mirror: Path,
        *,
        branch: str,
        base: str | None = None,
        protocols: Collection[str] = REMOTE_PROTOCOLS,
        timeout: float = 600.0,
    ) -> None:
        check_branch(branch)
        if base is not None:
            check_branch(base)
        self.branch = branch
        self._base = base
        self._git = Git(mirror.absolute(), read_address(url, protocols), timeout)
        self._tips: Tips | None = None

    @property
    def url(self) -> str:
        """The address without credentials."""
        return self._git.address.url

    async def fetch(self) -> None:
        """Bring the mirror up to date; costs one round trip when nothing has changed."""
        async with mirrors.locked(self._git) as hold:
            self._tips = await mirrors.fetch(self._git, hold, self.branch, self._base)

    async def default_branch(self) -> str:
        """The name of the base branch, "" for a repository without commits."""
        return (await self._known()).base_name

    async def tree(self) -> str:
        """The effective tree: what is live, as soon as an open change of ours is merged. "" when there are no files.

        That is the branch where it contains the base, the base where the branch is merged (also when squashed) or
        absent, and the merge of both where both have moved; files in which they conflict are as in the base.
        """
        return (await self._known()).tree

    async def conflicts(self) -> frozenset[str]:
        """Files of our open change that no longer go together with the base; the effective tree has the base's."""
        return (await self._known()).conflicts

    async def base_tree(self) -> str:
        """The tree of the base branch as people have it, "" when it has no files."""
        return (await self._known()).base_tree

    async def listing(self, tree: str, paths: Sequence[str] | None = None) -> dict[str, str]:
        """The files of a tree, or of it only these, as path to blob SHA; symbolic links and submodules are no files."""
        if not tree:
            return {}
        if paths is not None:
            return await self._listing_of(tree, paths)
        async with self._watched():
            output = await self._git.run("ls-tree", "-r", "-z", "--full-tree", tree)
        return await asyncio.to_thread(_parse_listing, output)

    async def moved(self, old: str, new: str) -> dict[str, str | None]:
        """The files that differ between two trees, as path to the new blob SHA, None for those that are gone."""
        return after(await self._compared(old, new))

    async def branch_tip(self) -> str:
        """The last commit of our branch, "" when there is no such branch."""
        return (await self._known()).branch

    async def proposed(self) -> dict[str, Offer]:
        """What merging our branch would change in the base; nothing where there is no base to merge it into."""
        tips = await self._known()
        return await self._compared(tips.base_tree, tips.tree) if tips.base else {}

    async def offered(self, commit: str, ref: str, base: str) -> dict[str, Offer]:
        """What a commit of ours would have changed, had it been merged into `base`; the remote keeps it under `ref`."""
        tips = await self._known()
        async with mirrors.locked(self._git) as hold, self._watched():
            return await offered(self._git, hold, commit, ref, base or tips.base)

    async def leave_out(self, commit: str) -> None:
        """Count our branch as not there while it is at this commit: people declined what it proposes.

        The next commit still follows it, so that its push is forward, but has the base's files.
        """
        tips = await self._known()
        if tips.base and tips.branch == commit and not tips.unrelated:
            parents = tuple(dict.fromkeys((commit, tips.base)))
            self._tips = replace(tips, tree=tips.base_tree, parents=parents, conflicts=frozenset())

    async def blobs(self, shas: Iterable[str]) -> dict[str, bytes]:
        """The contents of files by blob SHA; a file of more than `objects.LARGEST` bytes is a `PermanentError`.

        Many are read five times faster in the order of their paths, beside which Git keeps their deltas.
        """
        async with self._watched(), reader(self._git) as objects:
            return await objects.read(list(dict.fromkeys(shas)), "blob")

    async def file(self, path: str) -> bytes | None:
        """The content of a file in the effective tree, None when it is not there."""
        found = await self.listing(await self.tree(), [path])
        return (await self.blobs(found.values()))[found[path]] if path in found else None

    async def commit(
        self,
        files: Mapping[str, bytes | None],
        message: str,
        *,
        author: tuple[str, str],
        expect: str,
        when: datetime | None = None,
    ) -> Commit:
        """Write (bytes) and delete (None) files as one commit on the stable branch and push it, forward only.

        `author` is (name, address), `expect` the effective tree that the plan was made against: when that has moved,
        the commit is a `TemporaryError` and nothing is written. When all files are as asked for already there is no
        commit. Files keep their mode; no path leads through a symbolic link or a submodule.
        """
        async with mirrors.locked(self._git) as hold, self._watched():
            tips = self._tips = self._tips or await mirrors.fetch(self._git, hold, self.branch, self._base)
            wanted = await self._change(tips.tree, files)
            if wanted.tree == (tips.tree or EMPTY_TREE):
                return Commit(tips.branch or tips.base, tips.tree, made=False)
            if tips.tree != expect:
                raise TemporaryError(f"{self.url}: {self.branch!r} has moved since the plan, plan again", delay=1.0)
            if tips.unrelated:
                raise PermanentError(
                    f"{self.url}: {self.branch!r} shares no history with {tips.base_name!r}; delete or rename it"
                )
            signature = Signature(*author, when or datetime.now(UTC))
            made = await write(self._git, hold, wanted, commit_object(wanted.tree, tips.parents, signature, message))
            try:
                await push(self._git, self.branch, made)
            except BranchMoved:
                self._tips = await mirrors.fetch(self._git, hold, self.branch, self._base)
                raise
            await mirrors.land(self._git, hold, self.branch, made)
            self._tips = replace(tips, branch=made, tree=real(wanted.tree), parents=(made,), conflicts=frozenset())
        return Commit(made, self._tips.tree, made=True)

    async def head(self) -> CommitInfo | None:
        """The last commit of the base branch, None for a repository without commits."""
        return next(iter(await self._history("", 1)), None)

    async def authors(self, path: str = "", limit: int = 200) -> list[Author]:
        """Who made the last `limit` commits of the base branch that touch the path, most commits first."""
        from nthlayer_sync.git.history import count_authors

        return count_authors(await self._history(path, limit))

    async def _compared(self, old: str, new: str) -> dict[str, Offer]:
        if old == new:
            return {}
        options = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff")
        async with self._watched():
            output = await self._git.run("diff-tree", *options, old or EMPTY_TREE, new or EMPTY_TREE, "--")
        return await asyncio.to_thread(parse_offer, output)

    async def _history(self, path: str, limit: int) -> list[CommitInfo]:
        # GitPython takes a tenth of a second to import, which runs that read no history should not pay.
        from nthlayer_sync.git.history import commits

        tips = await self._known()
        return await commits(self._git, tips.base, path, limit) if tips.base else []

    async def _known(self) -> Tips:
        if self._tips is None:
            await self.fetch()
        assert self._tips
        return self._tips

    async def _listing_of(self, tree: str, paths: Sequence[str]) -> dict[str, str]:
        async with self._watched(), reader(self._git) as objects:
            known = await folders(objects, tree, paths)
        found: dict[str, str] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            entry = known.get(folder, {}).get(raw(name))
            if entry and entry.is_file:
                found[path] = entry.name.hex()
        return found

    async def _change(self, tree: str, files: Mapping[str, bytes | None]) -> Change:
        async with reader(self._git) as objects:
            existing = await folders(objects, tree, files)
        return await asyncio.to_thread(change, tree or EMPTY_TREE, existing, files)

    @asynccontextmanager
    async def _watched(self) -> AsyncGenerator[None]:
        try:
            yield
        except MirrorDamaged:
            self._tips = None
            await asyncio.to_thread(mirrors.condemn, self._git.mirror)
            raise


def _parse_listing(output: bytes) -> dict[str, str]:
    # Rows are "100644 blob <40 digits>\tpath".
    rows = (row for row in output.split(b"\0") if row.startswith(b"100"))
    return {row[53:].decode(errors="surrogateescape"): row[12:52].decode() for row in rows}
