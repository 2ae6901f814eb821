"""Texts in a folder that a server loads when it is told to, as Prometheus and Alertmanager do.

https://prometheus.io/docs/prometheus/latest/management_api/#reload
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.folder import Folder
from nthlayer_sync.sdk.http import Call, Clock, Manners, Tool, Unsure
from nthlayer_sync.sdk.http.manners import SystemClock
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.sdk.texts import Change

EVERY = 60.0
"""Seconds between two reloads of one server: each reads everything anew, which took a large one 19 s."""
_MANNERS = Manners(timeout=180.0, at_once=1, trip=1_000)
"""A refused reload is an answer, not a failure of the server: looking for the cause takes some of them in a row."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


class ServerSettings(BaseModel):
    """A server on this machine, or one whose folder is mounted here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Address of the server.", examples=["http://localhost:9090"])
    directory: Annotated[Path, AfterValidator(_absolute)] = Field(
        description="The folder that it loads, as this machine sees it.", examples=["/etc/prometheus/nthlayer"]
    )
    token: SecretRef | None = Field(default=None, description="Where the bearer token is kept, if it wants one.")


class Rejected(PermanentError):
    """The server does not load what stands in its folder."""


class Reloaded:
    """The texts of one folder and the server that loads them; a text that it does not load is put back, alone.

    A path is `collection`, a slash and the name of the file without its suffix.
    """

    def __init__(self, collection: str, folder: Folder, server: Tool, clock: Clock | None = None) -> None:
        self._collection = collection
        self._folder = folder
        self._server = server
        self._clock = clock or SystemClock()
        self._next = 0.0
        self._sound = True
        """Whether the last reload went well."""

    async def everything(self) -> Mapping[str, str]:
        """What the server has."""
        names = await asyncio.to_thread(self._folder.names)
        return await self.read([self._path(name) for name in names])

    async def read(self, paths: Collection[str]) -> Mapping[str, str]:
        """Those of `paths` that the server has."""
        texts = await asyncio.to_thread(self._folder.read, [self._name(path) for path in paths])
        return {self._path(name): text for name, text in texts.items()}

    def ours(self, path: str, text: str) -> bool:
        """A text that bears our mark."""
        return MARK in text

    async def change(self, changes: Sequence[Change]) -> list[Failure | None]:
        """All of them with one reload; when the server refuses it, those at fault are found and put back."""
        named = [{self._name(path): text for path, text in change.items()} for change in changes]
        await asyncio.to_thread(self._folder.put_back)
        await self._clock.sleep(max(0.0, self._next - self._clock.now()))
        failures: dict[int, Failure] = {}
        try:
            await self._load(named, range(len(named)), failures)
            if not self._sound and any(isinstance(failure, Rejected) for failure in failures.values()):
                with suppress(Failure):
                    await self._reload()  # so that the server says again that all is well with it
        finally:
            self._next = self._clock.now() + EVERY
        return [failures.get(index) for index in range(len(named))]

    async def _load(self, changes: Sequence[Change], part: Sequence[int], failures: dict[int, Failure]) -> None:
        """Try the changes with these numbers together; where the server refuses, in two halves."""
        error = await self._try([changes[index] for index in part])
        if not isinstance(error, Rejected):
            if error is not None:
                failures |= dict.fromkeys(part, error)
            return
        if len(part) == len(changes):
            await self._check_before()
        if len(part) == 1:
            failures[part[0]] = error
            return
        for half in (part[: len(part) // 2], part[len(part) // 2 :]):
            await self._load(changes, half, failures)

    async def _try(self, changes: Sequence[Change]) -> Failure | None:
        """Write and reload; put back what was there when the server certainly did not load it."""
        texts = {name: text for change in changes for name, text in change.items()}
        before = await asyncio.to_thread(self._folder.read, texts)
        loaded = {name: before.get(name) for name in texts}
        await asyncio.to_thread(self._folder.write, texts, loaded=loaded)
        try:
            await self._reload()
        except Unsure as error:
            return error  # the folder remembers what the server had, until somebody knows better
        except Failure as error:
            await asyncio.to_thread(self._folder.put_back)
            return error
        await asyncio.to_thread(self._folder.settle)
        return None

    async def _check_before(self) -> None:
        """Whether the server loads what stood there before; if not, nothing of ours is at fault."""
        try:
            await self._reload()
        except Rejected as error:
            raise TemporaryError(
                f"it does not load what it had before either, so nothing was changed: {error}"
            ) from None

    async def _reload(self) -> None:
        self._sound = False
        try:
            await self._server.ask(Call(path="/-/reload", method="POST"))
        except Unsure as error:
            # Both servers answer 500 when they do not like what they read; other statuses come from what is between.
            if error.status == 500:
                raise Rejected(f"{error}; its log says more") from None
            raise
        self._sound = True

    def _path(self, name: str) -> str:
        return f"{self._collection}/{name}"

    def _name(self, path: str) -> str:
        name = path.removeprefix(f"{self._collection}/")
        if "/" in name or name.startswith("."):
            raise PermanentError(f"{path!r} is not the path of a file here")
        return name


def reloaded(runtime: Runtime, name: str, settings: ServerSettings, collection: str, suffix: str) -> Reloaded:
    """What the settings name, for the texts of `collection`."""
    if settings.token:
        server = runtime.web.tool(name, settings.url, runtime.secrets.header(settings.token), _MANNERS)
    else:
        server = runtime.web.tool(name, settings.url, manners=_MANNERS)
    return Reloaded(collection, Folder(settings.directory, suffix), server)
