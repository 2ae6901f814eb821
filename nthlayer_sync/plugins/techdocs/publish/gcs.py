"""A bucket of Google Cloud Storage as the shelf of sites, over its JSON API.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import md5
from typing import TypeVar

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.techdocs.publish.build import METADATA
from nthlayer_sync.plugins.techdocs.publish.google_key import GoogleKey
from nthlayer_sync.plugins.techdocs.publish.settings import GcsSettings
from nthlayer_sync.plugins.techdocs.publish.shelf import LARGEST_READ, Files, content_type, site_of
from nthlayer_sync.sdk.http import Answer, Call, Manners, NotThere, Tool, at
from nthlayer_sync.sdk.runtime import Runtime

MANNERS = Manners(rate=100.0, burst=20, at_once=16, timeout=60.0)
"""A bucket takes 1,000 writes a second to begin with (cloud.google.com/storage/docs/request-rate)."""
_PAGE = 1000

T = TypeVar("T")


class _Object(msgspec.Struct, frozen=True):
    """https://cloud.google.com/storage/docs/json_api/v1/objects#resource"""

    name: str
    md5_hash: str = msgspec.field(default="", name="md5Hash")
    """In base 64; composite objects have none."""
    size: str = "0"


class _Objects(msgspec.Struct, frozen=True):
    items: Sequence[_Object] = ()
    next_page: str = msgspec.field(default="", name="nextPageToken")


class Gcs:
    """The sites below one prefix of one bucket. The tag of a file is its MD5, as Google writes it."""

    def __init__(self, settings: GcsSettings, tool: Tool) -> None:
        self._tool = tool
        self._objects = at("storage", "v1", "b", settings.bucket, "o")
        self._upload = f"/upload{self._objects}"
        self._top = f"{settings.prefix}/" if settings.prefix else ""

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Files]:
        """Nothing has to be opened."""
        yield self

    async def sites(self) -> Collection[str]:
        """Google finds the metadata of all sites."""
        rows = self._rows(("prefix", self._top), ("matchGlob", f"{self._top}*/*/*/{METADATA}"))
        return {site for key, _ in [row async for row in rows] if (site := site_of(key))}

    async def tags(self, site: str) -> Mapping[str, str]:
        """The MD5 of each file."""
        rows = self._rows(("prefix", f"{self._top}{site}/"))
        return {key.removeprefix(f"{site}/"): tag async for key, tag in rows}

    async def get(self, key: str) -> bytes | None:
        """The content of a file."""
        try:
            answer = await self._tool.ask(Call(path=self._path(key), query=(("alt", "media"),)))
        except NotThere:
            return None
        return answer.body if len(answer.body) <= LARGEST_READ else None

    async def put(self, key: str, data: bytes) -> str:
        """One request: Google shows the old content until it has all of the new."""
        call = Call(
            path=self._upload,
            method="POST",
            query=(("uploadType", "media"), ("name", self._top + key)),
            data=data,
            content_type=content_type(key),
            safe=True,
        )
        return _parsed(await self._tool.ask(call), _Object).md5_hash

    async def delete(self, key: str) -> None:
        """It may be gone already."""
        with suppress(NotThere):
            await self._tool.ask(Call(path=self._path(key), method="DELETE"))

    def tag(self, data: bytes) -> str:
        """Its MD5."""
        return b64encode(md5(data, usedforsecurity=False).digest()).decode()

    def _path(self, key: str) -> str:
        return self._objects + at(self._top + key)

    async def _rows(self, *query: tuple[str, str]) -> AsyncIterator[tuple[str, str]]:
        fields = ("fields", "items(name,md5Hash,size),nextPageToken")
        page, seen = "", set[str]()
        while page not in seen:
            seen.add(page)
            asked = (*query, fields, ("maxResults", str(_PAGE)), *((("pageToken", page),) if page else ()))
            answer = _parsed(await self._tool.ask(Call(path=self._objects, query=asked)), _Objects)
            for row in answer.items:
                yield row.name.removeprefix(self._top), row.md5_hash
            page = answer.next_page
            if not page:
                return
        raise PermanentError("Google Cloud Storage gives the same page of a list twice")


def connect(runtime: Runtime, name: str, settings: GcsSettings) -> Gcs:
    """What the settings name."""
    if settings.token is not None:
        letting = runtime.secrets.header(settings.token)
    else:
        assert settings.key_file is not None
        letting = GoogleKey(settings.key_file, runtime.web)
    return Gcs(settings, runtime.web.tool(name, settings.endpoint, letting, MANNERS))


def _parsed(answer: Answer, type: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=type)
    except msgspec.DecodeError as error:
        raise PermanentError(f"Google Cloud Storage answers with something else than its API: {error}") from None
