"""The files of one repository as they will be once a request is merged; what is in them is foreign text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.sdk.hosting.reviews import Request, Reviews
from nthlayer_sync.sources.files import Files, Listing, Unread

MOST_READ = 300
"""Changed files that are read for one preview."""
LARGEST = 4 << 20
"""Bytes of one changed file: a thousand times what people write by hand."""
AT_ONCE = 4
"""Files that are asked for at the same time."""


@dataclass
class Edits:
    """What a request does to files: `files` says whether each is there afterwards. Each is asked for once."""

    reviews: Reviews
    host: str
    slug: str
    request: Request
    files: Mapping[str, bool]
    failure: Failure | None = None
    """Why a file could not be had: whoever asked for it may have made something else of that."""
    _known: dict[str, bytes | Unread] = field(default_factory=dict[str, bytes | Unread])

    async def read(self, paths: Sequence[str]) -> dict[str, bytes | Unread]:
        """The files after a merge, in the order asked for."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(path: str) -> None:
            async with gate:
                self._known[path] = await self._fetched(path)

        wanted = [path for path in paths if path not in self._known]
        if len(self._known) + len(wanted) > MOST_READ:
            self.failure = PermanentError(f"it changes more than {MOST_READ} files of the catalog: split it")
            raise self.failure
        await asyncio.gather(*map(one, wanted))
        return {path: self._known[path] for path in paths}

    async def _fetched(self, path: str) -> bytes | Unread:
        try:
            data = await self.reviews.read(self.slug, self.request.merged or self.request.head, path)
        except Failure as error:
            self.failure = error
            raise
        if data is None:
            return Unread("the code host does not have it, or no regular file")
        return data if len(data) <= LARGEST else Unread(f"it has {len(data):,} bytes; at most {LARGEST:,} are read")


class EditedFiles:
    """A tree of files on which edits can be laid."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.root = files.root
        self.edits: Edits | None = None

    async def listing(self) -> Listing:
        """What is there, after the edits."""
        listing = await self._files.listing()
        if self.edits is None:
            return listing
        edited = self.edits.files
        there = {path for path, stays in edited.items() if stays}
        files = sorted(set(listing.files).difference(edited) | there)
        return Listing(tuple(files), tuple(link for link in listing.links if link not in edited))

    async def read(self, paths: Sequence[str]) -> Mapping[str, bytes | Unread]:
        """The bytes of each, after the edits."""
        if self.edits is None:
            return await self._files.read(paths)
        edited = [path for path in paths if path in self.edits.files]
        found = {**await self._files.read([path for path in paths if path not in self.edits.files])}
        found |= await self.edits.read(edited)
        return {path: found[path] for path in paths}
