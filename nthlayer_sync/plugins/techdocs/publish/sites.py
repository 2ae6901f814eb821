"""The published sites of one shelf, each as the text that it is made from.

What is ours bears our mark: `techdocs_metadata.json` has a field of ours, and names the sources that the site was built
from. They lie beside it under their digest, `nthlayer-sync/<installation>.<digest>.yaml`. A site is published in this
order, so that nobody reads half of it as a whole and a run that is killed can be finished by the next:

sources (our mark)  ->  new and changed files  ->  metadata (from here on it is the new site)  ->  stale files go

Until the metadata is there, what stands there is what the old metadata says. Files that people changed or took away
are told by their tags; while an upload of ours is not finished, which is when sources of another digest lie there as
well, nothing is said of them.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec

from nthlayer_sync.errors import Failure, TemporaryError
from nthlayer_sync.plugins.techdocs.publish import source
from nthlayer_sync.plugins.techdocs.publish.build import METADATA, build
from nthlayer_sync.plugins.techdocs.publish.shelf import Files, Shelf
from nthlayer_sync.sdk.http import Unsure
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.texts import Change

LOOKED_AT = 16
"""Sites that are looked at, or files that are sent, at the same time."""
BUILDS = 2
"""Sites that are built at the same time: each takes a processor for two seconds."""
UNREADABLE = "# what this site was made from is not there any more\n"
CHANGED = "# files of the published site were changed, added or taken away\n"
_GONE = "gone"
"""Stands for a digest in the sources of a site that is being taken away."""
_SOURCES = re.compile(rf"{MARK}/([a-z0-9-]+)\.([0-9a-z]+)\.yaml")

T = TypeVar("T")
S = TypeVar("S")


class Record(msgspec.Struct, frozen=True):
    """Our field of the metadata: who published, the digest of the sources, and that of the tags of all files."""

    instance: str
    sources: str
    files: str


class Metadata(msgspec.Struct, frozen=True):
    """What Backstage reads about a site; the first five are TechDocs's own.

    https://backstage.io/docs/features/techdocs/architecture
    """

    site_name: str
    site_description: str
    build_timestamp: int
    """Milliseconds since 1970."""
    files: Sequence[str]
    etag: str
    ours: Record | None = msgspec.field(name=MARK, default=None)


class _Standing(msgspec.Struct, frozen=True):
    """What stands at the path of a site."""

    tags: Mapping[str, str]
    record: Record | None
    """None where it is not published, or not by us."""
    began: frozenset[str]
    """Digests of the sources that we left there."""
    published: bool
    """Whether there is metadata, of whomever."""

    @property
    def changed(self) -> bool:
        """Whether its files are no longer those that we sent."""
        if self.record is None or len(self.began) != 1:
            return False
        return _of_all(self.tags) != self.record.files


class Sites:
    """The sites of a shelf; `instance` names this installation in the mark. `now` gives seconds since 1970."""

    def __init__(self, shelf: Shelf, instance: str, *, now: Callable[[], float] = time.time) -> None:
        self._shelf = shelf
        self._instance = instance
        self._now = now
        self._builds = asyncio.Semaphore(BUILDS)

    async def everything(self) -> Mapping[str, str]:
        """Every site, that of others as well."""
        async with self._shelf.opened() as files:
            return await self._read(files, [path for path in await files.sites() if source.is_triplet(path)])

    async def read(self, paths: Collection[str]) -> Mapping[str, str]:
        """Those of `paths` that exist."""
        async with self._shelf.opened() as files:
            return await self._read(files, paths)

    def ours(self, path: str, text: str) -> bool:
        """Whether we published it: nothing is told of a site of others."""
        return bool(text)

    async def change(self, changes: Sequence[Change]) -> list[Failure | None]:
        """Each by itself: built, sent, and only then shown."""
        async with self._shelf.opened() as files:
            return await _each(changes, lambda change: self._change(files, change))

    async def _read(self, files: Files, paths: Iterable[str]) -> dict[str, str]:
        rows = await _each(sorted(paths), lambda path: self._text(files, path))
        return {path: text for path, text in rows if text is not None}

    async def _text(self, files: Files, path: str) -> tuple[str, str | None]:
        """What a site was made from; "" for one that is not ours, None for none."""
        standing = await self._standing(files, path)
        if standing.record is None:
            # A first upload that was not finished is no site yet: the next one goes on with it.
            begun = bool(standing.began) and not standing.published
            return path, None if begun or not standing.tags else ""
        data = await files.get(f"{path}/{self._sources(standing.record.sources)}")
        text = data.decode(errors="replace") if data is not None else ""
        if source.digest(text) != standing.record.sources:
            return path, UNREADABLE
        return path, text + CHANGED if standing.changed else text

    async def _standing(self, files: Files, path: str) -> _Standing:
        tags = await files.tags(source.triplet(path))
        found = [_SOURCES.fullmatch(name) for name in tags]
        began = frozenset(match[2] for match in found if match and match[1] == self._instance)
        record = None
        if METADATA in tags:
            record = _record(await files.get(f"{path}/{METADATA}"))
        ours = record if record is not None and record.instance == self._instance else None
        return _Standing(tags, ours, began, METADATA in tags)

    async def _change(self, files: Files, change: Change) -> Failure | None:
        try:
            for path, text in change.items():
                if text is None:
                    await self._take_away(files, path)
                else:
                    await self._publish(files, path, text)
        except Failure as error:
            return error
        return None

    async def _publish(self, files: Files, path: str, text: str) -> None:
        made = source.read(text)
        async with self._builds:
            built = await build(made)
        # Written anew, for what is put back may bear a remark of ours behind what the site was made from.
        text = source.write(made)
        sources = self._sources(source.digest(text))
        standing = await self._standing(files, path)
        await files.put(f"{path}/{sources}", text.encode())

        async def send(name: str) -> tuple[str, str]:
            data = built[name]
            tag = files.tag(data)
            return name, tag if standing.tags.get(name) == tag else await files.put(f"{path}/{name}", data)

        tags = dict(await _each(sorted(built), send))
        metadata = Metadata(
            site_name=made.name,
            site_description=made.description,
            build_timestamp=int(self._now() * 1000),
            files=sorted(built),
            etag=source.digest(text),
            ours=Record(self._instance, source.digest(text), _of_all(tags)),
        )
        try:
            await files.put(f"{path}/{METADATA}", msgspec.json.encode(metadata))
        except TemporaryError as error:
            raise Unsure(f"the site was sent; whether it is shown is not known: {error}", delay=error.delay) from None
        await self._delete(files, path, standing.tags.keys() - built.keys() - {METADATA, sources})

    async def _take_away(self, files: Files, path: str) -> None:
        """Metadata and our mark go last, so that what is left of an attempt that was killed is still known as ours."""
        await files.put(f"{path}/{self._sources(_GONE)}", b"")
        standing = await self._standing(files, path)
        await self._delete(files, path, {name for name in standing.tags if not _is_about(name)})
        await files.delete(f"{path}/{METADATA}")
        await self._delete(files, path, {name for name in standing.tags if _SOURCES.fullmatch(name)})

    async def _delete(self, files: Files, path: str, names: Collection[str]) -> None:
        await _each(sorted(names), lambda name: files.delete(f"{path}/{name}"))

    def _sources(self, digest: str) -> str:
        return f"{MARK}/{self._instance}.{digest}.yaml"


def _record(data: bytes | None) -> Record | None:
    """Our field, if the metadata has one that can be read."""
    try:
        return msgspec.json.decode(data or b"", type=Metadata).ours
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _of_all(tags: Mapping[str, str]) -> str:
    """One digest for the tags of a site's files, but for those that the tags are told in."""
    rows = sorted((name, tag) for name, tag in tags.items() if not _is_about(name))
    return blake2b(repr(rows).encode(), digest_size=16).hexdigest()


def _is_about(name: str) -> bool:
    """Whether a file tells about the site, and is none of its own."""
    return name == METADATA or _SOURCES.fullmatch(name) is not None


async def _each(items: Iterable[S], work: Callable[[S], Awaitable[T]]) -> list[T]:
    """`work` for each of `items`, a few at a time; the first failure ends all of it."""
    gate = asyncio.Semaphore(LOOKED_AT)

    async def one(item: S) -> T:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return [task.result() for task in tasks]
