"""Where sites are kept: files by key, in a folder or a bucket."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from mimetypes import guess_type
from typing import Protocol

from nthlayer_sync.plugins.techdocs.publish.build import METADATA

LARGEST_READ = 8_000_000
"""Bytes of a file that is read back: metadata and sources, never pages."""


class Files(Protocol):
    """The files of one shelf. A key is a site's path, a slash and the path of a file in the site.

    What goes wrong comes out as TemporaryError or PermanentError.
    """

    async def sites(self) -> Collection[str]:
        """The paths of all sites, whoever published them."""
        ...

    async def tags(self, site: str) -> Mapping[str, str]:
        """A tag of each file of a site, which changes with its content, by its path in the site."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The content of a file; None where there is none, or one that is too large to be ours."""
        ...

    async def put(self, key: str, data: bytes) -> str:
        """Make it the content of a file, whole or not at all; gives its tag."""
        ...

    async def delete(self, key: str) -> None:
        """Take a file away; it may be gone already."""
        ...

    def tag(self, data: bytes) -> str:
        """The tag that a file of this content has."""
        ...


class Shelf(Protocol):
    """Opens the way to the files, for a few questions or changes."""

    def opened(self) -> AbstractAsyncContextManager[Files]:
        """The files, while it is open."""
        ...


def content_type(key: str) -> str:
    """What a browser is told that a file is."""
    return guess_type(key)[0] or "application/octet-stream"


def site_of(key: str) -> str:
    """The site that a key is the metadata of; "" where it is another file."""
    site, _, name = key.rpartition("/")
    return site if name == METADATA and site.count("/") == 2 else ""
